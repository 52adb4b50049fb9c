"""The APIs that bulk users call, as rows; any other by its full name. Read APIs only: nothing here changes anything."""

from __future__ import annotations

from difflib import get_close_matches
from enum import StrEnum
from typing import Final

import msgspec

from fetcher.errors import UsageError


class Envelope(StrEnum):
    """Where an answer keeps its product, and how it says that there is none."""

    PRODUCT = "product"
    """`productInfo`, else `errMsg`; `success` and `message` in the cross-border form."""
    RESULT = "result"
    """`result.success`, `result.result`."""
    ORDER = "order"
    """`result`, `success` as text, `errorCode`, `errorMessage`."""
    ANY = "any"
    """Unknown: whatever is no refusal is an answer."""


class Api(msgspec.Struct, frozen=True):
    """One API of the gateway."""

    name: str
    namespace: str
    api_name: str
    id_parameter: str
    fixed: tuple[tuple[str, str], ...] = ()
    """Parameters that every call carries."""
    version: str = "1"
    envelope: Envelope = Envelope.ANY
    numeric_ids: bool = True
    """IDs are positive 64-bit integers; else any text without control characters."""
    id_template: str = ""
    """JSON text in which `%s` is the ID, for APIs that take an object."""

    @property
    def path(self) -> str:
        """`{version}/{namespace}/{api_name}`."""
        return f"{self.version}/{self.namespace}/{self.api_name}"


_PRODUCT: Final = "com.alibaba.product"
_TRADE: Final = "com.alibaba.trade"
_SITE: Final = (("webSite", "1688"),)

APIS: Final = {
    row.name: row
    for row in (
        Api("product", _PRODUCT, "alibaba.product.get", "productID", _SITE, envelope=Envelope.PRODUCT),
        Api("product-simple", _PRODUCT, "alibaba.product.simple.get", "productID", _SITE, envelope=Envelope.PRODUCT),
        Api("product-agent", _PRODUCT, "alibaba.agent.product.get", "productID", _SITE, envelope=Envelope.PRODUCT),
        Api("product-cross", _PRODUCT, "alibaba.cross.productInfo", "productId", envelope=Envelope.PRODUCT),
        Api(
            "product-detail",
            "com.alibaba.fenxiao.crossborder",
            "product.search.queryProductDetail",
            "offerDetailParam",
            envelope=Envelope.RESULT,
            id_template='{"offerId":%s,"country":"en"}',
        ),
        Api("order-buyer", _TRADE, "alibaba.trade.get.buyerView", "orderId", _SITE, envelope=Envelope.ORDER),
        Api("order-seller", _TRADE, "alibaba.trade.get.sellerView", "orderId", _SITE, envelope=Envelope.ORDER),
    )
}
"""Presets by name."""


def find_api(name: str, id_param: str | None = None) -> Api:
    """A preset, or any API as `namespace/name` or `namespace/name/version`.

    Args:
        name: as the user gave it.
        id_param: the parameter that takes the ID; needed without a preset.

    Raises:
        UsageError: no such preset, not of that form, or no ID parameter.
    """
    if name in APIS:
        preset = APIS[name]
        return msgspec.structs.replace(preset, id_parameter=id_param, id_template="") if id_param else preset
    parts = name.split("/")
    if len(parts) not in (2, 3) or not all(part and part.isascii() and not set(part) & set(" ?#&%") for part in parts):
        near = get_close_matches(name, APIS, 1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise UsageError(
            f"there is no API {name!r}",
            f"{hint}presets: {', '.join(APIS)}; any other as namespace/name/version with --id-param",
        )
    if not id_param:
        raise UsageError(f"which parameter of {name} takes the ID?", "say it with --id-param NAME")
    version = parts[2] if len(parts) == 3 else "1"
    return Api(name, parts[0], parts[1], id_param, version=version, numeric_ids=False)
