"""One worker process of a run with several: the whole run on its part of the cap, its IDs and its sink far away.

Started by `shards`. It reads no input and writes no output but its notes of calls. When its parent has gone, it goes at
once: nobody would store what it fetches.
"""

from __future__ import annotations

import asyncio
import dataclasses
import os
import signal
import socket
import sys
from array import array
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from fetcher.clock import SystemClock
from fetcher.errors import LimitReached, OutputError
from fetcher.metrics import CapProof, Histogram, Snapshot, Specimens
from fetcher.model import Failure, Item, Outcome
from fetcher.output import AttemptLog, Disk, encode_all
from fetcher.pacing import Throttle
from fetcher.report import Screen, configure_logging
from fetcher.run.assemble import Parts, assemble, new_tally
from fetcher.run.desk import Interrupted
from fetcher.run.event_loop import with_loop
from fetcher.run.keys import Key
from fetcher.run.loop import AT_ONCE_S, Ended, Run
from fetcher.run.lot import Lot
from fetcher.run.wire import Begin, Channel, Figures, Given, Over, Slow, Stop, Stored, Want, put_of
from fetcher.secret import Redactor, Secret
from fetcher.settings import Settings, known_secrets

READ_AHEAD_S = 0.2
"""Of the cap: how many IDs it asks for at once. More would leave the others idle at the end of the input."""
LOOK_AGAIN_S = 0.01


class SentTimes(CapProof):
    """Keeps the times for the parent, who holds those of all workers against the cap."""

    def __init__(self, cap_per_s: float) -> None:
        super().__init__(cap_per_s)
        self._new = array("d")

    def sent_each(self, times_s: Sequence[float]) -> None:
        """See `CapProof`."""
        self._new.extend(times_s)

    def take(self) -> bytes:
        """The times since the last look."""
        taken, self._new = self._new, array("d")
        return taken.tobytes()


class SharedThrottle(Throttle):
    """A throttle answer to one worker is one to all: they have one key."""

    def __init__(self, key: Key, patience_s: float, tell: Callable[[Slow], None]) -> None:
        super().__init__(key.cap_per_s, patience_s)
        self._key, self._tell = key.name, tell

    def throttled(self, now_s: float, started_s: float, asked_wait_s: float | None) -> float:
        """See `Throttle`."""
        pause_s = super().throttled(now_s, started_s, asked_wait_s)
        if pause_s:
            self._tell(Slow(self._key, now_s, started_s, asked_wait_s))
        return pause_s

    def heard(self, slow: Slow) -> float:
        """Another worker was throttled. Returns the pause."""
        return super().throttled(slow.now_s, slow.started_s, slow.asked_wait_s)


class Line:
    """The run's feed and sink: both are at the other end of the channel."""

    is_anothers = True

    def __init__(self, channel: Channel, lot: Lot, ids_per_s: float) -> None:
        self._channel, self._lot = channel, lot
        self._most = max(16, int(ids_per_s * READ_AHEAD_S))
        self._given: asyncio.Future[Given] | None = None
        self._stored: asyncio.Future[None] | None = None
        self.taken = 0
        """How many lists of IDs have reached the run: it may end while one is on its way."""
        self.queued: Callable[[], int] = lambda: 0
        """How many IDs lie ready here."""

    async def read(self, n: int) -> list[Item | Failure]:
        """See `Feed`. Waits while enough lie ready: what one worker hoards the others lack."""
        while self.queued() > self._most // 2:  # noqa: ASYNC110 - an event would cost every call something
            await asyncio.sleep(LOOK_AGAIN_S)
        self._given = asyncio.get_running_loop().create_future()
        await self._channel.send(Want(min(n, self._most)))
        given = await self._given
        self.taken += 1
        return list(map(Item, given.ids, given.lines))

    async def put(self, outcomes: list[Outcome]) -> None:
        """See `roles.Sink`: returns when the parent has stored them."""
        self._stored = asyncio.get_running_loop().create_future()
        await self._channel.send(put_of(encode_all(outcomes, self._lot.lay)))
        await self._stored

    def heard(self, message: Given | Stored) -> None:
        """An answer of the parent's."""
        if isinstance(message, Given):
            if self._given is not None and not self._given.done():
                self._given.set_result(message)
        elif self._stored is not None and not self._stored.done():
            self._stored.set_result(None)

    def skipped(self) -> tuple[int, int]:
        """See `Feed`: the parent counts them."""
        return 0, 0

    def expected_total(self) -> int | None:
        """See `Feed`: the parent knows."""
        return None

    def close(self) -> None:
        """Nothing is held."""


