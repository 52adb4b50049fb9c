"""The APIs that bulk users call, as a table, and any other by its full name. Write APIs are never called.

It must not know how calls are signed or answers read.
"""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import Final

import msgspec

from fetcher.errors import UsageError
from fetcher.settings import did_you_mean


class Shape(Enum):
    """How an API's answer is built: where the thing that was asked for stands, and its ID in it."""

    PRODUCT = auto()
    """`{"productInfo": {"productID": …}, "errMsg": …}`."""
    DETAIL = auto()
    """`{"result": {"success": …, "code": …, "message": …, "result": {"offerId": …}}}`."""
    ORDER = auto()
    """`{"result": {"baseInfo": {"idOfStr": …}}, "success": "true"}`."""
    ANY = auto()
    """Unknown: whatever is no error is the answer."""


class IdList(Enum):
    """How several IDs stand in one parameter."""

    JSON = auto()
    """`[610947572360,610947572361]`."""
    COMMA = auto()
    """`610947572360,610947572361`."""


class Listing(msgspec.Struct, frozen=True):
    """An API that takes many IDs a call and answers with a list."""

    usual: int
    """IDs in a call unless the user chose."""
    most: int
    """More are refused."""
    lists: tuple[tuple[str, ...], ...]
    """Where the list may stand in an answer; the documented place first."""
    ids: tuple[tuple[str, ...], ...]
    """Where an element may say its ID; the first that is there counts."""
    wrap: str = ""
    """An element is kept as the member of this name, as the API for one ID would have it; empty: as it is."""
    form: IdList = IdList.JSON


class Api(msgspec.Struct, frozen=True):
    """One API."""

    name: str
    """As it is chosen: a preset, or its full name."""
    namespace: str
    api_name: str
    id_parameter: str
    version: str = "1"
    fixed: tuple[tuple[str, str], ...] = ()
    """Further parameters that it wants; `--param` may give them another value."""
    shape: Shape = Shape.ANY
    numeric_ids: bool = True
    needs_token: bool = True
    """Documented so; an app of a single user needs none all the same."""
    id_field: str = ""
    """The ID parameter is a JSON text, in which the ID is a number under this name and `fixed` stand beside it."""
    tutorial_id_parameter: str = ""
    """The tutorial calls this API: with this ID parameter, and without `fixed`."""
    listing: Listing | None = None
    """Set for an API that takes many IDs a call."""

    @property
    def path(self) -> str:
        """`{version}/{namespace}/{name}`."""
        return f"{self.version}/{self.namespace}/{self.api_name}"

    def ids_per_call(self, chosen: int) -> int:
        """How many IDs go into one call.

        Args:
            chosen: by the user; 0 for the API's usual number.

        Raises:
            UsageError: it takes one ID, or not so many.
        """
        most = 1 if self.listing is None else self.listing.most
        if chosen > 1 and self.listing is None:
            many = ", ".join(name for name, api in APIS.items() if api.listing)
            raise UsageError(
                f"{self.name} takes one ID a call, not {chosen}", f"Leave --batch out, or use one of {many}."
            )
        if chosen > most:
            raise UsageError(
                f"{self.name} takes at most {most} IDs a call, not {chosen}", f"For example: --batch {most}"
            )
        return chosen or (1 if self.listing is None else self.listing.usual)


_SITE: Final = (("webSite", "1688"),)
_PRODUCT: Final = "com.alibaba.product"
_TRADE: Final = "com.alibaba.trade"
_IDS: Final = (("productID",), ("productId",), ("offerId",))

