"""What people do with an `httpx.AsyncClient`, done over the fast lane: nothing of it needs httpx's own engine."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from fetcher.transport import FetcherTransport
from tests.transport.raw_server import Far, RawServer, answering, chunked, plain, raw_server, silent
from tests.transport.scripts import BODY, encoded, gzipped


@asynccontextmanager
async def client_of(handler: Any, **options: Any) -> AsyncIterator[tuple[httpx.AsyncClient, RawServer]]:
    """A client over the fast lane, its base the server's origin."""
    async with (
        raw_server(handler) as server,
        httpx.AsyncClient(transport=FetcherTransport(), base_url=server.origin, **options) as client,
    ):
        yield client, server


async def test_event_hooks() -> None:
    """Requests and responses pass by them; a hook may raise."""
    seen: list[str] = []

    async def before(request: httpx.Request) -> None:
        seen.append(request.method)
        request.headers["X-Hooked"] = "yes"

    async def after(response: httpx.Response) -> None:
        seen.append(str(response.status_code))
        response.raise_for_status()

    hooks = {"request": [before], "response": [after]}
    async with client_of(answering(plain(b"no", status="503 Busy")), event_hooks=hooks) as (client, server):
        with pytest.raises(httpx.HTTPStatusError, match="503"):
            await client.get("/")
        assert seen == ["GET", "503"]
        assert b"X-Hooked: yes" in server.requests[0]


async def test_reading_as_a_stream() -> None:
    """Bytes, text, lines and raw, and leaving before the end."""
    answers = answering(chunked(b"one\ntw", b"o\nthree"))
    async with client_of(answers) as (client, server):
        async with client.stream("GET", "/") as response:
            assert [line async for line in response.aiter_lines()] == ["one", "two", "three"]
        async with client.stream("GET", "/") as response:
            assert b"".join([piece async for piece in response.aiter_bytes(4)]) == b"one\ntwo\nthree"
            assert response.num_bytes_downloaded == 13
        async with client.stream("GET", "/") as response:
            assert b"".join([piece async for piece in response.aiter_raw()]) == b"one\ntwo\nthree"
        async with client.stream("GET", "/") as response:
            with pytest.raises(httpx.ResponseNotRead):
                _ = response.text
        assert server.connections == 1


async def test_a_compressed_stream_comes_inflated() -> None:
    """And its headers speak of what comes."""
    async with (
        client_of(answering(encoded("gzip", gzipped(BODY)))) as (client, _),
        client.stream("GET", "/") as response,
    ):
        assert await response.aread() == BODY
        assert response.headers["content-length"] == str(len(BODY))