class Worker:
    """What the process is made of."""

    def __init__(self, channel: Channel, lot: Lot, begin: Begin, learn: Callable[[Secret], None]) -> None:
        settings = Settings(**begin.settings)
        self.parts: Parts = assemble(settings, clock=SystemClock(), learn=learn)
        self.channel, self.line = channel, Line(channel, lot, self.parts.cap_per_s * self.parts.gateway.batch)
        self.keys = {key.name: key for key in self.parts.keys}
        self.sent = {key.name: SentTimes(key.cap_per_s) for key in self.parts.keys}
        self.throttles = {key.name: SharedThrottle(key, settings.max_outage_s, channel.post) for key in self.parts.keys}
        for name, key in self.keys.items():
            key.cap_proof, key.throttle = self.sent[name], self.throttles[name]
        if len(self.keys) == 1:
            self.parts.cap_proof = self.parts.keys[0].cap_proof
        self.notes = AttemptLog(begin.attempts, Disk(), process=begin.number) if begin.attempts else None
        tally = new_tally(self.parts)
        self.run = Run(self.parts, self.line, self.line, tally, self._show, notes=self.notes)
        self.line.queued = self.run.queued
        self.tally = tally
        self.has_told = False
        """How it ended."""

    def _show(self, snapshot: Snapshot) -> None:
        sent_s = {name: sent.take() for name, sent in self.sent.items()}
        self.channel.post(Figures(snapshot, self.parts.clock.monotonic_s(), sent_s))

    async def listen(self) -> None:
        """Until the parent has gone; then this process goes too, at once if it has not told how it ended."""
        while (message := await self.channel.receive()) is not None:
            if isinstance(message, Given | Stored):
                self.line.heard(message)
            elif isinstance(message, Slow):
                if pause_s := self.throttles[message.key].heard(message):
                    self.keys[message.key].pacer.pause_until(message.now_s + pause_s)
            elif isinstance(message, Stop):
                self.run.stop(Interrupted(signal.SIGINT, "the run's end"))
                if message.at_once:
                    self.run.abandon(AT_ONCE_S)
        if not self.has_told:
            os._exit(1)

    async def tell(self, over: Over) -> None:
        """The last word. Who then hung up would make the parent's next message to it fail, and with that failure the
        parent's end would forget what it has not read yet: this. So the parent hangs up."""
        self.has_told = True
        await self.channel.send(over)

    async def work(self) -> None:
        """The run, from its first ID to its last."""
        if self.notes is not None:
            self.notes.start()
        ended = await self.run.run()
        await self.parts.aclose()
        open_calls = sorted(self.notes.open) if self.notes else []
        if self.notes is not None:
            self.notes.close()
        self._show(ended.snapshot)
        await self.tell(self._over(ended, open_calls))

    def _over(self, ended: Ended, open_calls: list[str]) -> Over:
        error = ended.error
        return Over(
            error=None if error is None else (error.exit_code, str(error), error.advice),
            snapshot=ended.snapshot,
            evidence=ended.balance.evidence,
            left=self.run.left,
            open_calls=open_calls,
            latency=self.tally.latency.dump(),
            with_wait=self.tally.with_wait().dump(),
            specimens=self.tally.specimens.dump(),
            abandoned=ended.abandoned,
            taken=self.line.taken,
            limited=isinstance(error, LimitReached) and self.parts.calls_left() == 0,
            keys_out={name: str(key.retired) for name, key in self.keys.items() if key.retired is not None},
        )


async def serve(sock: socket.socket, lot: Lot) -> None:
    """Be told what to do, do it, say how it ended."""
    channel = await Channel.over(sock)
    begin = await channel.receive()
    if not isinstance(begin, Begin):
        return
    redactor = Redactor(known_secrets(Settings(**begin.settings)))
    configure_logging(begin.log_level, "json" if begin.log_format == "json" else "text", Screen(sys.stderr), redactor)
    worker = Worker(channel, lot, begin, redactor.add)
    listening = asyncio.create_task(worker.listen(), name="fetcher-line")
    try:
        await worker.work()
    except OutputError as error:
        nothing = Snapshot()
        told = (error.exit_code, str(error), error.advice)
        empty = Histogram().dump()
        await worker.tell(Over(told, nothing, "", [], [], empty, empty, Specimens().dump(), abandoned=False))
    await listening
    channel.close()


def plain(settings: Settings, **changed: Any) -> dict[str, Any]:
    """A library user's settings as plain values, secrets laid open: for the channel only."""
    values = {field.name: getattr(settings, field.name) for field in dataclasses.fields(Settings)}
    values["keys"] = [key.laid_open() for key in settings.keys]
    opened = {name: value.reveal() if hasattr(value, "reveal") else value for name, value in values.items()}
    return msgspec.to_builtins(opened | {"max_errors": None} | changed)  # type: ignore[no-any-return]


def work_for(line: int, memory: int) -> None:
    """Serve the parent at the other end of that socket; lines lie in that memory. Both are descriptors."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with_loop(serve(socket.socket(fileno=line), Lot(memory)))
