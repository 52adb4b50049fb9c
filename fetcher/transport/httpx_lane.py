"""Any `httpx.AsyncClient` behind the room's contract: proxies, HTTP/2, mounts, a test's mock.

httpx keeps the connections, so `ready` hands out a token only. What httpx leaves open is added here: a deadline for the
whole exchange, limits, and compression that is checked to its end. Slower than the fast lane by two orders of
magnitude; httpx also logs each URL at level INFO, which is the caller's logging to redact.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterable
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Final, cast

import httpx

from fetcher.clock import Clock
from fetcher.errors import Defect, UsageError
from fetcher.model import Lost, NoReply, Reply, Request
from fetcher.transport.contract import CONNECT_TIMEOUT_S, HEADER_LINE_BYTES, HEADERS_BYTES, MAX_BODY_BYTES, Done
from fetcher.transport.faults import Broken, Fault, connect_fault
from fetcher.transport.heads import USER_AGENT
from fetcher.transport.inflate import accept_encoding, inflate
from fetcher.transport.origin import parse_origin
from fetcher.transport.tls import client_context

ALWAYS_ENOUGH: Final = 1 << 30
_ENDS_EARLY: Final = ("Server disconnected", "peer closed connection")
"""How httpcore and h11 begin to tell a closed connection from a broken answer; both are RemoteProtocolError."""


def default_client(
    *, proxy: str | None = None, trust_env: bool = False, http2: bool = False, ca_file: str | None = None
) -> httpx.AsyncClient:
    """A client that does not do more than it is told: no redirects, no cookies, no environment unless asked for.

    Raises:
        UsageError: a library for HTTP/2 or SOCKS is missing, the proxy is not sound, or the file cannot be read.
    """
    context: ssl.SSLContext = client_context(ca_file)
    try:
        return httpx.AsyncClient(
            verify=context,
            proxy=proxy,
            trust_env=trust_env,
            http2=http2,
            headers={"User-Agent": USER_AGENT},
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=None),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            follow_redirects=False,
        )
    except ImportError:
        missing = "HTTP/2 needs the library h2" if http2 else "a SOCKS proxy needs the library socksio"
        raise UsageError(missing, f"pip install 'httpx[{'http2' if http2 else 'socks'}]'") from None
    except (ValueError, httpx.InvalidURL):
        raise UsageError("the proxy's URL is not sound (it is not shown)", "It looks like http://host:port.") from None


class HttpxTransport:
    """See `contract.Transport`.

    Args:
        client: is used as it is configured, its cookies, redirects and timeouts apart.
        origin: `https://host[:port]`.
        owns_client: close the client together with the transport.

    Raises:
        UsageError: the origin is not sound.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        origin: str,
        *,
        clock: Clock,
        connect_timeout_s: float = CONNECT_TIMEOUT_S,
        max_body_bytes: int = MAX_BODY_BYTES,
        owns_client: bool = False,
    ) -> None:
        self.client, self.clock = client, clock
        self.origin = str(parse_origin(origin))
        self.connect_timeout_s, self.max_body_bytes = connect_timeout_s, max_body_bytes
        self.in_use = 0
        """See `contract.Transport`."""
        self.tasks: set[asyncio.Task[Reply | NoReply]] = set()
        """Exchanges that somebody started and does not wait for."""
        self._owns_client = owns_client

    @property
    def idle(self) -> int:
        """Connections are httpx's own matter: nobody has to wait for one."""
        return 0 if self.client.is_closed else ALWAYS_ENOUGH

    def take(self) -> HttpxConnection | None:
        """See `contract.Transport`. Connecting is part of the exchange here."""
        if self.client.is_closed:
            return None
        self.in_use += 1
        return HttpxConnection(self)

    async def open(self) -> NoReply | None:
        """See `contract.Transport`."""
        return self._is_closed() if self.client.is_closed else None

    def _is_closed(self) -> NoReply:
        now_s = self.clock.monotonic_s()
        return NoReply(Lost.CONNECT, False, "the transport is closed", now_s, now_s)

    async def ready(self) -> HttpxConnection | NoReply:
        """See `contract.Transport`."""
        return self.take() or self._is_closed()

    async def aclose(self) -> None:
        """See `contract.Transport`. A client that was handed over stays open: it belongs to its maker."""
        for task in list(self.tasks):
            task.cancel()
        if self.tasks:
            await asyncio.wait(self.tasks)
        if self._owns_client:
            await self.client.aclose()


