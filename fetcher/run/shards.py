"""`--processes N`: one run in several processes. The parent reads, writes, keeps the books; the workers fetch.

    IDS ─▶ parent ──IDs──▶ worker 1 … N   each the whole pipeline on its part of the cap
    OUT ◀─ parent ◀─lines─ worker 1 … N

The cap is leased out in whole parts whose sum is the cap: since no worker's second holds more than its part, no second
of all together holds more than the cap, with not one message about permits. The first worker begins alone until the
gateway has taken a call, so a wrong key costs one call here too. A throttle answer to one slows all. There is one
writer, so OUT keeps every promise that it has in one process; a worker that dies leaves its IDs to be done.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
from array import array
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any, Final

import msgspec

from fetcher.clock import Clock
from fetcher.errors import Defect, FetcherError, LimitReached, TooManyErrors
from fetcher.metrics import Books, Course, Histogram, PoolProof, Snapshot, Specimens, Story, Tally
from fetcher.model import Item
from fetcher.run.dispatch import limit_words
from fetcher.run.feed import Feed
from fetcher.run.loop import Ended, too_many
from fetcher.run.lot import Lot, make_memory
from fetcher.run.peer import Peer
from fetcher.run.roles import CallNotes
from fetcher.run.shard import plain
from fetcher.run.sink import FileSink
from fetcher.run.steering import Overseen
from fetcher.run.wire import Begin, Channel, Figures, Over, Put, Slow, Stop, Want
from fetcher.settings import CommandSettings, settings_of_keys

TICK_S: Final = 0.25
END_S: Final = 2.0
"""How long a worker that was told to end at once may take to say how it ended."""
_SUMS: Final = (
    *("fetched", "failed", "failed_permanent", "queued", "in_flight", "waiting", "left"),
    *("started", "attempts", "unsent", "retries", "throttles", "paused_s", "paid_doubts", "bytes_in", "bytes_out"),
    *("lease_exchanges", "slots_missed"),
    *("rate_per_s", "mean_rate_per_s", "done_per_s", "rate_now_per_s"),
)
_LARGEST: Final = ("latency_p50_s", "latency_p90_s", "latency_p99_s", "latency_max_s", "latency_mean_s")


class Shards:
    """One run in `settings.processes` processes. Make it, `await run()` once.

    Args:
        settings: of the run as a whole.
        clock: the machine's.
        feed: where the IDs come from.
        sink: the output files.
        notes: of the parent: what earlier runs left in doubt; None where calls are not noted.
        attempts: OUT's path, beside which each worker notes its calls; None: nowhere.
    """

    def __init__(
        self,
        settings: CommandSettings,
        clock: Clock,
        feed: Feed,
        sink: FileSink,
        notes: CallNotes | None,
        attempts: str | None,
    ) -> None:
        self._settings, self._clock, self._feed, self._sink = settings, clock, feed, sink
        self._notes, self._attempts = notes, attempts
        self._peers: list[Peer] = []
        self._reading = asyncio.Lock()
        self._taken = asyncio.Event()
        self._error: FetcherError | None = None
        self._abandoned = False
        self._books = Books()
        self._caps_per_s = {name: own.qps for name, own in settings_of_keys(settings)} or {"": settings.qps}
        self._keys_out: dict[str, str] = {}
        self._tally = Tally(self._cap_per_s, clock.monotonic_s(), settings.price)
        self._started_s = clock.monotonic_s()
        self._course = Course()
        self._latency, self._with_wait = Histogram(), Histogram()
        self._specimens = Specimens()
        self._input_ended = self._limited = False
        self._decided = self._failed = 0
        self.cap_proof = PoolProof(self._caps_per_s)
        self.open_calls: list[str] = []
        """Noted by workers, and neither answered nor stored at the end."""

    @property
    def _cap_per_s(self) -> float:
        """Of all keys that still take part."""
        return sum(cap_per_s for name, cap_per_s in self._caps_per_s.items() if name not in self._keys_out)

    def stop(self, error: FetcherError) -> None:
        """Start nothing more, finish what is in flight, end with `error`. The first reason stands."""
        if self._error is None:
            self._error = error
            for peer in self._living():
                peer.channel.post(Stop(at_once=False))
            self._taken.set()

    def steering(self) -> Overseen:
        """What can be asked of it while it goes."""
        return Overseen(self.snapshot, self.stop, self._settings.processes)

    def abandon(self) -> None:
        """End now."""
        self._abandoned = True
        for peer in self._living():
            peer.channel.post(Stop(at_once=True))
            asyncio.get_running_loop().call_later(END_S, _kill, peer.process)

    def _living(self) -> list[Peer]:
        return [peer for peer in self._peers if peer.over is None]

    async def run(self, show: Callable[[Snapshot], FetcherError | None]) -> Ended:
        """Until every ID has its outcome or the run is stopped."""
        for number in range(1, self._settings.processes + 1):
            self._peers.append(await self._start(number))
        ticking = asyncio.create_task(self._tick(show), name="fetcher-tick")
        try:
            async with asyncio.TaskGroup() as tasks:
                for peer in self._peers:
                    tasks.create_task(self._attend(peer))
        finally:
            ticking.cancel()
            for peer in self._peers:
                peer.channel.close()
                peer.lot.close()
                _kill(peer.process)
                await peer.process.wait()
        return self._conclude()

    async def _start(self, number: int) -> Peer:
        near, far = socket.socketpair()
        memory = make_memory()
        with far:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                # A random.py in the user's folder must not be taken for Python's, unless ours came from there too.
                *(() if str(Path.cwd()) in sys.path else ("-P",)),
                "-m",
                "fetcher.run",
                str(far.fileno()),
                str(memory),
                pass_fds=(far.fileno(), memory),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                start_new_session=True,  # a Ctrl-C in the terminal is the parent's to hear
            )
        channel = await Channel.over(near)
        level = logging.getLogger("fetcher").getEffectiveLevel()
        channel.post(Begin(number, self._part(number), self._attempts, level, self._settings.log_format))
        return Peer(number, channel, process, Lot(memory))

    def _part(self, number: int) -> dict[str, Any]:
        """The settings of one worker: its part of everything that is limited, and the whole of what is leased."""
        settings, n = self._settings, self._settings.processes
        calls, concurrency = settings.calls_allowed, settings.concurrency
        part = calls if calls is None or settings.share_limits else _part(calls, n, number)

        def pace(cap_per_s: float) -> float:
            return float(_part(int(cap_per_s), n, number)) if settings.share_cap is None else cap_per_s

        return plain(
            settings,
            qps=pace(settings.qps),
            keys=[key.laid_open() | {"qps": pace(key.qps or settings.qps)} for key in settings.keys],
            max_calls=part,
            max_cost=None,
            price=None,
            concurrency=None if concurrency is None else max(1, _part(concurrency, n, number)),
        )

    async def _attend(self, peer: Peer) -> None:
        """Do what a worker asks for, until it is over."""
        try:
            while peer.over is None:
                message = await peer.channel.receive()
                if message is None:
                    self._died(peer)
                    return
                await self._answer(peer, message)
        except FetcherError as error:  # the input cannot be read on, the disk refuses
            self.stop(error)
            self.abandon()
            await self._drain(peer)

    async def _answer(self, peer: Peer, message: Any) -> None:
        if isinstance(message, Want):
            await self._give(peer, message.n)
        elif isinstance(message, Put):
            await self._store(peer, message)
        elif isinstance(message, Figures):
            self._noted(peer, message)
        elif isinstance(message, Slow):
            for other in self._living():
                if other is not peer:
                    other.channel.post(message)
        elif isinstance(message, Over):
            self._ended(peer, message)

    async def _drain(self, peer: Peer) -> None:
        """After an error of ours: only how it ended is still of interest."""
        while peer.over is None:
            message = await peer.channel.receive()
            if message is None:
                self._died(peer)
                return
            if isinstance(message, Over):
                self._ended(peer, message)

    def _ended(self, peer: Peer, over: Over) -> None:
        self._books.left(peer.ended(over))
        peer.channel.close()
        self._latency.merge(Histogram.load(over.latency))
        self._with_wait.merge(Histogram.load(over.with_wait))
        self._specimens.merge(over.specimens)
        self._keys_out |= over.keys_out
        self.open_calls += over.open_calls
        self._taken.set()
        if over.error is not None and self._error is None:
            if over.limited:
                self._limited = True
            else:
                self.stop(Ending(*over.error))
        if over.evidence:
            self.stop(Defect(f"the books of process {peer.number} do not balance: {over.evidence}"))

    def _died(self, peer: Peer) -> None:
        peer.died()
        self._taken.set()
        self.stop(
            Defect(f"worker process {peer.number} has died; its IDs stay to be done", "run the same command again")
        )

    async def _give(self, peer: Peer, n: int) -> None:
        if peer.number > 1:
            await self._taken.wait()
        items: list[Item] = []
        async with self._reading:
            while not items and self._error is None and not self._input_ended:
                found = await self._feed.read(n)
                self._input_ended = not found
                self._books.read(one.id for one in found)
                items = [one for one in found if isinstance(one, Item)]
                bad = [one for one in found if not isinstance(one, Item)]
                if bad:
                    await self._sink.put([*bad])
                    self._tally.bad(len(bad))
                    self._books.failed(one.id for one in bad)
                    self._count(0, len(bad))
        peer.give(items)

    async def _store(self, peer: Peer, put: Put) -> None:
        encoded = peer.lines(put)
        await self._sink.put_encoded(encoded)
        self._books.fetched(encoded.fetched)
        self._books.failed(encoded.failed)
        if self._notes is not None:
            self._notes.stored([*encoded.fetched, *encoded.failed])
        peer.stored(len(encoded.fetched), len(encoded.failed))
        self._taken.set()
        self._count(len(encoded.fetched), len(encoded.failed))

    def _count(self, fetched: int, failed: int) -> None:
        self._failed += failed
        self._decided += fetched + failed
        limit = self._settings.max_errors
        if failed and limit is not None and too_many(limit, self._failed, self._decided):
            self.stop(
                TooManyErrors(
                    f"{self._failed}, and --max-errors is {limit}",
                    "look at the failed file, correct the cause, then run the same command again",
                )
            )

    def _noted(self, peer: Peer, figures: Figures) -> None:
        peer.snapshot, peer.heard_s = figures.snapshot, figures.now_s
        for name, data in figures.sent_s.items():
            peer.times.setdefault(name, []).extend(array("d", data))

    def _prove(self, until_s: float) -> None:
        """Hold the times of all workers against the cap, as far as all are known."""
        known = [peer.take_times(until_s) for peer in self._peers]
        self.cap_proof.sent({name: sorted(chain(*(each.get(name, ()) for each in known))) for name in self._caps_per_s})

    async def _tick(self, show: Callable[[Snapshot], FetcherError | None]) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            if living := self._living():
                self._prove(min(peer.heard_s for peer in living))
            if (reason := show(self.snapshot())) is not None:
                self.stop(reason)

    def snapshot(self, *, last: bool = False) -> Snapshot:
        """The figures of all together."""
        now_s = self._clock.monotonic_s()
        known, duplicates = self._feed.skipped()
        parts = [self._tally.snapshot(now_s), *(peer.snapshot for peer in self._peers)]
        sums: dict[str, Any] = {name: sum(getattr(part, name) for part in parts) for name in _SUMS}
        sums |= {name: max(getattr(part, name) for part in parts) for name in _LARGEST}
        for name in ("failed_by_kind", "results"):
            counted: dict[str, int] = {}
            for part in parts:
                for key, count in getattr(part, name).items():
                    counted[key] = counted.get(key, 0) + count
            sums[name] = counted
        handed = sum(part.read for part in parts)
        total = handed + known if last or self._input_ended else self._feed.expected_total()
        elapsed_s = now_s - self._started_s
        done = sums["fetched"] + sums["failed"]
        left = None if total is None else max(0, total - done - known)
        waits = next((part for part in parts if part.wait_reason), parts[0])
        counts = [part.latency_counts for part in parts if part.latency_counts]
        sums["rate_now_per_s"] -= parts[0].rate_now_per_s  # the parent sends nothing
        figures = Snapshot(
            **sums,
            total=total,
            read=handed + known + duplicates,
            skipped_known=known,
            duplicates=duplicates,
            price=self._settings.price,
            cap_per_s=self._cap_per_s,
            elapsed_s=elapsed_s,
            eta_s=left / sums["done_per_s"] if left is not None and sums["done_per_s"] else None,
            wait_reason=waits.wait_reason,
            wait_left_s=waits.wait_left_s,
            waits_since_s=waits.waits_since_s,
            fullest_1s=self.cap_proof.take_fullest_1s(),
            latency_counts=tuple(map(sum, zip(*counts, strict=True))),
        )
        self._course.observe(figures, last=last)
        return figures

    def _conclude(self) -> Ended:
        self._prove(float("inf"))
        balance, error = self._books.balance(), self._error
        if error is None and self._limited:
            error = LimitReached(limit_words(self._settings), "run the same command again to go on")
        if not balance and not isinstance(error, Defect) and not self._abandoned:
            error = Defect(
                f"the books do not balance: {balance.evidence}", "what was written stands; please report this"
            )
        p50_s, p90_s, p99_s = self._latency.quantiles(0.5, 0.9, 0.99)
        snapshot = msgspec.structs.replace(
            self.snapshot(last=True),
            latency_p50_s=p50_s,
            latency_p90_s=p90_s,
            latency_p99_s=p99_s,
            latency_max_s=self._latency.max_s,
            latency_mean_s=self._latency.mean_s,
        )
        keys = self.cap_proof.keys(self._keys_out)
        return Ended(error, snapshot, balance, self._story(), self._abandoned, keys=keys)

    def _story(self) -> Story:
        return Story.of(self._course, self._specimens, self._latency, self._with_wait)


class Ending(FetcherError):
    """A worker's reason to end, as its own process said it."""

    def __init__(self, exit_code: int, message: str, advice: str) -> None:
        super().__init__(message, advice)
        self.exit_code = exit_code  # type: ignore[misc]


def _part(whole: int, n: int, number: int) -> int:
    """The `number`-th of `n` parts (from 1) whose sum is `whole`."""
    return whole // n + (number <= whole % n)


def _kill(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
