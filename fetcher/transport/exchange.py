"""One connection of the fast lane: a request out, an answer in, nothing between the socket and the parser.

    handed out ──start──▶ in flight ──whole answer──▶ idle, or closed when it is not clean
        │                     └── broken, late, cancelled ──▶ closed
        └──release──▶ idle

Whatever happens, happens in a callback of the event loop, and ends in the one call of `done`. The usual answer, all of
it in one read and under a head like the last one, is cut out of the buffer; any other is read by llhttp. The keeper
owns the pool, the deadlines' timer and the turn for large bodies; a connection only tells it what became of itself.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Callable
from functools import partial
from math import inf
from typing import Any, Final, Protocol

import msgspec

from fetcher.clock import Clock
from fetcher.errors import Defect
from fetcher.model import Lost, NoReply, Reply, Request
from fetcher.transport.answers import AnswerReader
from fetcher.transport.contract import Done
from fetcher.transport.faults import RESET, Broken
from fetcher.transport.heads import RequestWriter
from fetcher.transport.inflate import inflate
from fetcher.transport.known_heads import LONGEST_HEAD_BYTES, KnownHead, KnownHeads

IDLE_LIMIT_S: Final = 45.0
"""Longest time without traffic after which a connection is still trusted; proxies and gateways cut at 60 s and more."""
KEEP_ALIVE_SHARE: Final = 0.8
"""Part of the time named by a `Keep-Alive: timeout=` header that is made use of."""
LARGE_BODY_BYTES: Final = 1024 * 1024
"""Size from which bodies are read one at a time, so that memory does not grow with connections times limit."""


class RawAnswer(msgspec.Struct, frozen=True, gc=False):
    """An answer as it came: all headers, the body still compressed. For callers that speak HTTP themselves."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


class Keeper(Protocol):
    """What a connection needs of the pool that it belongs to."""

    clock: Clock
    writer: RequestWriter
    max_body_bytes: int
    known_heads: KnownHeads
    watching: bool
    """The deadlines' timer runs."""

    def buffer(self) -> memoryview:
        """Where bytes arrive before they are parsed; connections may share it."""

    def opened(self, connection: FastConnection) -> None:
        """It stands."""

    def watch(self) -> None:
        """Look at deadlines as long as exchanges are under way."""

    def take_back(self, connection: FastConnection) -> None:
        """It is clean and waits for its next request."""

    def lost(self, connection: FastConnection) -> None:
        """It is closed."""

    def take_turn(self, connection: FastConnection) -> bool:
        """Whether it may read a large body now; otherwise it will be resumed."""

    def give_turn(self) -> None:
        """The large body is read, or given up."""