class HttpxConnection:
    """See `contract.Connection`: the right to one exchange through the client."""

    def __init__(self, transport: HttpxTransport) -> None:
        self._transport = transport
        self._held = True

    def usable(self) -> bool:
        """See `contract.Connection`."""
        return self._held and not self._transport.client.is_closed

    def release(self) -> None:
        """See `contract.Connection`."""
        if self._held:
            self._held = False
            self._transport.in_use -= 1

    def start(self, request: Request, timeout_s: float, done: Done) -> None:
        """See `contract.Connection`. A task each: beside what httpx does it costs nothing."""
        if not self._held:
            raise Defect("a connection was used by one who did not hold it")
        tasks, now_s = self._transport.tasks, self._transport.clock.monotonic_s
        started_s = now_s()

        def ended(task: asyncio.Task[Reply | NoReply]) -> None:
            tasks.discard(task)
            self.release()
            if task.cancelled():
                done(NoReply(Lost.DISCONNECTED, True, "the transport was closed", started_s, now_s()))
            else:
                done(task.result())

        task = asyncio.get_running_loop().create_task(self.exchange(request, timeout_s), name="fetcher-httpx")
        tasks.add(task)
        task.add_done_callback(ended)

    async def exchange(self, request: Request, timeout_s: float) -> Reply | NoReply:
        """See `contract.Connection`."""
        if not self._held:
            raise Defect("a connection was used by one who did not hold it")
        clock = self._transport.clock
        started_s = clock.monotonic_s()

        def lost(kind: Lost, detail: str, sent: bool = True, permanent: bool = False) -> NoReply:
            return NoReply(kind, sent, detail, started_s, clock.monotonic_s(), permanent)

        try:
            if self._transport.client.is_closed:
                return lost(Lost.DISCONNECTED, "the transport was closed", sent=False)
            async with asyncio.timeout(timeout_s):
                return await self._exchange(request, timeout_s, started_s)
        except TimeoutError:
            return lost(Lost.TIMEOUT, f"no whole answer within {timeout_s:g} s")
        except Broken as broken:
            return lost(broken.kind, broken.detail)
        except httpx.HTTPError as error:
            fault, sent = _fault(error)
            return lost(fault.kind, fault.detail, sent, fault.permanent)
        finally:
            self.release()

    async def _exchange(self, request: Request, timeout_s: float, started_s: float) -> Reply:
        transport, client = self._transport, self._transport.client
        response = await client.send(self._built(request, timeout_s), stream=True, follow_redirects=False)
        try:
            if response.status_code < 200:
                raise Broken(Lost.MALFORMED, f"status {response.status_code} was not to be expected")
            _check_headers(response.headers.raw)
            body = await _raw_body(response, transport.max_body_bytes)
        finally:
            await response.aclose()
        headers = response.headers
        body = inflate(headers.get("content-encoding", ""), body, transport.max_body_bytes)
        return Reply(
            response.status_code,
            body,
            started_s,
            transport.clock.monotonic_s(),
            headers.get("content-type", ""),
            headers.get("retry-after"),
            headers.get("date"),
        )

    def _built(self, request: Request, timeout_s: float) -> httpx.Request:
        headers = {"Accept-Encoding": accept_encoding(), "Accept": "*/*"}
        if request.body:
            headers["Content-Type"] = request.content_type
        transport = self._transport
        built = transport.client.build_request(
            request.method,
            transport.origin + request.target,
            content=request.body or None,
            headers=headers,
            timeout=httpx.Timeout(timeout_s, connect=min(transport.connect_timeout_s, timeout_s)),
        )
        built.headers.pop("Cookie", None)
        return built


def _check_headers(headers: list[tuple[bytes, bytes]]) -> None:
    sizes = [len(name) + len(value) + 4 for name, value in headers]
    if max(sizes, default=0) > HEADER_LINE_BYTES:
        raise Broken(Lost.TOO_LARGE, f"a header line of over {HEADER_LINE_BYTES} bytes")
    if sum(sizes) > HEADERS_BYTES:
        raise Broken(Lost.TOO_LARGE, f"over {HEADERS_BYTES} bytes of headers")


async def _raw_body(response: httpx.Response, max_bytes: int) -> bytes:
    """The body as it was sent. Read from the stream itself: `aiter_raw` refuses bodies that a mock gave as bytes."""
    pieces, size = [], 0
    async for piece in cast("AsyncIterable[bytes]", response.stream):
        size += len(piece)
        if size > max_bytes:
            raise Broken(Lost.TOO_LARGE, f"a body of over {max_bytes} bytes")
        pieces.append(piece)
    return b"".join(pieces)


def _fault(error: httpx.HTTPError) -> tuple[Fault, bool]:
    """httpx's exception as a fault, and whether anything may have been sent. Its text may carry the URL: not used."""
    match error:
        case httpx.ConnectTimeout():
            return Fault(Lost.TIMEOUT, "no connection in time"), False
        case httpx.PoolTimeout():
            return Fault(Lost.TIMEOUT, "the client's pool had no connection in time"), False
        case httpx.UnsupportedProtocol():
            return Fault(Lost.CONNECT, "the client does not speak this scheme", permanent=True), False
        case httpx.ConnectError():
            return connect_fault(error), False
        case httpx.ProxyError():  # raised while the tunnel is being made, before the request
            return Fault(Lost.CONNECT, "the proxy refused the connection"), False
        case httpx.TimeoutException():
            return Fault(Lost.TIMEOUT, "the answer stopped coming"), True
        case httpx.RemoteProtocolError() if not str(error).startswith(_ENDS_EARLY):
            return Fault(Lost.MALFORMED, "the answer is not sound HTTP"), True
        case httpx.DecodingError():
            return Fault(Lost.MALFORMED, "the body's compression is corrupt"), True
        case _:
            return Fault(Lost.DISCONNECTED, "the connection was closed before the answer was whole"), True
