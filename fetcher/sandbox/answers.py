"""How answers are written: each API's envelope, refusals, and the pages of things between us and the caller."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from html import escape
from typing import Any, Final

import msgspec
import orjson

from fetcher.sandbox.apis import Service
from fetcher.sandbox.catalog import Catalog
from fetcher.sandbox.checks import Refusal
from fetcher.sandbox.rows import Row

JSON: Final = b"application/json;charset=UTF-8"
XML: Final = b"application/xml;charset=UTF-8"
HTML: Final = b"text/html;charset=UTF-8"
HTML_PAGE: Final = (
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n"
    b"<hr><center>Tengine</center>\r\n</body>\r\n</html>\r\n"
)
_CHINA: Final = timezone(timedelta(hours=8))
_GROUPS: Final = orjson.dumps(
    [
        {"support": False, "description": "零售通", "code": "isRetailOffer"},
        {"support": True, "description": "微供商品", "code": "isMicroSupply"},
        {"support": False, "description": "", "code": "hasLinkedToSupplier"},
    ]
)
_DETAIL: Final = '{"result":{"success":true,"code":"200","message":"成功","result":%b}}'.encode()


class Answer(msgspec.Struct):
    """An answer before it is sent."""

    status: int
    body: bytes
    content_type: bytes
    code: str
    """What the ledger calls it."""
    headers: tuple[tuple[bytes, bytes], ...] = ()


def refusal_answer(refusal: Refusal, request_id: str, keys: str = "snake") -> Answer:
    """The gateway's own error body; `exception` repeats the message, `request_id` is in newer ones. `keys`: snake or
    camel."""
    code, message = ("error_code", "error_message") if keys == "snake" else ("errorCode", "errorMessage")
    body = {code: refusal.code, message: refusal.message, "exception": refusal.message, "request_id": request_id}
    return Answer(refusal.status, orjson.dumps(body), JSON, refusal.code)


def row_answer(row: Row, service: Service, id_number: int) -> Answer:
    """A row of the error table that is not the gateway's own speech."""
    if row.form == "service":
        message = row.message.replace("{id}", str(id_number))
        return Answer(row.status, service_says(service, row.code, message), JSON, row.name)
    return Answer(row.status, HTML_PAGE if row.form == "page" else b"", HTML, row.name)


def time_text(now_ms: int) -> str:
    """`yyyyMMddHHmmssSSS+0800`, as `system/currentTime` says it."""
    moment = datetime.fromtimestamp(now_ms // 1000, _CHINA)
    return f"{moment:%Y%m%d%H%M%S}{now_ms % 1000:03}+0800"


def found(service: Service, ids: Sequence[int], catalog: Catalog) -> bytes:
    """The envelope with what was asked for in it."""
    first = ids[0] if ids else 0
    if service is Service.PRODUCT:
        return b'{"productInfo":%b,"bizGroupInfos":%b,"errMsg":null}' % (catalog.product(first), _GROUPS)
    if service is Service.CROSS:
        return b'{"success":true,"message":null,"productInfo":%b,"bizGroupInfos":%b}' % (
            catalog.product(first),
            _GROUPS,
        )
    if service is Service.DETAIL:
        return _DETAIL % catalog.detail(first)
    if service is Service.LIST:
        products = b",".join(catalog.product(each) for each in ids if catalog.has(each))
        return b'{"success":true,"message":null,"productList":[%b]}' % products
    if service is Service.POOL:
        each = b",".join(b'{"instanceCode":"%d","productInfo":%b}' % (one, catalog.product(one)) for one in ids)
        return b'{"success":true,"result":{"success":true,"code":"200","message":null,"result":[%b]}}' % each
    return b'{"result":%b,"success":"true"}' % catalog.order(first)


def absent(service: Service, id_number: int) -> bytes:
    """How each API says that there is no such thing."""
    if service is Service.DETAIL:
        return service_says(service, "", "商品已下架")
    if service is Service.ORDER:
        return service_says(service, "", f"订单[{id_number}]不是自己的订单")
    return service_says(service, "", f"商品[{id_number}]不存在")


def service_says(service: Service, code: str, message: str) -> bytes:
    """A failure of the API's own service: HTTP 200, in its own envelope.

    Documented for `product.get`; the code of `queryProductDetail` and the order's message under it are invented.
    """
    if service is Service.PRODUCT:
        return orjson.dumps({"productInfo": None, "bizGroupInfos": None, "errMsg": message})
    if service is Service.CROSS:
        return orjson.dumps({"success": False, "message": message, "productInfo": None})
    if service in (Service.DETAIL, Service.POOL):
        return orjson.dumps({"result": {"success": False, "code": code or "404", "message": message, "result": None}})
    if service is Service.LIST:
        return orjson.dumps({"success": False, "message": message, "productList": None})
    return orjson.dumps({"result": None, "success": "false", "errorCode": code or "500", "errorMessage": message})


def as_xml(body: bytes) -> bytes:
    """JSON as XML by a rule of our own: keys become elements, lists `item` elements; null is left out. Decimals keep
    their digits."""
    value = json.loads(body, parse_float=str)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{_element("response", value)}'.encode()


def as_top_xml(body: bytes) -> bytes:
    """The same for the sister family: the only key is the root, and a list is its element repeated (documented)."""
    [(root, value)] = json.loads(body, parse_float=str).items()
    return f'<?xml version="1.0" encoding="utf-8" ?>\n{_element(root, value, repeat=True)}'.encode()


def _element(name: str, value: Any, *, repeat: bool = False) -> str:
    if value is None:
        return f"<{name}/>"
    if isinstance(value, dict):
        inner = "".join(_element(key, each, repeat=repeat) for key, each in value.items() if each is not None)
    elif isinstance(value, list):
        if repeat:
            return "".join(_element(name, each, repeat=True) for each in value)
        inner = "".join(_element("item", each) for each in value)
    elif isinstance(value, bool):
        inner = "true" if value else "false"
    else:
        inner = escape(str(value), quote=False)
    return f"<{name}>{inner}</{name}>"
