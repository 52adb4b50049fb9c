"""Any httpx client behind the contract: what httpx leaves open is closed here."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import respx

from fetcher.clock import SystemClock
from fetcher.errors import UsageError
from fetcher.model import Lost, NoReply, Reply, Request
from fetcher.transport import HttpxTransport, default_client
from tests.transport.conftest import REQUEST
from tests.transport.raw_server import answering, plain, raw_server
from tests.transport.scripts import BODY, LIMIT, gzipped

ORIGIN = "http://gateway.example"


def over(client: httpx.AsyncClient, origin: str = ORIGIN) -> HttpxTransport:
    return HttpxTransport(client, origin, clock=SystemClock(), max_body_bytes=LIMIT)


def mocked(handler: Callable[[httpx.Request], Any]) -> HttpxTransport:
    return over(httpx.AsyncClient(transport=httpx.MockTransport(handler)))


async def ask(transport: HttpxTransport, request: Request = REQUEST, timeout_s: float = 2) -> Reply | NoReply:
    connection = await transport.ready()
    assert not isinstance(connection, NoReply)
    return await connection.exchange(request, timeout_s)


async def test_a_mock_sees_the_request_as_it_was_signed() -> None:
    """Method, target and body to the byte."""
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, content=BODY, headers={"Content-Type": "application/json"})

    transport = mocked(handler)
    target = "/openapi/x?a=%2F%E8%BF%9E+b&c=*~"
    reply = await ask(transport, Request("POST", target, b"a=1&b=%20"))
    assert isinstance(reply, Reply)
    assert (reply.body, reply.content_type) == (BODY, "application/json")
    assert seen[0].url.raw_path == target.encode()
    assert seen[0].content == b"a=1&b=%20"
    assert seen[0].headers["content-type"].startswith("application/x-www-form-urlencoded")
    assert seen[0].headers["host"] == "gateway.example"
    await transport.client.aclose()


async def test_respx_routes(respx_mock: respx.MockRouter) -> None:
    """The usual way to test code that speaks httpx."""
    route = respx_mock.post(f"{ORIGIN}/openapi/param2/1/x/y/1").mock(
        side_effect=[httpx.Response(200, content=BODY), httpx.ConnectError("no"), httpx.Response(503)]
    )
    async with httpx.AsyncClient() as client:
        transport = over(client)
        first, second, third = [await ask(transport) for _ in range(3)]
        assert isinstance(first, Reply)
        assert first.body == BODY
        assert isinstance(second, NoReply)
        assert (second.kind, second.sent) == (Lost.CONNECT, False)
        assert isinstance(third, Reply)
        assert third.status == 503
    assert route.call_count == 3


@pytest.mark.parametrize(
    ("packed", "kind"),
    [(gzipped(BODY)[:-4], Lost.MALFORMED), (gzipped(bytes(LIMIT * 20)), Lost.TOO_LARGE)],
)
async def test_compression_is_checked_for_mocks_too(packed: bytes, kind: Lost) -> None:
    """httpx itself would hand out a truncated body as a clean one, and a bomb as it comes."""

    async def body() -> Any:
        yield packed

    transport = mocked(lambda _: httpx.Response(200, headers={"Content-Encoding": "gzip"}, content=body()))
    lost = await ask(transport)
    assert isinstance(lost, NoReply)
    assert (lost.kind, lost.sent) == (kind, True)
    await transport.client.aclose()


def chained(cause: BaseException) -> httpx.ConnectError:
    error = httpx.ConnectError(f"{ORIGIN}/?access_token=s3cr3t")
    error.__cause__ = OSError("All connection attempts failed")
    error.__cause__.__cause__ = cause
    return error


SECRET = f"{ORIGIN}/?access_token=s3cr3t"


@pytest.mark.parametrize(
    ("error", "kind", "sent", "permanent"),
    [
        (httpx.ConnectTimeout(SECRET), Lost.TIMEOUT, False, False),
        (httpx.PoolTimeout(SECRET), Lost.TIMEOUT, False, False),
        (httpx.UnsupportedProtocol(SECRET), Lost.CONNECT, False, True),
        (httpx.ProxyError(SECRET), Lost.CONNECT, False, False),
        (httpx.ConnectError(SECRET), Lost.CONNECT, False, False),
        (chained(ConnectionRefusedError(111, SECRET)), Lost.REFUSED, False, False),
        (chained(ExceptionGroup("two", [ConnectionRefusedError(111, SECRET)])), Lost.REFUSED, False, False),
        (chained(socket.gaierror(socket.EAI_NONAME, SECRET)), Lost.DNS, False, False),
        (chained(ssl.SSLCertVerificationError(1, SECRET)), Lost.TLS, False, True),
        (chained(ssl.SSLError(1, SECRET)), Lost.TLS, False, False),
        (httpx.ReadTimeout(SECRET), Lost.TIMEOUT, True, False),
        (httpx.WriteTimeout(SECRET), Lost.TIMEOUT, True, False),
        (httpx.ReadError(SECRET), Lost.DISCONNECTED, True, False),
        (httpx.WriteError(SECRET), Lost.DISCONNECTED, True, False),
        (httpx.RemoteProtocolError("Server disconnected without sending a response."), Lost.DISCONNECTED, True, False),
        (httpx.RemoteProtocolError("illegal status line " + SECRET), Lost.MALFORMED, True, False),
    ],
)
async def test_exceptions_become_values(error: httpx.HTTPError, kind: Lost, sent: bool, permanent: bool) -> None:
    """Each with its kind; `sent` is False only where nothing left; no text of an exception is repeated."""

    def handler(request: httpx.Request) -> httpx.Response:
        raise error

    transport = mocked(handler)
    lost = await ask(transport)
    assert isinstance(lost, NoReply)
    assert (lost.kind, lost.sent, lost.permanent) == (kind, sent, permanent)
    assert "s3cr3t" not in lost.detail
    assert "gateway.example" not in lost.detail
    assert transport.in_use == 0
    await transport.client.aclose()


async def test_a_body_that_stops_coming_is_given_up_in_all() -> None:
    """httpx counts its timeouts anew for every piece."""
    closed = []

    class Slow(httpx.AsyncByteStream):
        async def __aiter__(self) -> Any:
            for _ in range(1000):
                yield b"x"
                await asyncio.sleep(0.01)

        async def aclose(self) -> None:
            closed.append(True)

    transport = mocked(lambda _: httpx.Response(200, stream=Slow()))
    lost = await ask(transport, timeout_s=0.05)
    assert isinstance(lost, NoReply)
    assert (lost.kind, lost.sent) == (Lost.TIMEOUT, True)
    assert closed == [True]
    await transport.client.aclose()


async def test_no_redirect_is_followed_and_no_cookie_kept() -> None:
    """Whatever the client was told: a 307 would carry the signed body elsewhere."""
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(307, headers={"Location": "http://evil.example/", "Set-Cookie": "a=b"})

    client = httpx.AsyncClient(transport=httpx.MockTransport(handler), follow_redirects=True)
    transport = over(client)
    for _ in range(2):
        reply = await ask(transport)
        assert isinstance(reply, Reply)
        assert reply.status == 307
    assert len(seen) == 2
    assert "cookie" not in seen[1].headers
    await client.aclose()


async def test_the_clients_own_timeout_does_not_cut_in() -> None:
    """Ours is the deadline: httpx's default of 5 seconds is for browsers."""
    seen: list[Any] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request.extensions["timeout"])
        return httpx.Response(200)

    transport = mocked(handler)
    await ask(transport, timeout_s=30)
    assert seen == [{"connect": 5.0, "read": 30, "write": 30, "pool": 30}]
    await transport.client.aclose()


