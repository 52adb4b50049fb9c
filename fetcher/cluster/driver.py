"""The driver: hands out shards, adds up what comes back, shows it, and ends in order. It knows an engine, not Ray.

One thread, one loop: fill the engine, wait a moment for results, look at the figures. The first reason to stop stands;
then nothing new is handed out and what is in flight anywhere is finished.
"""

from __future__ import annotations

import logging
import signal
from collections import deque
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple, Protocol

import msgspec

from fetcher.clock import Clock
from fetcher.cluster.board import Briefing, Figure, Order, Sent
from fetcher.cluster.figures import JobFigures
from fetcher.cluster.part import Result, Told
from fetcher.cluster.schedule import TRIES, Schedule
from fetcher.errors import Defect, FetcherError, LimitReached, TooManyErrors
from fetcher.metrics import Snapshot
from fetcher.run import too_many
from fetcher.settings import CommandSettings

TICK_S: Final = 0.25
NO_ROOM_S: Final = 5.0
"""After so long without a shard that reports, it is said that the cluster has no room."""

log = logging.getLogger("fetcher.cluster")


class Lost(NamedTuple):
    """A try whose worker or node has gone."""

    order: Order
    why: str


class Engine(Protocol):
    """Runs orders on nodes."""

    def start(self, order: Order, near: str | None) -> None:
        """On any node that has room; `near` if it can be had."""
        ...

    def wait(self, timeout_s: float) -> list[Result | Lost]:
        """What has ended. Waits for the first, no longer than `timeout_s`."""
        ...

    def figures(self) -> list[Figure]:
        """How the shards that are worked on stand."""
        ...

    def tokens(self) -> dict[str, bytes]:
        """Of apps whose tokens were renewed since this was asked last."""
        ...

    def sent(self) -> list[Sent]:
        """When calls were sent, as told since this was asked last."""
        ...

    def stop(self) -> None:
        """Nobody starts a call any more; results still come."""
        ...

    def abandon(self) -> None:
        """End all of them now."""
        ...


class JobEngine(Engine, Protocol):
    """The same, before the first order and after the last."""

    @property
    def cpus(self) -> int:
        """Shards that it has room for at a time."""
        ...

    @property
    def nodes(self) -> int:
        """Machines."""
        ...

    def brief(self, briefing: Briefing) -> None:
        """What the job is. Once, before the first order."""
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...


class Stopped(FetcherError):
    """A signal asked for the end."""

    def __init__(self, which: signal.Signals) -> None:
        super().__init__(f"stopped by {which.name}")
        self.exit_code = 128 + which  # type: ignore[misc]


class OnNode(FetcherError):
    """What ended a shard, as its node said it."""

    def __init__(self, told: Told) -> None:
        super().__init__(told.message, told.advice)
        self.exit_code = told.exit_code  # type: ignore[misc]