class FastConnection(asyncio.BufferedProtocol):
    """See `contract.Connection`. Opened and owned by `Connections`."""

    __slots__ = (
        "_alive",
        "_begun",
        "_buffer",
        "_done",
        "_idle_limit_s",
        "_idle_since_s",
        "_keeper",
        "_large",
        "_now_s",
        "_queued",
        "_raw",
        "_reader",
        "_sent",
        "_started_s",
        "_transport",
        "deadline_s",
        "held",
    )

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._now_s = keeper.clock.monotonic_s
        self._buffer = keeper.buffer()
        self._transport: Any = None
        self._reader: AnswerReader | None = None
        self._done: Callable[[Any], None] | None = None
        self._alive = self._sent = self._raw = False
        self._begun = False
        """Bytes of the answer are with the reader."""
        self._large = self._queued = False
        self._started_s = self._idle_since_s = 0.0
        self._idle_limit_s = IDLE_LIMIT_S
        self.held = False
        """It belongs to a caller who has not yet used it."""
        self.deadline_s = inf
        """Monotonic time at which the exchange is given up; infinite without one."""

    # What callers do.

    def usable(self) -> bool:
        """See `contract.Connection`. One that was silent for long is not trusted: its far end may be gone unheard."""
        return (
            self._alive and not self._transport.is_closing() and self._now_s() - self._idle_since_s < self._idle_limit_s
        )

    @property
    def taken(self) -> bool:
        """Whether a caller holds it or an exchange is on it."""
        return self.held or self._done is not None

    def release(self) -> None:
        """See `contract.Connection`."""
        if not self.held:
            return
        self.held = False
        if self.usable():
            self._keeper.take_back(self)
        else:
            self.close()

    def start(self, request: Request, timeout_s: float, done: Done) -> None:
        """See `contract.Connection`."""
        self._start(self._keeper.writer.write(request), timeout_s, done)

    async def exchange(self, request: Request, timeout_s: float) -> Reply | NoReply:
        """See `contract.Connection`."""
        return await self._awaited(self._keeper.writer.write(request), timeout_s)  # type: ignore[no-any-return]

    async def exchange_raw(self, request: bytes, timeout_s: float, *, no_body: bool = False) -> RawAnswer | NoReply:
        """The same for a request that is written down already, with all of the answer's headers.

        Args:
            no_body: the method is HEAD, whose answers tell a length and have no body.
        """
        return await self._awaited(request, timeout_s, raw=True, no_body=no_body)  # type: ignore[no-any-return]

    async def _awaited(self, data: bytes, timeout_s: float, *, raw: bool = False, no_body: bool = False) -> Any:
        waiter = asyncio.get_running_loop().create_future()
        done = partial(_tell, waiter)
        self._start(data, timeout_s, done, raw=raw, no_body=no_body)
        try:
            return await waiter
        except asyncio.CancelledError:
            # Subtle: if the answer was in already, the connection may be another's by now.
            if self._done is done:
                self._done = None
                self.close()
            raise

    def _start(
        self, data: bytes, timeout_s: float, done: Callable[[Any], None], *, raw: bool = False, no_body: bool = False
    ) -> None:
        if not self.held:
            raise Defect("a connection was used by one who did not hold it")
        self.held = False
        self._started_s = started_s = self._now_s()
        reader, transport = self._reader, self._transport
        if not self._alive or reader is None or transport.is_closing():
            lost = self._no_reply(Lost.DISCONNECTED, "the connection was closed before it was used", False)
            asyncio.get_running_loop().call_soon(done, lost)
            self.close()
            return
        self._done, self._raw = done, raw
        self.deadline_s = started_s + timeout_s
        if raw:
            reader.expect(keep_headers=True, no_body=no_body)
        transport.write(data)
        # Subtle: a transport that tried to write at once and failed is closing now, and nothing of this request left.
        self._sent = not transport.is_closing()
        if not self._keeper.watching:
            self._keeper.watch()

    # What the keeper does.

    def give_up(self) -> None:
        """The deadline has passed."""
        limit_s = self.deadline_s - self._started_s
        self._fail(Lost.TIMEOUT, f"no whole answer within {limit_s:g} s")

    def resume(self) -> bool:
        """It is this connection's turn to read a large body. False when it no longer wants to."""
        if not self._queued:
            return False
        self._queued, self._large = False, True
        self._transport.resume_reading()
        return True

    def close(self, why: str = "the transport was closed") -> None:
        """Close now, without ceremony: nothing that matters is left to be written."""
        self._alive = False
        if self._done is not None:
            self._deliver(self._no_reply(Lost.DISCONNECTED, why, self._sent))
        self._end_turn()
        self.deadline_s = inf
        if self._transport is not None:
            self._transport.abort()

    # What the event loop does.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands, TLS included."""
        self._transport = transport
        self._reader = AnswerReader(self._keeper.max_body_bytes)
        self._alive = True
        self._idle_since_s = self._now_s()
        self._keeper.opened(self)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where the next bytes go."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Bytes are in the buffer."""
        reader, known = self._reader, self._keeper.known_heads.last
        if self._done is None or reader is None:
            self.close()  # nobody asked: whatever it is, it would be taken for the answer to the next request
            return
        if known is not None and not self._begun and not self._raw:
            head = known.match(self._buffer, 0, nbytes)
            if head and head.end() + int(head["length"]) == nbytes and self._cut_out(known, head, nbytes):
                return
        try:
            whole = reader.feed(self._buffer[:nbytes])
        except Broken as broken:
            self._fail(broken.kind, broken.detail)
            return
        if whole and not self._begun and not self._raw:
            self._keeper.known_heads.learn(bytes(self._buffer[: min(nbytes, LONGEST_HEAD_BYTES)]), reader)
        self._begun = True
        if whole:
            self._answered(reader)
        elif reader.held_bytes > LARGE_BODY_BYTES and not self._large and not self._queued:
            self._large = self._keeper.take_turn(self)
            if not self._large:
                self._queued = True
                self._transport.pause_reading()

    def eof_received(self) -> bool:
        """The far end sends no more: the end of a body without a length, or of all hope."""
        self._alive = False
        reader = self._reader
        if self._done is not None and reader is not None and self._end_is_meant() and reader.end():
            self._answered(reader)
        return False  # the transport closes itself, and tells so in `connection_lost`

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is gone, by whoever's doing."""
        self._alive = False
        if self._done is not None:
            begun = self._reader is not None and self._reader.held_bytes > 0
            how = RESET if isinstance(error, ConnectionResetError) else "closed"
            where = "within the answer" if begun else "before an answer came"
            self._deliver(self._no_reply(Lost.DISCONNECTED, f"the connection was {how} {where}", self._sent))
        self._end_turn()
        self.deadline_s = inf
        self._reader = None  # reader and parser know each other: let go of both
        self._keeper.lost(self)

    # What comes of it.

    def _cut_out(self, known: KnownHead, head: re.Match[bytes], end: int) -> bool:
        """All of an answer is in the buffer, framed like one that was read before. False: it is too large."""
        start = head.end()
        if end - start > self._keeper.max_body_bytes:
            return False
        body = bytes(self._buffer[start:end])
        if known.encoding:
            try:
                body = inflate(known.encoding, body, self._keeper.max_body_bytes)
            except Broken as broken:
                self._fail(broken.kind, broken.detail)
                return True
        self._idle_since_s = ended_s = self._now_s()
        date = head["date"].decode("latin-1") if known.has_date else None
        reply = Reply(known.status, body, self._started_s, ended_s, known.content_type, known.retry_after, date)
        self._finish(reply, known.keep_alive, reusable=True)
        return True

    def _answered(self, reader: AnswerReader) -> None:
        """The reader has all of an answer."""
        try:
            result = self._result(reader)
        except Broken as broken:
            self._fail(broken.kind, broken.detail)
            return
        keep_alive, reusable = reader.keep_alive, reader.reusable
        self._begun = False
        if self._alive and reusable:
            reader.expect()  # now, so that no idle connection holds a body
        self._end_turn()
        self._finish(result, keep_alive, reusable=reusable)

    def _finish(self, result: Reply | RawAnswer, keep_alive: bytes, *, reusable: bool) -> None:
        """Idle again, or closed; then say so."""
        done, self._done = self._done, None
        self.deadline_s = inf
        # An answer may come before all of the request has left; the rest of it must not reach the next exchange.
        if self._alive and reusable and not self._transport.get_write_buffer_size():
            if keep_alive:
                self._idle_limit_s = min(IDLE_LIMIT_S, _promised_s(keep_alive) * KEEP_ALIVE_SHARE)
            self._keeper.take_back(self)
        else:
            self.close()
        if done is not None:
            done(result)

    def _end_is_meant(self) -> bool:
        """Whether the far end itself ended the stream: in TLS it says so, or anyone on the way may have cut it.

        asyncio reports both alike, but a read past an announced end brings nothing, past another it wants more.
        """
        tls = self._transport.get_extra_info("ssl_object")
        try:
            return tls is None or not tls.read(1)
        except ssl.SSLError:
            return False

    def _result(self, reader: AnswerReader) -> Reply | RawAnswer:
        body = reader.body()
        if self._raw:
            return RawAnswer(reader.status, reader.headers or [], body)
        if reader.encoding:
            body = inflate(reader.encoding, body, self._keeper.max_body_bytes)
        self._idle_since_s = ended_s = self._now_s()
        return Reply(
            reader.status, body, self._started_s, ended_s, reader.content_type, reader.retry_after, reader.date
        )

    def _fail(self, kind: Lost, detail: str) -> None:
        if self._done is not None:
            self._deliver(self._no_reply(kind, detail, self._sent))
        self.close()

    def _no_reply(self, kind: Lost, detail: str, sent: bool) -> NoReply:
        return NoReply(kind, sent, detail, self._started_s, self._now_s())

    def _deliver(self, lost: NoReply) -> None:
        """Nothing more will come of it."""
        done, self._done = self._done, None
        self._alive = False
        if done is not None:
            done(lost)

    def _end_turn(self) -> None:
        self._queued = False
        if self._large:
            self._large = False
            self._keeper.give_turn()


def _tell(waiter: asyncio.Future[Any], result: Any) -> None:
    if not waiter.done():
        waiter.set_result(result)


def _promised_s(keep_alive: bytes) -> float:
    """Seconds of `timeout=N` in a `Keep-Alive` header; our own limit where it names none."""
    for word in keep_alive.split(b","):
        name, _, number = word.strip().partition(b"=")
        if name.lower() == b"timeout" and number.isdigit() and len(number) < 10:
            return float(number)
    return IDLE_LIMIT_S / KEEP_ALIVE_SHARE
