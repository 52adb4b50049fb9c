"""The fast lane as an `httpx.AsyncBaseTransport`: httpx's interface without its connection pool.

    async with httpx.AsyncClient(transport=FetcherTransport()) as client: ...

Requests go out once, with the headers that httpx gave them; answers come back with theirs, but already inflated: then
`Content-Encoding` is gone. Failures are httpx's own exceptions. The read timeout is the deadline of the whole
exchange, and bodies are read whole before they are handed on.
"""

from __future__ import annotations

import ssl
from typing import Final

import httpx

from fetcher.clock import Clock, SystemClock
from fetcher.model import Lost, NoReply
from fetcher.transport.contract import CONNECT_TIMEOUT_S, MAX_BODY_BYTES
from fetcher.transport.exchange import RawAnswer
from fetcher.transport.fast import FastTransport
from fetcher.transport.faults import RESET, Broken
from fetcher.transport.inflate import inflate
from fetcher.transport.origin import DEFAULT_PORTS, Origin
from fetcher.transport.tls import client_context

NO_DEADLINE_S: Final = 1e9
_FRAMING: Final = frozenset({b"transfer-encoding", b"content-length"})
_OF_COMPRESSION: Final = _FRAMING | {b"content-encoding"}
_ERRORS: Final[dict[Lost, type[httpx.TransportError]]] = {
    Lost.DNS: httpx.ConnectError,
    Lost.REFUSED: httpx.ConnectError,
    Lost.CONNECT: httpx.ConnectError,
    Lost.TLS: httpx.ConnectError,
    Lost.TIMEOUT: httpx.ReadTimeout,
    Lost.DISCONNECTED: httpx.RemoteProtocolError,
    Lost.MALFORMED: httpx.RemoteProtocolError,
    Lost.TOO_LARGE: httpx.ReadError,
}


class FetcherTransport(httpx.AsyncBaseTransport):
    """The fast lane for any number of origins, under any `httpx.AsyncClient`.

    Args:
        clock: the machine's by default.
        connect_timeout_s: where the client's timeout names none.
        max_body_bytes: longest body, as sent and inflated; beyond it `httpx.ReadError`.
        ca_file: PEM file of the authorities to trust in place of Mozilla's.
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        connect_timeout_s: float = CONNECT_TIMEOUT_S,
        max_body_bytes: int = MAX_BODY_BYTES,
        ca_file: str | None = None,
    ) -> None:
        self._clock = clock or SystemClock()
        self._connect_timeout_s, self._max_body_bytes, self._ca_file = connect_timeout_s, max_body_bytes, ca_file
        self._lanes: dict[Origin, FastTransport] = {}
        self._context: ssl.SSLContext | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """See `httpx.AsyncBaseTransport`."""
        body = await request.aread()
        data = _written(request, body)
        timeouts = request.extensions.get("timeout", {})
        connection = await self._lane(request).ready(timeouts.get("connect"))
        if isinstance(connection, NoReply):
            raise _error(connection, request)
        deadline_s = timeouts.get("read")
        no_body = request.method == "HEAD"
        answer = await connection.exchange_raw(
            data, NO_DEADLINE_S if deadline_s is None else deadline_s, no_body=no_body
        )
        if isinstance(answer, NoReply):
            raise _error(answer, request)
        if not no_body:
            answer = self._inflated(answer, request)
        return httpx.Response(
            answer.status,
            headers=answer.headers,
            stream=httpx.ByteStream(answer.body),
            extensions={"http_version": b"HTTP/1.1"},
        )

    def _inflated(self, answer: RawAnswer, request: httpx.Request) -> RawAnswer:
        """The answer without compression, and without the headers that speak of it.

        httpx would inflate by itself, but without a limit, without asking for the end, and of several gzip members only
        the first.
        """
        encoding = b", ".join(value for name, value in answer.headers if name.lower() == b"content-encoding")
        if not encoding:
            return answer
        try:
            body = inflate(encoding.decode("latin-1"), answer.body, self._max_body_bytes)
        except Broken as broken:
            kind = httpx.ReadError if broken.kind is Lost.TOO_LARGE else httpx.DecodingError
            raise kind(broken.detail, request=request) from None
        headers = [(name, value) for name, value in answer.headers if name.lower() not in _OF_COMPRESSION]
        return RawAnswer(answer.status, [*headers, (b"Content-Length", b"%d" % len(body))], body)

    def _lane(self, request: httpx.Request) -> FastTransport:
        url = request.url
        if url.scheme not in DEFAULT_PORTS or not url.raw_host:
            raise httpx.UnsupportedProtocol("only http:// and https:// are spoken", request=request)
        origin = Origin(url.scheme, url.raw_host.decode("ascii"), url.port or DEFAULT_PORTS[url.scheme])
        lane = self._lanes.get(origin)
        if lane is None:
            if origin.secure and self._context is None:
                self._context = client_context(self._ca_file)
            lane = self._lanes[origin] = FastTransport(
                origin,
                clock=self._clock,
                connect_timeout_s=self._connect_timeout_s,
                max_body_bytes=self._max_body_bytes,
                context=self._context,
            )
        return lane

    async def aclose(self) -> None:
        """Close all connections."""
        lanes, self._lanes = self._lanes, {}
        for lane in lanes.values():
            await lane.aclose()


def _written(request: httpx.Request, body: bytes) -> bytes:
    """The request as bytes, with httpx's own headers; a body of unknown length has a known one by now."""
    lines = [(name, value) for name, value in request.headers.raw if name.lower() not in _FRAMING]
    if body or any(name.lower() in _FRAMING for name, _ in request.headers.raw):
        lines.append((b"Content-Length", b"%d" % len(body)))
    method, target = request.method.encode("ascii", "replace"), request.url.raw_path
    head = [b"%b %b HTTP/1.1" % (method, target), *(b"%b: %b" % line for line in lines)]
    if any(b"\r" in line or b"\n" in line or b"\0" in line for line in head) or b" " in target or not method.isalpha():
        raise httpx.LocalProtocolError("the request is not fit for HTTP/1.1", request=request)
    return b"\r\n".join([*head, b"", body])


def _error(lost: NoReply, request: httpx.Request) -> httpx.TransportError:
    kind = _ERRORS[lost.kind]
    if lost.kind is Lost.DISCONNECTED and RESET in lost.detail:
        kind = httpx.ReadError  # httpx tells a connection that was torn from one that was closed too early
    if not lost.sent:
        kind = httpx.ConnectTimeout if lost.kind is Lost.TIMEOUT else httpx.ConnectError
    return kind(lost.detail, request=request)
