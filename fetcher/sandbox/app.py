"""The sandbox as an ASGI application: reads a request, asks the desk, waits as long as latency says, sends.

`/openapi/…` is the gateway, `/router/rest` the sister family's, `/oauth/authorize` the page for the member. Beside
them: `GET /_sandbox/stats`, `POST /_sandbox/reset`, and `POST /_sandbox/change` with a `changes.Change` as JSON.

A server may put a `Wire` under `scope["extensions"]["fetcher.sandbox"]`; without one, arrival is when the application
is called, and a connection that should break raises `ConnectionResetError`.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any, Final, Protocol, TypeAlias

import orjson

from fetcher.clock import Clock, SystemClock
from fetcher.errors import UsageError
from fetcher.sandbox.answers import HTML, JSON, Answer
from fetcher.sandbox.changes import Change
from fetcher.sandbox.desk import Desk, Incoming
from fetcher.sandbox.faults import Fault
from fetcher.sandbox.oauth import AUTHORISE, OLD_AUTHORISE, Page
from fetcher.sandbox.options import SandboxSettings

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]

EXTENSION: Final = "fetcher.sandbox"
OPENAPI: Final = "/openapi/"
ROUTER: Final = "/router/rest"
STATS: Final = "/_sandbox/stats"
RESET: Final = "/_sandbox/reset"
CHANGE: Final = "/_sandbox/change"
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
    """One sandbox."""

    def __init__(self, settings: SandboxSettings, clock: Clock, changes: Sequence[Change] = ()) -> None:
        self._clock = clock
        self._dice = random.Random(settings.seed)
        self._desk = Desk(settings, clock, changes)

    def stats(self) -> dict[str, Any]:
        """What was seen so far."""
        return self._desk.stats()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        path: str = scope["path"]
        if path.startswith(OPENAPI) or path == ROUTER:
            await self._gateway(path, scope, receive, send)
        elif path in (AUTHORISE, OLD_AUTHORISE) and scope["method"] == "GET":
            await _send(send, _as_answer(self._desk.authorise(path, scope["query_string"].decode("utf-8", "replace"))))
        else:
            await _send(send, await self._control(path, scope, receive))

    async def _control(self, path: str, scope: Scope, receive: Receive) -> Answer:
        """The pages for whoever runs the sandbox."""
        asked = (scope["method"], path)
        if asked == ("GET", STATS):
            return Answer(200, orjson.dumps(self.stats()), JSON, "")
        if asked == ("POST", RESET):
            self._desk.reset()
            return Answer(200, b"{}", JSON, "")
        if asked == ("POST", CHANGE):
            try:
                self._desk.change(await _body(receive) or b"")
            except UsageError as error:
                return Answer(400, orjson.dumps({"error_message": str(error)}), JSON, "")
            return Answer(200, b"{}", JSON, "")
        return Answer(404, b'{"error_message":"no such path"}', JSON, "")

    async def _gateway(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        wire: Wire | None = (scope.get("extensions") or {}).get(EXTENSION)
        arrived_s = self._clock.monotonic_s() if wire is None else wire.arrived_s
        self._desk.arrived(arrived_s)
        if scope["method"] not in ("GET", "POST"):
            await _send(send, Answer(405, b"", JSON, ""))
            return
        form = await _form(scope, receive) if scope["method"] == "POST" else b""
        if form is None:
            await _send(send, Answer(413, b"", JSON, ""))
            return
        # Bytes that are no UTF-8 become signs that nobody signed: the signature finds them.
        query, text = scope["query_string"].decode("utf-8", "replace"), form.decode("utf-8", "replace")
        incoming = Incoming(path.removeprefix(OPENAPI), query, text, arrived_s)
        answer, fault = self._desk.answer(incoming, top=path == ROUTER)
        settings = self._desk.settings
        wait_s = (settings.latency_ms + (settings.slow_ms if fault is Fault.SLOW else 0.0)) / 1000
        if settings.jitter_ms:
            wait_s += settings.jitter_ms / 1000 * self._dice.random()
        if wait_s:
            await asyncio.sleep(wait_s)
        if fault is Fault.RESET or fault is Fault.CUT:
            await _break(answer, fault, wire, receive, send)
        else:
            await _send(send, answer)


def create_app(
    settings: SandboxSettings | None = None, clock: Clock | None = None, changes: Sequence[Change] = ()
) -> App:
    """An ASGI application that behaves as the 1688 gateway does.

    Args:
        settings: what it is told; None: the defaults.
        clock: whose time limits, tokens and timestamps follow; None: the machine's.
        changes: what changes, and when.
    """
    return App(settings or SandboxSettings(), clock or SystemClock(), changes)


def _as_answer(page: Page) -> Answer:
    headers = ((b"location", page.location.encode()),) if page.location else ()
    return Answer(page.status, page.html.encode(), HTML, "", headers)


async def _form(scope: Scope, receive: Receive) -> bytes | None:
    """The body if it is a form, empty if it is anything else, None if it is too large."""
    body = await _body(receive)
    if body is None:
        return None
    for name, value in scope["headers"]:
        if name == b"content-type":
            return body if value.lower().startswith(_FORM) else b""
    return body


async def _body(receive: Receive) -> bytes | None:
    """All of it, None if it is too large."""
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
