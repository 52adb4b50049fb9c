"""The fast lane under `httpx.AsyncClient`."""

from __future__ import annotations

import gzip
import socket
from typing import Any

import httpx
import pytest

from fetcher.clock import SystemClock
from fetcher.model import Reply
from fetcher.transport import FetcherTransport, HttpxTransport
from tests.transport.conftest import REQUEST, Certificates
from tests.transport.raw_server import Handler, answering, plain, raw_server, silent
from tests.transport.scripts import BODY, BROKEN, GOOD, LIMIT, Script


def client_over(**options: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=FetcherTransport(max_body_bytes=LIMIT, **options))


@pytest.mark.parametrize("script", GOOD, ids=lambda script: script.name)
async def test_a_sound_answer(script: Script) -> None:
    """Status and body, without framing and compression."""
    async with raw_server(answering(script.answer, close=script.close)) as server, client_over() as client:
        headers = {"Accept-Encoding": "gzip, deflate, zstd"}
        response = await client.post(server.origin, content=b"a=b", headers=headers)
        assert (response.status_code, response.content) == (script.status, script.body)


@pytest.mark.parametrize("script", BROKEN, ids=lambda script: script.name)
async def test_a_broken_answer(script: Script) -> None:
    """Is one of httpx's own exceptions, and never a response."""
    async with raw_server(answering(script.answer, close=script.close)) as server, client_over() as client:
        with pytest.raises((httpx.TransportError, httpx.DecodingError)) as caught:
            await client.get(f"{server.origin}/?access_token=s3cr3t")
        assert "s3cr3t" not in str(caught.value)


async def test_headers_pass_both_ways() -> None:
    """As httpx and the server gave them, repeated ones included."""
    answer = plain(b"ok", "X-One: 1", "Set-Cookie: a=b", "Set-Cookie: c=d")
    async with raw_server(answering(answer)) as server, client_over() as client:
        sent = [("X-Mine", "1"), ("X-Mine", "2"), ("User-Agent", "me")]
        response = await client.get(f"{server.origin}/path?q=%E8%BF%9E", headers=sent)
        assert response.headers.raw == [
            (b"Content-Length", b"2"),
            (b"X-One", b"1"),
            (b"Set-Cookie", b"a=b"),
            (b"Set-Cookie", b"c=d"),
        ]
        assert dict(client.cookies) == {"a": "b", "c": "d"}
        assert response.http_version == "HTTP/1.1"
        request = server.requests[0]
        assert request.startswith(b"GET /path?q=%E8%BF%9E HTTP/1.1\r\n")
        assert request.count(b"X-Mine: ") == 2
        assert f"Host: 127.0.0.1:{server.port}\r\n".encode() in request
        assert b"Content-Length" not in request


async def test_compressed_bodies_arrive_inflated() -> None:
    """With headers that fit them: httpx would read only the first of two gzip members, and think it whole."""
    packed = gzip.compress(BODY[:9]) + gzip.compress(BODY[9:])
    answer = plain(packed, "Content-Encoding: gzip", "X-One: 1")
    async with raw_server(answering(answer)) as server, client_over() as client:
        response = await client.get(server.origin)
        assert response.headers.raw == [(b"X-One", b"1"), (b"Content-Length", b"%d" % len(BODY))]
        assert response.json()["productInfo"]["productID"] == 610947572360


async def test_a_streamed_request_has_a_length() -> None:
    """It is read first, so that a server need not understand chunks."""

    async def pieces() -> Any:
        yield b"one"
        yield b"two"

    async with raw_server(answering(plain(b"ok"))) as server, client_over() as client:
        await client.post(server.origin, content=pieces())
        head, _, body = server.requests[0].partition(b"\r\n\r\n")
        assert (b"content-length: 6" in head.lower(), b"chunked" in head.lower(), body) == (True, False, b"onetwo")


async def test_head_has_no_body() -> None:
    """Its length is that of another answer."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\nContent-Encoding: gzip\r\n\r\n"
    async with raw_server(answering(answer)) as server, client_over() as client:
        for _ in range(2):
            response = await client.head(server.origin)
            assert (response.status_code, response.content) == (200, b"")
            assert response.headers["content-length"] == "500"


async def test_each_origin_has_its_connections() -> None:
    """Which are used again."""
    async with (
        raw_server(answering(plain(b"one"))) as one,
        raw_server(answering(plain(b"two"))) as two,
        client_over() as client,
    ):
        for _ in range(3):
            assert (await client.get(one.origin)).text == "one"
            assert (await client.get(two.origin)).text == "two"
        assert (one.connections, two.connections) == (1, 1)


async def test_tls(certificates: Certificates) -> None:
    """Verified by the named authorities; else a ConnectError."""
    async with raw_server(answering(plain(b"ok")), certificates.server_context()) as server:
        url = f"https://localhost:{server.port}"
        async with client_over(ca_file=certificates.certificate) as client:
            assert (await client.get(url)).text == "ok"
        async with client_over() as client:
            with pytest.raises(httpx.ConnectError, match="certificate"):
                await client.get(url)


@pytest.mark.parametrize(
    ("handler", "error"),
    [(silent, httpx.ReadTimeout), (answering(b"", close=True), httpx.RemoteProtocolError)],
)
async def test_failures_have_httpx_names(handler: Handler, error: type[Exception]) -> None:
    """So that code that handles httpx's failures handles these."""
    async with raw_server(handler) as server, client_over() as client:
        with pytest.raises(error) as caught:
            await client.get(server.origin, timeout=0.05)
        assert isinstance(caught.value, httpx.RequestError)
        assert caught.value.request.url.port == server.port


async def test_no_connection_has_httpx_names() -> None:
    """Refused connections and other schemes."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    async with client_over() as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(f"http://127.0.0.1:{port}")
        with pytest.raises(httpx.UnsupportedProtocol):
            await client.get("ftp://127.0.0.1/")


@pytest.mark.parametrize("headers", [{"X": "a\r\nY: b"}, {"X\n": "a"}])
async def test_nothing_breaks_out_of_its_line(headers: dict[str, str]) -> None:
    """Nothing is sent."""
    async with raw_server(silent) as server, client_over() as client:
        with pytest.raises(httpx.LocalProtocolError):
            await client.get(server.origin, headers=headers)
        assert server.requests == []


async def test_our_lane_over_httpx_over_our_lane() -> None:
    """The two adapters fit together."""
    async with raw_server(answering(plain(gzip.compress(BODY), "Content-Encoding: gzip"))) as server:
        client = httpx.AsyncClient(transport=FetcherTransport())
        transport = HttpxTransport(client, server.origin, clock=SystemClock(), owns_client=True)
        connection: Any = await transport.ready()
        reply = await connection.exchange(REQUEST, 2)
        assert isinstance(reply, Reply)
        assert reply.body == BODY
        await transport.aclose()
