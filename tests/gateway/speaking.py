"""Gateways and replies for the tests of this room."""

from __future__ import annotations

import json
from typing import Any

from fetcher.gateway import Credentials, Family, Gateway, find_api
from fetcher.model import Item, Reply, Verdict
from fetcher.secret import Secret

BASE_URL = "https://gw.open.1688.com/openapi"
SECRET = "a-secret-of-the-app"
TOKEN = "f14da3b8-0000-4000-8000-000000000001"
ID = "610947572360"
ITEM = Item(ID, 1)


def gateway(api: str = "product", protocol: str = "param2", *, token: bool = True, **options: Any) -> Gateway:
    """A gateway for one of the APIs, under `top` where it is of that family; a full name takes the ID as `id`."""
    credentials = Credentials("1000000", Secret(SECRET), Secret(TOKEN) if token else None)
    found = find_api(api, "id" if "/" in api or "." in api else None)
    protocol = "top" if found.family is Family.TOP else protocol
    return Gateway(found, protocol, credentials, BASE_URL, **options)


def said(body: Any, status: int = 200, content_type: str = "application/json;charset=UTF-8") -> Reply:
    """A reply with that body: bytes as they are, anything else as JSON."""
    raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    return Reply(status, raw, 0.0, 0.1, content_type)


def verdict(body: Any, status: int = 200, api: str = "product", protocol: str = "param2", **options: Any) -> Verdict:
    """What that body means for `ITEM`."""
    return gateway(api, protocol).verdict(said(body, status, **options), ITEM)


def refusal(code: str, message: str = "no") -> dict[str, str]:
    """The gateway's own refusal."""
    return {"error_code": code, "error_message": message, "exception": message}
