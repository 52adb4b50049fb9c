"""A transport without sockets: the far end is a script. The contract's own tests hold it to the contract."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from fetcher.clock import Clock
from fetcher.errors import Defect
from fetcher.model import Lost, NoReply, Reply, Request
from fetcher.transport.answers import AnswerReader
from fetcher.transport.faults import Broken
from fetcher.transport.inflate import inflate
from tests.transport.scripts import LIMIT, Script

SILENCE = Script("silence", b"", None, lost=Lost.TIMEOUT)


class FakeTransport:
    """Every exchange gets the script's answer; `unreachable` makes it refuse connections."""

    def __init__(self, script: Script, clock: Clock) -> None:
        self.script, self.clock = script, clock
        self.requests: list[Request] = []
        self.unreachable: Lost | None = None
        self.in_use = self.idle = 0
        self.closing = asyncio.Event()

    def take(self) -> FakeConnection | None:
        if not self.idle:
            return None
        self.idle -= 1
        self.in_use += 1
        return FakeConnection(self)

    async def open(self) -> NoReply | None:
        now_s = self.clock.monotonic_s()
        if self.unreachable is not None or self.closing.is_set():
            return NoReply(self.unreachable or Lost.CONNECT, False, "no connection", now_s, now_s)
        self.idle += 1
        return None

    async def ready(self) -> FakeConnection | NoReply:
        return await self.open() or self.take()  # type: ignore[return-value]

    async def aclose(self) -> None:
        self.idle = 0
        self.closing.set()


class FakeConnection:
    def __init__(self, transport: FakeTransport) -> None:
        self._transport = transport
        self._held = True

    def usable(self) -> bool:
        return self._held and not self._transport.closing.is_set()

    def release(self) -> None:
        if self._held:
            self._held = False
            self._transport.in_use -= 1

    def start(self, request: Request, timeout_s: float, done: Callable[[Reply | NoReply], None]) -> None:
        task = asyncio.ensure_future(self.exchange(request, timeout_s))
        task.add_done_callback(lambda task: done(task.result()))

    async def exchange(self, request: Request, timeout_s: float) -> Reply | NoReply:
        transport, clock = self._transport, self._transport.clock
        if not self._held:
            raise Defect("a connection was used by one who did not hold it")
        started_s = clock.monotonic_s()
        try:
            if transport.closing.is_set():
                return NoReply(Lost.DISCONNECTED, False, "closed", started_s, clock.monotonic_s())
            transport.requests.append(request)
            return await self._answer(started_s, timeout_s)
        finally:
            self.release()

    async def _answer(self, started_s: float, timeout_s: float) -> Reply | NoReply:
        transport = self._transport

        def lost(kind: Lost, detail: str) -> NoReply:
            return NoReply(kind, True, detail, started_s, transport.clock.monotonic_s())

        if transport.script is SILENCE:
            try:
                await asyncio.wait_for(transport.closing.wait(), timeout_s)
            except TimeoutError:
                return lost(Lost.TIMEOUT, "no answer in time")
            return lost(Lost.DISCONNECTED, "closed")
        await asyncio.sleep(0)
        try:
            return self._read(transport.script, started_s)
        except Broken as broken:
            return lost(broken.kind, broken.detail)

    def _read(self, script: Script, started_s: float) -> Reply:
        reader: Any = AnswerReader(LIMIT)
        if not reader.feed(script.answer) and not (script.close and reader.end()):
            raise Broken(Lost.DISCONNECTED, "closed within the answer")
        body = inflate(reader.encoding, reader.body(), LIMIT)
        ended_s = self._transport.clock.monotonic_s()
        return Reply(reader.status, body, started_s, ended_s, reader.content_type, reader.retry_after, reader.date)