APIS: Final[dict[str, Api]] = {
    api.name: api
    for api in (
        Api(
            name="product",
            namespace=_PRODUCT,
            api_name="alibaba.product.get",
            id_parameter="productID",
            fixed=_SITE,
            shape=Shape.PRODUCT,
            tutorial_id_parameter="productId",
        ),
        Api(
            name="product-simple",
            namespace=_PRODUCT,
            api_name="alibaba.product.simple.get",
            id_parameter="productID",
            fixed=_SITE,
            shape=Shape.PRODUCT,
        ),
        Api(
            name="product-agent",
            namespace=_PRODUCT,
            api_name="alibaba.agent.product.get",
            id_parameter="productID",
            fixed=_SITE,
            shape=Shape.PRODUCT,
        ),
        Api(
            name="product-cross",
            namespace=_PRODUCT,
            api_name="alibaba.cross.productInfo",
            id_parameter="productId",
            shape=Shape.PRODUCT,
        ),
        Api(
            name="product-detail",
            namespace="com.alibaba.fenxiao.crossborder",
            api_name="product.search.queryProductDetail",
            id_parameter="offerDetailParam",
            fixed=(("country", "en"),),
            shape=Shape.DETAIL,
            id_field="offerId",
        ),
        Api(
            name="product-batch",
            namespace=_PRODUCT,
            api_name="alibaba.product.getByIdList",
            id_parameter="productIdList",
            # No source tells how many it takes; its neighbour below takes fifty.
            listing=Listing(20, 50, (("productList",), ("result", "productList"), ("result",)), _IDS, "productInfo"),
        ),
        Api(
            name="product-selected",
            namespace="com.alibaba.fenxiao",
            api_name="alibaba.pifatuan.product.detail.list",
            id_parameter="offerIds",
            listing=Listing(
                20, 50, (("result", "result"), ("result",)), tuple(("productInfo", *path) for path in _IDS)
            ),
        ),
        Api(
            name="order-buyer",
            namespace=_TRADE,
            api_name="alibaba.trade.get.buyerView",
            id_parameter="orderId",
            fixed=_SITE,
            shape=Shape.ORDER,
        ),
        Api(
            name="order-seller",
            namespace=_TRADE,
            api_name="alibaba.trade.get.sellerView",
            id_parameter="orderId",
            fixed=_SITE,
            shape=Shape.ORDER,
        ),
    )
}
"""Presets by name."""

_BY_PATH: Final = {api.path: api for api in APIS.values()}
_FULL_NAME: Final = re.compile(r"([A-Za-z0-9._-]+)/([A-Za-z0-9._-]+)(?:/([0-9]{1,4}))?")
_PARAMETER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,99}")


def find_api(name: str, id_param: str | None = None) -> Api:
    """A preset, or any API by `namespace/name` or `namespace/name/version`.

    Args:
        name: what the user chose.
        id_param: the parameter that takes the ID; needed unless the API is a preset, and then stronger than its own.

    Raises:
        UsageError: no such preset, or the ID parameter is missing or not a name.
    """
    if id_param is not None and _PARAMETER.fullmatch(id_param) is None:
        raise UsageError("the ID parameter is not a name that a parameter can have", "For example: --id-param offerId")
    known = APIS.get(name)
    if known is None:
        full = _FULL_NAME.fullmatch(name)
        if full is None:
            raise _unknown(name)
        namespace, api_name, version = full[1], full[2], full[3] or "1"
        known = _BY_PATH.get(f"{version}/{namespace}/{api_name}")
        if known is None:
            return _by_full_name(namespace, api_name, version, id_param)
    if id_param is None or id_param == known.id_parameter:
        return known
    tutorial = id_param if known.tutorial_id_parameter else ""
    return msgspec.structs.replace(known, id_parameter=id_param, tutorial_id_parameter=tutorial)


def _by_full_name(namespace: str, api_name: str, version: str, id_param: str | None) -> Api:
    name = f"{namespace}/{api_name}/{version}"
    if id_param is None:
        raise UsageError(
            f"{name} is not a preset, so the parameter that takes the ID is not known",
            "Name it with --id-param, for example --id-param offerId.",
        )
    return Api(name, namespace, api_name, id_param, version, numeric_ids=False)


def _unknown(name: str) -> UsageError:
    return UsageError(
        f"no API {name!r}{did_you_mean(name, APIS)}",
        f"One of: {', '.join(APIS)}; or a full name, namespace/name/version, with --id-param.",
    )
