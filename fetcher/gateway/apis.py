"""The APIs that bulk users call, as a table, and any other by its full name. Write APIs are never called.

It must not know how calls are signed or answers read. What is known of each API, and how surely, is in `docs/apis.md`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from msgspec import structs

from fetcher.errors import UsageError
from fetcher.gateway.api import ANY, DETAIL, ORDER, PRODUCT, PRODUCT_IDS, Api, Family, Form, IdList, Listing
from fetcher.settings import did_you_mean

_SITE: Final = (("webSite", "1688"),)
_PRODUCT: Final = "com.alibaba.product"
_TRADE: Final = "com.alibaba.trade"
_ITEM_FIELDS: Final = "num_iid,title,nick,cid,price,num,approve_status,pic_url,props_name,sku,outer_id,modified"
_TRADE_FIELDS: Final = "tid,status,created,modified,pay_time,payment,total_fee,post_fee,buyer_nick,orders"
_TOP_ABSENT: Final = ("isv.item-not-exist", "isv.item-is-delete")
_STOCK: Final = tuple(
    ("productInfo", *path.split("."))
    for path in (
        "productID",
        "status",
        "saleInfo.amountOnSale",
        "saleInfo.unit",
        "skuInfos.skuId",
        "skuInfos.specId",
        "skuInfos.cargoNumber",
        "skuInfos.amountOnSale",
        "skuInfos.attributes.attributeName",
        "skuInfos.attributes.attributeValue",
    )
)

APIS: Final[dict[str, Api]] = {
    api.name: api
    for api in (
        Api(
            name="product",
            namespace=_PRODUCT,
            api_name="alibaba.product.get",
            id_parameter="productID",
            fixed=_SITE,
            form=PRODUCT,
            tutorial_id_parameter="productId",
            about="a product of the authorised user, whole",
        ),
        Api(
            name="product-simple",
            namespace=_PRODUCT,
            api_name="alibaba.product.simple.get",
            id_parameter="productID",
            fixed=_SITE,
            form=PRODUCT,
            about="a product of a seller one has bought from (charged for)",
        ),
        Api(
            name="product-agent",
            namespace=_PRODUCT,
            api_name="alibaba.agent.product.get",
            id_parameter="productID",
            fixed=_SITE,
            form=PRODUCT,
            about="a product, for distributors",
        ),
        Api(
            name="product-cross",
            namespace=_PRODUCT,
            api_name="alibaba.cross.productInfo",
            id_parameter="productId",
            form=PRODUCT,
            about="a product that the user has listed for sale abroad",
        ),
        Api(
            name="product-detail",
            namespace="com.alibaba.fenxiao.crossborder",
            api_name="product.search.queryProductDetail",
            id_parameter="offerDetailParam",
            fixed=(("country", "en"),),
            form=DETAIL,
            id_field="offerId",
            about="a product for trade abroad, with translations (--param country=ja)",
        ),
        Api(
            name="product-batch",
            namespace=_PRODUCT,
            api_name="alibaba.product.getByIdList",
            id_parameter="productIdList",
            # No source tells how many it takes; its neighbour below takes fifty.
            listing=Listing(
                20, 50, (("productList",), ("result", "productList"), ("result",)), PRODUCT_IDS, "productInfo"
            ),
            about="products of the authorised user, many in one call",
        ),
        Api(
            name="product-selected",
            namespace="com.alibaba.fenxiao",
            api_name="alibaba.pifatuan.product.detail.list",
            id_parameter="offerIds",
            listing=Listing(
                20, 50, (("result", "result"), ("result",)), tuple(("productInfo", *path) for path in PRODUCT_IDS)
            ),
            about="products of the selected pool, many in one call; one outside of it fails the call",
        ),
        Api(
            name="stock",
            namespace=_PRODUCT,
            api_name="alibaba.product.get",
            id_parameter="productID",
            fixed=_SITE,
            form=PRODUCT,
            tutorial_id_parameter="productId",
            keep=_STOCK,
            about="what is in stock: a product's amounts, of all and of each SKU",
        ),
        Api(
            name="order-buyer",
            namespace=_TRADE,
            api_name="alibaba.trade.get.buyerView",
            id_parameter="orderId",
            fixed=_SITE,
            form=ORDER,
            about="an order, as its buyer sees it",
        ),
        Api(
            name="order-seller",
            namespace=_TRADE,
            api_name="alibaba.trade.get.sellerView",
            id_parameter="orderId",
            fixed=_SITE,
            form=ORDER,
            about="an order, as its seller sees it",
        ),
        Api(
            name="taobao-item",
            namespace="",
            api_name="taobao.item.seller.get",
            id_parameter="num_iid",
            family=Family.TOP,
            fixed=(("fields", _ITEM_FIELDS),),
            form=Form((("item_seller_get_response", "item"),), (("num_iid",),)),
            absent_codes=_TOP_ABSENT,
            about="an item of the authorised seller (--param fields=...)",
        ),
        Api(
            name="taobao-items",
            namespace="",
            api_name="taobao.items.seller.list.get",
            id_parameter="num_iids",
            family=Family.TOP,
            fixed=(("fields", _ITEM_FIELDS),),
            listing=Listing(
                20,
                20,
                (("items_seller_list_get_response", "items", "item"), ("items_seller_list_get_response", "items")),
                (("num_iid",),),
                form=IdList.COMMA,
            ),
            about="items of the authorised seller, many in one call",
        ),
        Api(
            name="taobao-trade",
            namespace="",
            api_name="taobao.trade.fullinfo.get",
            id_parameter="tid",
            family=Family.TOP,
            fixed=(("fields", _TRADE_FIELDS),),
            form=Form((("trade_fullinfo_get_response", "trade"),), (("tid_str",), ("tid",))),
            absent_codes=("isv.trade-not-exist",),
            about="an order of the authorised seller (--param fields=...)",
        ),
    )
}
"""Presets by name."""

ALIASES: Final = {"product-crossborder": "product-detail", "order": "order-buyer"}
"""Other names of presets."""

_FULL_NAMES: Final = (
    re.compile(r"([A-Za-z0-9._-]+)/([A-Za-z0-9._-]+)(?:/([0-9]{1,4}))?"),
    re.compile(r"([A-Za-z0-9._-]+):([A-Za-z0-9._-]+?)(?:-([0-9]{1,4}))?"),
)
_DOTTED: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)+")
_PARAMETER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,99}")


def find_api(name: str, id_param: str | None = None, own: Mapping[str, Api] | None = None) -> Api:
    """A preset, or any API by `namespace/name`, `namespace/name/version` or a dotted name.

    The documentation's own way to write one, `namespace:name-version`, is taken too.

    Args:
        name: what the user chose.
        id_param: the parameter that takes the ID; needed unless the API is a preset, and then stronger than its own.
        own: the user's presets, stronger than those of the table.

    Raises:
        UsageError: no such preset, or the ID parameter is missing or not a name.
    """
    if id_param is not None and not is_parameter(id_param):
        raise UsageError("the ID parameter is not a name that a parameter can have", "For example: --id-param offerId")
    presets = APIS | dict(own or {})
    known = presets.get(ALIASES.get(name, name) if name not in presets else name)
    if known is None:
        given = by_full_name(name)
        if given is None:
            raise _unknown(name, presets)
        # The first of that path: an own preset before those of the table, the whole answer before a part of it.
        known = next(
            (api for api in [*(own or {}).values(), *APIS.values()] if api.path == given.path and not api.keep), None
        )
        if known is None:
            if id_param is None:
                raise UsageError(
                    f"{given.full_name} is not a preset, so the parameter that takes the ID is not known",
                    "Name it with --id-param, for example --id-param offerId.",
                )
            return structs.replace(given, id_parameter=id_param)
    if id_param is None or id_param == known.id_parameter:
        return known
    tutorial = id_param if known.tutorial_id_parameter else ""
    return structs.replace(known, id_parameter=id_param, tutorial_id_parameter=tutorial)


def is_parameter(name: str) -> bool:
    """Whether a parameter can have that name."""
    return _PARAMETER.fullmatch(name) is not None


def by_full_name(name: str) -> Api | None:
    """An API of which nothing is known but its name; None where it is none. Its ID parameter is empty."""
    full = next((found for pattern in _FULL_NAMES if (found := pattern.fullmatch(name))), None)
    if full is not None:
        version = full[3] or "1"
        return Api(f"{full[1]}/{full[2]}/{version}", full[1], full[2], "", version, form=ANY, numeric_ids=False)
    if _DOTTED.fullmatch(name) is not None:
        return Api(name, "", name, "", family=Family.TOP, form=ANY, numeric_ids=False)
    return None


def _unknown(name: str, presets: Mapping[str, Api]) -> UsageError:
    return UsageError(
        f"no API {name!r}{did_you_mean(name, [*presets, *ALIASES])}",
        f"One of: {', '.join(presets)}; or a full name, namespace/name/version, with --id-param.\n"
        "`fetcher apis` says what each answers.",
    )
