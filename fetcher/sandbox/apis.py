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
    "com.alibaba.fenxiao.crossborder/product.search.queryProductDetail": Served(Service.DETAIL, "offerDetailParam"),
    "com.alibaba.trade/alibaba.trade.get.buyerView": Served(Service.ORDER, "orderId", _SITE),
    "com.alibaba.trade/alibaba.trade.get.sellerView": Served(Service.ORDER, "orderId", _SITE),
    "system/currentTime": Served(Service.TIME),
    "system/currentTimeMillis": Served(Service.TIME_MILLIS, signed=False),
}
"""`namespace/name` → what is served, all in version 1."""

VERSION: Final = "1"
TOKEN_APIS: Final = frozenset({"system.oauth2/getToken"})
"""Under the protocols `http` and `param2`; unsigned."""
