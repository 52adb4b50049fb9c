"""The sandbox as an ASGI application: reads a request, asks the desk, waits as long as latency says, sends.

A server may put a `Wire` under `scope["extensions"]["fetcher.sandbox"]`; without one, arrival is when the application
is called, and a connection that should break raises `ConnectionResetError`.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final, Protocol, TypeAlias

import orjson

from fetcher.clock import Clock, SystemClock
from fetcher.sandbox.answers import JSON, Answer
from fetcher.sandbox.desk import Desk, Incoming
from fetcher.sandbox.faults import Fault
from fetcher.sandbox.options import SandboxSettings

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]

EXTENSION: Final = "fetcher.sandbox"
OPENAPI: Final = "/openapi/"
STATS: Final = "/_sandbox/stats"
RESET: Final = "/_sandbox/reset"
MAX_FORM_BYTES: Final = 1024 * 1024
_FORM: Final = b"application/x-www-form-urlencoded"


class Wire(Protocol):
    """What a server tells and lends beyond ASGI."""

    arrived_s: float
    """Monotonic time of the request's first byte."""

    def reset(self) -> None:
        """Break the connection at once."""
        ...

    def close(self) -> None:
        """Send what is buffered, then close the connection."""
        ...


class App:
    """One sandbox. Its counts are read at `GET /_sandbox/stats` and cleared by `POST /_sandbox/reset`."""

    def __init__(self, settings: SandboxSettings, clock: Clock) -> None:
        self._clock = clock
        self._latency_s = settings.latency_ms / 1000
        self._jitter_s = settings.jitter_ms / 1000
        self._slow_s = settings.slow_ms / 1000
        self._dice = random.Random(settings.seed)
        self._desk = Desk(settings, clock)

    def stats(self) -> dict[str, Any]:
        """What was seen so far."""
        return self._desk.ledger.stats()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        path: str = scope["path"]
        if path.startswith(OPENAPI):
            await self._gateway(path[len(OPENAPI) :], scope, receive, send)
        elif path == STATS and scope["method"] == "GET":
            await _send(send, Answer(200, orjson.dumps(self.stats()), JSON, ""))
        elif path == RESET and scope["method"] == "POST":
            self._desk.reset()
            await _send(send, Answer(200, b"{}", JSON, ""))
        else:
            await _send(send, Answer(404, b'{"error_message":"no such path"}', JSON, ""))

    async def _gateway(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        wire: Wire | None = (scope.get("extensions") or {}).get(EXTENSION)
        arrived_s = self._clock.monotonic_s() if wire is None else wire.arrived_s
        self._desk.ledger.arrived(arrived_s)
        if scope["method"] not in ("GET", "POST"):
            await _send(send, Answer(405, b"", JSON, ""))
            return
        form = await _form(scope, receive) if scope["method"] == "POST" else b""
        if form is None:
            await _send(send, Answer(413, b"", JSON, ""))
            return
        # Bytes that are no UTF-8 become signs that nobody signed: the signature finds them.
        query, text = scope["query_string"].decode("utf-8", "replace"), form.decode("utf-8", "replace")
        answer, fault = self._desk.answer(Incoming(path, query, text, arrived_s))
        wait_s = self._latency_s + (self._slow_s if fault is Fault.SLOW else 0.0)
        if self._jitter_s:
            wait_s += self._jitter_s * self._dice.random()
        if wait_s:
            await asyncio.sleep(wait_s)
        if fault is Fault.RESET or fault is Fault.CUT:
            await _break(answer, fault, wire, receive, send)
        else:
            await _send(send, answer)


def create_app(settings: SandboxSettings | None = None, clock: Clock | None = None) -> App:
    """An ASGI application that behaves as the 1688 gateway does.

    Args:
        settings: what it is told; None: the defaults.
        clock: whose time limits, tokens and timestamps follow; None: the machine's.
    """
    return App(settings or SandboxSettings(), clock or SystemClock())


async def _form(scope: Scope, receive: Receive) -> bytes | None:
    """The body if it is a form, empty if it is anything else, None if it is too large."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > MAX_FORM_BYTES:
            return None
        parts.append(part)
        if not message.get("more_body", False):
            break
    for name, value in scope["headers"]:
        if name == b"content-type":
            return b"".join(parts) if value.lower().startswith(_FORM) else b""
    return b"".join(parts)


async def _send(send: Send, answer: Answer) -> None:
    await _send_head(send, answer)
    await send({"type": "http.response.body", "body": answer.body})


async def _send_head(send: Send, answer: Answer) -> None:
    headers = [(b"content-type", answer.content_type), (b"content-length", b"%d" % len(answer.body)), *answer.headers]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})


async def _break(answer: Answer, fault: Fault, wire: Wire | None, receive: Receive, send: Send) -> None:
    """No answer, or half of one, and then no connection."""
    if wire is None:
        raise ConnectionResetError("the sandbox broke the connection, as it was told to")
    if fault is Fault.CUT:
        await _send_head(send, answer)
        await send({"type": "http.response.body", "body": answer.body[: len(answer.body) // 2], "more_body": True})
        wire.close()
    else:
        wire.reset()
    # Returning before the server has noticed would make it answer 500 in our place.
    while (await receive())["type"] != "http.disconnect":
        pass