async def test_a_read_timeout() -> None:
    """Is httpx's, and the deadline of the whole exchange."""

    async def drip(far: Far) -> None:
        await far.request()
        await far.say(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n")
        for _ in range(200):
            await far.say(b"x")
            await asyncio.sleep(0.02)

    for handler in (silent, drip):
        async with client_of(handler, timeout=httpx.Timeout(5, read=0.1)) as (client, _):
            with pytest.raises(httpx.ReadTimeout):
                await client.get("/")


async def test_a_connect_timeout() -> None:
    """A listener whose queue is full lets nobody in: after the time for connecting it is httpx's ConnectTimeout."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        held = []
        for _ in range(4):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(address)
            held.append(one)
        try:
            async with httpx.AsyncClient(transport=FetcherTransport()) as client:
                with pytest.raises(httpx.ConnectTimeout):
                    await client.get(f"http://127.0.0.1:{address[1]}", timeout=httpx.Timeout(5, connect=0.1))
        finally:
            for one in held:
                one.close()


async def test_no_timeout_at_all() -> None:
    """`timeout=None` waits for as long as it takes."""

    async def late(far: Far) -> None:
        await far.request()
        await asyncio.sleep(0.12)
        await far.say(plain(b"ok"))

    async with client_of(late, timeout=None) as (client, _):
        assert (await client.get("/")).text == "ok"


async def test_basic_auth() -> None:
    """From a call, or from the URL, where it does not stay."""
    async with client_of(answering(plain(b"ok"))) as (client, server):
        await client.get("/", auth=("me", "pass"))
        await client.get(f"http://you:word@127.0.0.1:{server.port}/")
        assert b"Authorization: Basic bWU6cGFzcw==" in server.requests[0]
        assert b"Authorization: Basic eW91OndvcmQ=" in server.requests[1]
        assert b"you:word" not in server.requests[1].partition(b"\r\n")[0]


async def test_an_auth_flow_of_several_requests() -> None:
    """A scheme that answers a challenge, body included."""

    class Challenge(httpx.Auth):
        requires_response_body = True

        def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
            response = yield request
            if response.status_code == 401:
                request.headers["Authorization"] = response.text
                yield request

    answers = answering(plain(b"nonce-7", status="401 Unauthorized"), plain(b"ok"))
    async with client_of(answers, auth=Challenge()) as (client, server):
        assert (await client.post("/", data={"a": "b"})).text == "ok"
        assert b"Authorization: nonce-7" in server.requests[1]
        assert all(request.endswith(b"\r\n\r\na=b") for request in server.requests)


async def test_digest_auth() -> None:
    """httpx's own: challenge, then the answer to it."""
    challenge = plain(b"", 'WWW-Authenticate: Digest realm="r", qop="auth", nonce="n"', status="401 Unauthorized")
    async with client_of(answering(challenge, plain(b"ok")), auth=httpx.DigestAuth("me", "pass")) as (client, server):
        assert (await client.get("/path")).status_code == 200
        assert b'username="me", realm="r", nonce="n", uri="/path"' in server.requests[1]


async def test_cookies_are_kept_by_the_client() -> None:
    """Set by one answer, sent with the next request, and expired again."""
    gone = "Set-Cookie: session=; Max-Age=0; Path=/"
    answers = answering(plain(b"", "Set-Cookie: session=7; Path=/"), plain(b"", gone), plain(b""))
    async with client_of(answers) as (client, server):
        for _ in range(3):
            await client.get("/")
        assert [b"Cookie: session=7" in request for request in server.requests] == [False, True, False]


async def test_redirects_are_followed_by_the_client_and_only_if_it_wants() -> None:
    """303 becomes a GET without a body, 307 keeps both, and the history is there."""
    answers = answering(
        plain(b"", "Location: /two", status="307 Temporary"),
        plain(b"", "Location: three?x=1", status="303 See Other"),
        plain(b"ok"),
    )
    async with client_of(answers) as (client, server):
        response = await client.post("/one", content=b"body", follow_redirects=True)
        assert (response.text, response.url.path, len(response.history)) == ("ok", "/three", 2)
        lines = [request.partition(b" HTTP")[0] for request in server.requests]
        assert lines == [b"POST /one", b"POST /two", b"GET /three?x=1"]
        assert server.requests[1].endswith(b"body")
        assert not server.requests[2].endswith(b"body")
    async with client_of(answering(plain(b"", "Location: /two", status="302 Found"))) as (client, server):
        assert (await client.get("/")).is_redirect
        with pytest.raises(httpx.TooManyRedirects):
            await client.get("/", follow_redirects=True)


async def test_forms_json_and_files() -> None:
    """Bodies as httpx writes them, with their lengths."""
    async with client_of(answering(plain(b"{}"))) as (client, server):
        await client.post("/", data={"a": "连衣裙"})
        await client.post("/", json={"a": 1})
        await client.post("/", files={"file": ("a.txt", b"text")})
        await client.put("/", content=b"")
        form, json, files, nothing = server.requests
        assert form.endswith(b"\r\n\r\na=%E8%BF%9E%E8%A1%A3%E8%A3%99")
        assert json.endswith(b'\r\n\r\n{"a":1}')
        assert b'filename="a.txt"' in files
        assert b"Content-Length: 0" in nothing


async def test_many_at_once() -> None:
    """Each caller gets its own answer."""

    async def echo(far: Far) -> None:
        while True:
            await far.say(plain((await far.request()).split(b" ")[1]))

    async with client_of(echo) as (client, server):
        answers = await asyncio.gather(*(client.get(f"/{k}") for k in range(100)))
        assert [answer.text for answer in answers] == [f"/{k}" for k in range(100)]
        assert server.connections <= 100
        assert (await client.get("/again")).elapsed.total_seconds() < 5


async def test_mounted_beside_another_transport() -> None:
    """For one host the fast lane, for the rest what the client has."""
    async with raw_server(answering(plain(b"fast"))) as server:
        elsewhere = httpx.MockTransport(lambda request: httpx.Response(200, text="mock"))
        async with httpx.AsyncClient(transport=elsewhere, mounts={"http://127.0.0.1": FetcherTransport()}) as client:
            assert (await client.get(server.origin)).text == "fast"
            assert (await client.get("http://elsewhere.example/")).text == "mock"


async def test_a_cancelled_request_leaves_the_client_usable() -> None:
    """Its connection is closed, the next request has another."""

    async def first_silent(far: Far) -> None:
        await far.request()
        if far.number == 1:
            await far.wait_for_end()
        await far.say(plain(b"ok"))

    async with client_of(first_silent) as (client, server):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await client.get("/")
        assert (await client.get("/")).text == "ok"
        assert server.connections == 2
