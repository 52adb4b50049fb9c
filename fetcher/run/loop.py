"""One run: the task group that owns reader, dispatcher, openers, writer and ticker, from the first ID to the last.

Every task has an owner and an end. The order of the ends is the promise: first nothing new starts, then what is in
flight is answered, then what was answered is written, then the books are looked at.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Final

import anyio
import anyio.abc
import msgspec

from fetcher.errors import Defect, FetcherError, TooManyErrors
from fetcher.metrics import Balance, Books, KeyFigures, Snapshot, Story, Tally, key_figures
from fetcher.model import Failure, Item, Kind, Outcome, Product
from fetcher.pacing import Throttle
from fetcher.run.assemble import Parts
from fetcher.run.buffer import OutcomeBuffer
from fetcher.run.calls import Calls
from fetcher.run.carrying import Carrying
from fetcher.run.desk import QUEUE_LIMIT, QUEUE_LOW, Desk
from fetcher.run.dispatch import Dispatcher
from fetcher.run.feed import Feed
from fetcher.run.openers import Openers
from fetcher.run.outlook import Outlook
from fetcher.run.refreshing import Refresher
from fetcher.run.roles import CallNotes, NoNotes, Sink
from fetcher.run.settling import Settling
from fetcher.run.steering import Steering
from fetcher.run.ticker import Ticker
from fetcher.settings import ErrorLimit

if TYPE_CHECKING:
    from fetcher.run.leasing import Leasing

GATHER_S: Final = 0.05
"""How long answers may lie before they are written: the price of a write (half a millisecond, most of it for waking a
thread and being woken by it) is shared by what came meanwhile. At a rate at which nothing comes, they do not lie."""
WRITER_S: Final = 30.0
"""How long a run that ends before its time waits for the sink to take what was answered."""
AT_ONCE_S: Final = 0.5
"""The same, where somebody asked twice or the sink is what hangs."""

log = logging.getLogger("fetcher.run")


PERCENT_FROM: Final = 100
"""A percentage of failures says nothing before so many IDs are decided."""


def too_many(limit: ErrorLimit, failed: int, decided: int) -> bool:
    """Whether `failed` of `decided` IDs pass `--max-errors`."""
    if limit.percent is None:
        return limit.count is not None and failed >= limit.count
    return decided >= PERCENT_FROM and failed * 100 >= limit.percent * decided


class Ended(msgspec.Struct, frozen=True):
    """How a run ended."""

    error: FetcherError | None
    """None: every ID has its outcome."""
    snapshot: Snapshot
    balance: Balance
    story: Story
    abandoned: bool = False
    """It was told to end at once: whoever asked so does not want to wait for anything more."""
    sink_hangs: bool = False
    """The sink did not take what was answered in the time that it was given."""
    keys: tuple[KeyFigures, ...] = ()
    """Of a pool of several; empty with one key."""


class Run:
    """One pass over one feed. Make it, `await run()` once.

    Args:
        parts: what all runs under one cap share.
        feed: where the IDs come from.
        sink: where the outcomes go.
        tally: this run's own counters.
        observe: is shown the figures four times a second, and may return a reason to stop.
        held: outcomes that may wait for the sink before the calls wait too.
        notes: where calls are noted before they leave.
    """

    def __init__(
        self,
        parts: Parts,
        feed: Feed,
        sink: Sink,
        tally: Tally,
        observe: Callable[[Snapshot], FetcherError | None] | None = None,
        held: int = 4096,
        notes: CallNotes | None = None,
    ) -> None:
        self._parts, self._feed, self._sink, self._tally, self._observe = parts, feed, sink, tally, observe
        self._desk = Desk(notes or NoNotes())
        self._desk.input_is_anothers, self._desk.sink_is_anothers = feed.is_anothers, sink.is_anothers
        self._buffer, self._outlook = OutcomeBuffer(held), Outlook(parts)
        self._scope: anyio.CancelScope | None = None
        self._storing: anyio.CancelScope | None = None
        self._writer_until_s = math.inf
        self._sink_hangs = False
        self._left: list[str] = []
        self._books = Books()
        self._skipped = (0, 0)
        self._failures = 0
        self._abandoned = False
        self._unstored: list[Outcome] = []

    def steering(self) -> Steering:
        """What can be asked of it while it goes."""
        return Steering(self._parts, self._desk, self._tally, self._snapshot)

    def stop(self, error: FetcherError) -> None:
        """Start nothing more, finish what is in flight, end with `error`. May be called from the loop at any time."""
        self._desk.stop(error)

    def abandon(self, writer_s: float = WRITER_S) -> None:
        """End now: what is in flight stays to be done, what was answered is still written.

        Args:
            writer_s: how long the sink may take for that.
        """
        self._abandoned = True
        self._writer_until_s = min(self._writer_until_s, anyio.current_time() + writer_s)
        if self._storing is not None:
            self._storing.deadline = self._writer_until_s
        if self._scope is not None:
            self._scope.cancel()

    async def run(self) -> Ended:
        """Until every ID has its outcome or the run is stopped. Never raises for what happens to a run.

        Raises:
            Defect: the books do not balance.
        """
        ticker = Ticker(self._parts, self._desk, self._tally, self._show, lambda: self.abandon(AT_ONCE_S))
        async with anyio.create_task_group() as outer:  # the ticker watches until the last outcome is stored
            outer.start_soon(self._guarded, ticker.run)
            async with anyio.create_task_group() as storing:
                storing.start_soon(self._guarded, self._write)
                try:
                    with anyio.CancelScope() as self._scope:
                        async with anyio.create_task_group() as tasks:
                            await self._drive(tasks)
                            tasks.cancel_scope.cancel()
                finally:
                    self._buffer.close()
            outer.cancel_scope.cancel()
        return self._conclude()

    async def _drive(self, tasks: anyio.abc.TaskGroup) -> None:
        parts, desk, tally, buffer = self._parts, self._desk, self._tally, self._buffer
        refresher = Refresher(parts, desk, tally)
        carrying = Carrying(parts, desk, tally, buffer.put, self._failed, refresher.refused)
        settling = Settling(parts, desk, tally, carrying)

        def begin(task: Callable[[], Awaitable[None]]) -> None:
            tasks.start_soon(self._guarded, task)

        openers = Openers(parts, desk, settling, begin)
        calls = Calls(parts, desk, tally, buffer, settling, self.abandon)
        tasks.start_soon(self._guarded, self._read)
        tasks.start_soon(self._guarded, refresher.run)
        for key in parts.keys:
            if key.leasing is not None and key.retired is None:
                tasks.start_soon(self._guarded, self._lease(key.leasing, key.throttle))
        try:
            await Dispatcher(parts, desk, tally, buffer, calls, settling, openers).run()
        finally:
            calls.close()
        if desk.error is None:
            carrying.settle_parked()

    def _lease(self, leasing: Leasing, throttle: Throttle) -> Callable[[], Awaitable[None]]:
        async def lease() -> None:
            await leasing.keep(self._desk, self._tally, throttle)

        return lease

    async def _guarded(self, task: Callable[[], Awaitable[None]]) -> None:
        """A `FetcherError` in any task ends the run in order; anything else is a defect and ends it at once."""
        try:
            await task()
        except FetcherError as error:
            self._desk.stop(error)
            if task == self._write:
                self.abandon()  # answers can no longer be stored: do not wait for more of them
        except Exception as error:
            log.exception("a task of the run failed")
            self._desk.stop(Defect(f"{type(error).__name__} in {task.__qualname__}: what was written stands"))
            self.abandon()

    async def _read(self) -> None:
        desk = self._desk
        while not desk.stopping:
            desk.reading = True
            found = await self._feed.read(QUEUE_LIMIT - len(desk.queue))
            desk.reading = False
            self._book_skipped()
            if not found:
                break
            self._books.read([one.id for one in found])
            items = [one for one in found if type(one) is Item]
            desk.queue.extend(items)
            self._tally.read(len(items))
            for one in found if len(items) < len(found) else ():
                if isinstance(one, Failure):
                    self._failed(one)
            self._tally.expect(self._feed.expected_total())
            desk.changed()
            while not desk.stopping and (len(desk.queue) > QUEUE_LOW or self._buffer.full):
                await desk.reader_bell.sleep(None if len(desk.queue) > QUEUE_LOW else GATHER_S)
        desk.input_ended = not desk.stopping
        if desk.input_ended:
            self._tally.input_ended()
        desk.dispatcher_bell.ring()

    def _book_skipped(self) -> None:
        known, duplicates = self._feed.skipped()
        self._tally.skipped(known - self._skipped[0], duplicates - self._skipped[1])
        self._skipped = (known, duplicates)

    def _failed(self, failure: Failure) -> None:
        """Hand a failure on, and look whether it was one too many."""
        self._buffer.put(failure)
        self._failures += 1
        limit = self._parts.settings.max_errors
        if limit is not None and too_many(limit, self._failures, self._buffer.passed):
            self._desk.stop(
                TooManyErrors(
                    f"{self._failures}, and --max-errors is {limit}",
                    "look at the failed file, correct the cause, then run the same command again",
                )
            )

    async def _write(self) -> None:
        while await self._buffer.wait():
            await self._buffer.gather(GATHER_S if self._parts.cap_per_s * GATHER_S >= 1 else 0.0)
            self._unstored = outcomes = self._buffer.take()
            self._desk.storing, self._desk.storing_since_s = len(outcomes), self._parts.clock.monotonic_s()
            # Answers that were paid for are written even when the run is being torn down around this task.
            with anyio.CancelScope(shield=True, deadline=self._writer_until_s) as self._storing:
                await self._sink.put(outcomes)
            if self._storing.cancelled_caught:
                self._sink_hangs = True  # and whoever asked does not want to wait
                return
            self._unstored, self._desk.storing = [], 0
            self._book(outcomes)
            self._desk.changed()

    def _book(self, outcomes: list[Outcome]) -> None:
        """Only what the sink has taken counts as fetched or failed: what a full disk refused stays to be done."""
        self._desk.notes.stored([one.id for one in outcomes])
        self._tally.specimens.outcomes(outcomes)
        if self._desk.begun_ms:
            self._book_delays(outcomes)
        products = [one for one in outcomes if type(one) is Product]
        self._books.fetched([one.id for one in products])
        self._tally.fetched(sum([len(one.payload) for one in products]), len(products))
        failures = [one for one in outcomes if type(one) is Failure]  # isinstance costs 0.3 µs for each that is none
        self._books.failed([one.id for one in failures])
        for one in failures:
            if one.error.kind is Kind.BAD_ID:
                self._tally.bad()
            else:
                self._tally.failed(one.error.kind, one.error.permanent)

    def _book_delays(self, outcomes: list[Outcome]) -> None:
        """How long IDs took that needed more than one call."""
        for one in outcomes:
            begun_ms = self._desk.begun_ms.pop(one.id, None)
            if begun_ms is not None:
                self._tally.delayed((one.fetched_at_ms - begun_ms) / 1000.0)
                if isinstance(one, Product) or one.error.http_status is not None:  # answered: the last call counts too
                    self._tally.detour(one.latency_ms / 1000.0)

    def _show(self) -> None:
        if self._observe is not None and (reason := self._observe(self._snapshot())) is not None:
            self.stop(reason)

    def _snapshot(self) -> Snapshot:
        self._tally.allowed(self._parts.rate_per_s)
        self._tally.fullest(self._parts.cap_proof.take_fullest_1s())
        return self._outlook.told(self._tally.snapshot(self._parts.clock.monotonic_s()))

    def _conclude(self) -> Ended:
        """Count what is left and hold the books against each other."""
        self._left = list(self._left_ids())
        self._books.left(self._left)
        self._tally.ended()
        balance, error = self._books.balance(), self._desk.error
        if not balance and not isinstance(error, Defect):
            error = Defect(
                f"the books do not balance: {balance.evidence}", "what was written stands; please report this"
            )
        self._tally.fullest(self._parts.cap_proof.take_fullest_1s())
        snapshot = self._tally.snapshot(self._parts.clock.monotonic_s(), last=True)
        return Ended(
            error, snapshot, balance, self._tally.story(), self._abandoned, self._sink_hangs, self._key_figures()
        )

    def _key_figures(self) -> tuple[KeyFigures, ...]:
        keys = self._parts.keys
        if len(keys) == 1:
            return ()
        return tuple(key_figures(key.name, key.cap_proof, str(key.retired or "")) for key in keys)

    def queued(self) -> int:
        """IDs that lie ready to be called."""
        return len(self._desk.queue)

    @property
    def left(self) -> list[str]:
        """After the end: the IDs that stay to be done."""
        return self._left

    def _left_ids(self) -> Iterator[str]:
        """Queued, waiting, parked, cut off in flight, or answered and refused by the disk."""
        desk = self._desk
        yield from (item.id for call in desk.flying.values() for item in call.items)
        yield from (item.id for item in (*desk.queue, *desk.cut_off, *(item for item, _ in desk.parked)))
        while (item := desk.waiting.pop_due(float("inf"))) is not None:
            yield item.id
        yield from (outcome.id for outcome in (*self._unstored, *self._buffer.take()))