async def test_a_client_that_was_handed_over_stays_open() -> None:
    """It belongs to its maker; once that has closed it, there are no connections."""
    client = httpx.AsyncClient()
    transport = over(client)
    await transport.aclose()
    assert not client.is_closed
    await client.aclose()
    lost = await transport.ready()
    assert isinstance(lost, NoReply)
    assert not lost.sent


async def test_the_default_client_keeps_no_cookies_and_asks_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that a variable names would see every signed request."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    async with raw_server(answering(plain(b"ok", "Set-Cookie: a=b; Path=/"))) as server, default_client() as client:
        transport = over(client, server.origin)
        for _ in range(2):
            assert isinstance(await ask(transport), Reply)
        assert server.connections == 1
        assert not any(b"cookie" in request.lower() for request in server.requests)
        assert all(b"\r\nuser-agent: fetcher/" in request.lower() for request in server.requests)
        assert len(client.cookies) == 0


async def test_a_proxy_is_used_where_it_is_named() -> None:
    """A request for http:// goes to it with the whole URL."""
    async with (
        raw_server(answering(plain(b"ok"))) as proxy,
        default_client(proxy=f"http://user:pa55@127.0.0.1:{proxy.port}") as client,
    ):
        assert isinstance(await ask(over(client)), Reply)
        assert proxy.requests[0].startswith(b"POST http://gateway.example/openapi/")
        assert b"\r\nproxy-authorization: basic " in proxy.requests[0].lower()


async def test_variables_of_the_environment_are_taken_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only then."""
    async with raw_server(answering(plain(b"ok"))) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        async with default_client(trust_env=True) as client:
            assert isinstance(await ask(over(client)), Reply)
        assert len(proxy.requests) == 1


def test_a_missing_library_is_a_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command that installs it."""
    import sys

    monkeypatch.setitem(sys.modules, "h2", None)
    with pytest.raises(UsageError, match="h2") as caught:
        default_client(http2=True)
    assert "pip install" in caught.value.advice


def test_a_proxy_that_is_none_is_a_usage_error() -> None:
    """Its URL may hold a password and is not shown."""
    with pytest.raises(UsageError) as caught:
        default_client(proxy="gopher://user:s3cr3t@host")
    assert "s3cr3t" not in str(caught.value)


async def test_logging_is_not_touched() -> None:
    """httpx's own log line is for the program's logging to redact: nothing is set for the whole process."""
    before = {name: logging.getLogger(name).level for name in ("httpx", "httpcore", "")}
    transport = mocked(lambda _: httpx.Response(200))
    await ask(transport)
    assert {name: logging.getLogger(name).level for name in before} == before
    await transport.client.aclose()
