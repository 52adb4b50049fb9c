"""The APIs that the sandbox serves, as a table. Written from the documents, not from the client's own table,
so that a mistake there is found here.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

import msgspec


class Service(Enum):
    """Which service stands behind an API; it gives the answer its envelope."""

    PRODUCT = auto()
    CROSS = auto()
    DETAIL = auto()
    LIST = auto()
    POOL = auto()
    """A list, of which one ID outside the pool fails the whole call (met so)."""
    ORDER = auto()
    TIME = auto()
    TIME_MILLIS = auto()


class Served(msgspec.Struct, frozen=True):
    """One API."""

    service: Service
    id_parameter: str = ""
    """Empty: a system API, which needs neither ID, token nor permission."""
    required: tuple[str, ...] = ()
    """Other arguments that must be there."""
    signed: bool = True


_SITE: Final = ("webSite",)

SERVED: Final[dict[str, Served]] = {
    "com.alibaba.product/alibaba.product.get": Served(Service.PRODUCT, "productID", _SITE),
    "com.alibaba.product/alibaba.product.simple.get": Served(Service.PRODUCT, "productID", _SITE),
    "com.alibaba.product/alibaba.agent.product.get": Served(Service.PRODUCT, "productID", _SITE),
    "com.alibaba.product/alibaba.agent.product.simple.get": Served(Service.PRODUCT, "productID", _SITE),
    "com.alibaba.product/alibaba.cross.productInfo": Served(Service.CROSS, "productId"),
    "com.alibaba.product/alibaba.product.getByIdList": Served(Service.LIST, "productIdList"),
    "com.alibaba.fenxiao/alibaba.fenxiao.productInfo.get": Served(Service.CROSS, "offerId"),
    "com.alibaba.fenxiao/alibaba.pifatuan.product.detail.list": Served(Service.POOL, "offerIds"),
    "com.alibaba.fenxiao.crossborder/product.search.queryProductDetail": Served(Service.DETAIL, "offerDetailParam"),
    "com.alibaba.trade/alibaba.trade.get.buyerView": Served(Service.ORDER, "orderId", _SITE),
    "com.alibaba.trade/alibaba.trade.get.sellerView": Served(Service.ORDER, "orderId", _SITE),
    "system/currentTime": Served(Service.TIME),
    "system/currentTimeMillis": Served(Service.TIME_MILLIS, signed=False),
}
"""`namespace/name` → what is served, all in version 1."""

VERSION: Final = "1"
GET_TOKEN: Final = "system.oauth2/getToken"  # noqa: S105  (an address)
POSTPONE_TOKEN: Final = "system.oauth2/postponeToken"  # noqa: S105
TOKEN_APIS: Final = frozenset({GET_TOKEN, POSTPONE_TOKEN})
"""Under the protocols `http` and `param2`; unsigned."""


class TopServed(msgspec.Struct, frozen=True):
    """One API of the sister family."""

    id_parameter: str
    kind: str
    """Of the thing: `item` or `trade`, which is also its name in the envelope."""
    most_ids: int = 1
    """More than one: IDs are parted by commas, and what is not there is missing from the list."""


TOP_SERVED: Final[dict[str, TopServed]] = {
    "taobao.item.seller.get": TopServed("num_iid", "item"),
    "taobao.items.seller.list.get": TopServed("num_iids", "item", most_ids=20),
    "taobao.trade.fullinfo.get": TopServed("tid", "trade"),
}
"""Each wants `fields` besides."""
TIME_METHOD: Final = "taobao.time.get"
SESSION_METHOD: Final = "taobao.top.auth.token.refresh"
TOP_METHODS: Final = frozenset({*TOP_SERVED, TIME_METHOD, SESSION_METHOD, *(api.partition("/")[2] for api in SERVED)})
"""Served at `router/rest`. That the 1688 APIs can be had there is invented: the others are the family's own."""
