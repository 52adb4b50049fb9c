"""Calls as a client would make them, signed by hand so that neither side's signing is taken on trust."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx

from fetcher.sandbox import SandboxSettings, create_app
from fetcher.sandbox.app import App
from tests.fakes import StillClock

KEY = "1000000"
SECRET = "sandbox-secret"
PRODUCT = "com.alibaba.product/alibaba.product.get"
GUIDE_PATH = f"/openapi/param2/1/{PRODUCT}"
ID = "610947572360"
SITE = {"webSite": "1688"}


def signature(text: str, secret: str = SECRET) -> str:
    """HMAC-SHA1, upper-case hex."""
    return hmac.new(secret.encode(), text.encode(), hashlib.sha1).hexdigest().upper()


def url_path(api: str = PRODUCT, key: str = KEY) -> str:
    """What param2 signs in front of the parameters."""
    return f"param2/1/{api}/{key}"


def signed(params: Mapping[str, str], path: str, secret: str = SECRET) -> dict[str, str]:
    """The parameters with their param2 signature."""
    text = path + "".join(sorted(key + value for key, value in params.items()))
    return {**params, "_aop_signature": signature(text, secret)}


def guide_params(secret: str = SECRET, **more: str) -> dict[str, str]:
    """A call after the tutorial, its time that of `StillClock(0)`."""
    params = {
        "app_key": KEY,
        "method": "alibaba.product.get",
        "timestamp": "1795000000",
        "format": "json",
        "v": "2.0",
        "productId": ID,
        **more,
    }
    text = "".join(key + params[key] for key in sorted(params))
    return {**params, "sign": signature(text, secret)}


class Caller:
    """A client of one sandbox on a clock that stands until it is turned."""

    def __init__(self, app: App, client: httpx.AsyncClient, clock: StillClock) -> None:
        self.app = app
        self.client = client
        self.clock = clock

    async def call(
        self, params: Mapping[str, str] | None = None, *, api: str = PRODUCT, key: str = KEY, secret: str = SECRET
    ) -> httpx.Response:
        """A signed param2 call by POST; for a product unless told otherwise."""
        path = url_path(api, key)
        given = {"productID": ID, **SITE} if params is None else params
        return await self.client.post(f"/openapi/{path}", data=signed(given, path, secret))

    async def product(self, product_id: str = ID, **more: str) -> httpx.Response:
        """A signed call for this product."""
        return await self.call({"productID": product_id, **SITE, **more})

    async def guide(self, params: Mapping[str, str] | None = None) -> httpx.Response:
        """A call after the tutorial."""
        return await self.client.get(GUIDE_PATH, params=params or guide_params())


@asynccontextmanager
async def sandbox(**settings: Any) -> AsyncIterator[Caller]:
    """A sandbox without a socket. No product is absent unless it is asked for."""
    clock = StillClock()
    app = create_app(SandboxSettings(**{"absent": 0.0, **settings}), clock)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as client:
        yield Caller(app, client, clock)


def refusal(response: httpx.Response) -> tuple[int, str]:
    """Status and code, once the body is as a gateway's error body is."""
    body = response.json()
    assert set(body) == {"error_code", "error_message", "exception", "request_id"}
    assert body["exception"] == body["error_message"]
    return response.status_code, body["error_code"]