class Driver:
    """Args:
    engine: runs the shards.
    schedule: which are to be run.
    figures: adds up.
    settings: of the job.
    workers: shards at a time.
    show: is told how it stands: the screen, and the note beside the parts.
    """

    def __init__(
        self,
        engine: Engine,
        schedule: Schedule,
        figures: JobFigures,
        settings: CommandSettings,
        workers: int,
        clock: Clock,
        show: Callable[[Snapshot, list[Figure]], None],
    ) -> None:
        self._engine, self._schedule, self._figures = engine, schedule, figures
        self._settings, self._workers, self._clock, self._show = settings, workers, clock, show
        self._live: dict[int, Figure] = {}
        self._accepted = False
        self._abandoned = False
        self._started_s = self._heard_s = clock.monotonic_s()
        self.heard: deque[signal.Signals] = deque()
        """Signals that came. They are acted upon between two looks, never in the midst of a call of the engine's."""
        self.error: FetcherError | None = None

    def stop(self, error: FetcherError) -> None:
        """Hand out nothing more. The first reason stands; a second signal ends at once."""
        if self.error is None:
            self.error = error
            self._engine.stop()
        elif isinstance(error, Stopped) and not self._abandoned:
            self._abandoned = True
            self._engine.abandon()

    def run(self) -> None:
        """Until every shard is done or the job is stopped. Raises `FetcherError` where the engine has failed."""
        while not self._abandoned:
            self._fill()
            if not self._schedule.running:
                break
            for ended in self._engine.wait(TICK_S):
                if isinstance(ended, Lost):
                    self._was_lost(ended)
                else:
                    self._has_ended(ended)
            self._look()

    def _fill(self) -> None:
        while self.error is None and self._schedule.running < (self._workers if self._accepted else 1):
            found = self._schedule.next()
            if found is None:
                return
            order, near = found
            self._engine.start(msgspec.structs.replace(order, without=tuple(self._figures.keys_out)), near)

    def _has_ended(self, result: Result) -> None:
        self._listen()
        self._figures.proof.over(result.shard)
        self._schedule.done(result.shard)
        self._live.pop(result.shard, None)
        self._figures.ended(result.shard, result.snapshot, result.commit)
        if self._figures.leave_pool(result.keys_out):
            self.stop(LimitReached(*no_key_left(self._figures.keys_out)))
        if result.commit is not None:
            self._accepted = True
        elif result.error is not None:
            self.stop(OnNode(result.error))
        else:
            self.stop(Defect(f"shard {result.shard} ended without a word", "the same command goes on"))

    def _see(self) -> None:
        """What the tries that go on have told of themselves; a lost one's last words count where it was counted."""
        told = self._engine.figures()
        self._live |= {one.shard: one for one in told if self._schedule.is_running(one.shard, one.attempt)}
        self._listen()

    def _listen(self) -> None:
        proof = self._figures.proof
        for sent in self._engine.sent():
            proof.told(sent, goes_on=self._schedule.is_running(sent.shard, sent.attempt))

    def _was_lost(self, lost: Lost) -> None:
        self._see()
        self._figures.proof.over(lost.order.shard, lost=True)
        figure = self._live.pop(lost.order.shard, None)
        if figure is not None:
            self._figures.tried.add(figure.snapshot)
        log.warning("shard %d: its worker was lost (%s); it goes on elsewhere", lost.order.shard, lost.why)
        if not self._schedule.lost(lost.order.shard, None if figure is None else figure.node):
            self.stop(
                Defect(
                    f"shard {lost.order.shard} has lost its worker {TRIES} times: {lost.why}",
                    "look at the nodes' memory and logs; what was written stands, the same command goes on",
                )
            )

    def _look(self) -> None:
        while self.heard:
            self.stop(Stopped(self.heard.popleft()))
        self._see()
        if self._live:
            self._heard_s = self._clock.monotonic_s()
        self._accepted = self._accepted or any(_is_accepted(one.snapshot) for one in self._live.values())
        snapshot = self.snapshot()
        self._limit(snapshot)
        self._show(snapshot, list(self._live.values()))

    def _limit(self, snapshot: Snapshot) -> None:
        allowed = self._settings.calls_allowed
        if allowed is not None and snapshot.attempts > allowed:
            self.stop(
                LimitReached(
                    f"{snapshot.attempts} calls are made, and {allowed} are allowed",
                    "run the same command again to go on",
                )
            )
        limit = self._settings.max_errors
        if limit is not None and too_many(limit, snapshot.failed, snapshot.fetched + snapshot.failed):
            self.stop(
                TooManyErrors(
                    f"{snapshot.failed}, and --max-errors is {limit}",
                    "look at the failed files, correct the cause, then run the same command again",
                )
            )

    def snapshot(self, *, last: bool = False) -> Snapshot:
        """How the job stands."""
        now_s = self._clock.monotonic_s()
        self._figures.proof.prove(now_s, last=last)
        no_room = not self._live and now_s - self._heard_s > NO_ROOM_S
        live = {} if last else {number: figure.snapshot for number, figure in self._live.items()}
        words = "Ray has no room for a shard yet" if no_room and not last else ""
        return self._figures.snapshot(live, now_s - self._started_s, words, last=last)


def no_key_left(out: Mapping[str, str]) -> tuple[str, str]:
    """In words, and what to do."""
    why = "; ".join(f"{name}: {reason}" for name, reason in out.items())
    return f"no key is left: {why}", "no ID was lost; the same command goes on when one of them works again"


def _is_accepted(snapshot: Snapshot) -> bool:
    """The gateway takes our calls: something was decided by it."""
    return snapshot.fetched + snapshot.failed > 0
