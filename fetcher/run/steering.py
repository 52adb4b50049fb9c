"""What can be asked of a run while it goes: how it stands, pause, another rate, an end.

It does what it is told and knows neither sockets nor signals; `control` brings the questions.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from typing import Any, Final

import msgspec

from fetcher.errors import FetcherError, UsageError
from fetcher.metrics import Snapshot, Tally
from fetcher.run.assemble import Parts, bucket_of
from fetcher.run.desk import Desk
from fetcher.run.ticker import PAUSED, whereabouts
from fetcher.settings import field_named

OTHER_FILES: Final = 64
"""Descriptors that are not connections."""

log = logging.getLogger("fetcher")


class Asked(FetcherError):
    """Somebody asked the run to end. As if a signal had: drained, resumable."""

    exit_code = 130


class State(msgspec.Struct, frozen=True, kw_only=True):
    """How a run stands. Times are seconds."""

    state: str
    """`running`, `paused` or `stopping`."""
    pid: int
    total: int | None
    done: int
    fetched: int
    failed: int
    skipped_known: int
    queued: int
    waiting: int
    in_flight: int
    calls: int
    retries: int
    throttles: int
    cap_per_s: float
    rate_per_s: float
    allowed_per_s: float
    """What pacing allows at present."""
    concurrency: int | None
    """Calls that may be in flight; null: each process knows its own."""
    latency_p50_s: float
    latency_p99_s: float
    elapsed_s: float
    eta_s: float | None
    cost: float | None
    wait_reason: str
    parts: list[str]
    """What every part of the run does, for a person."""


class Steering:
    """Of a run in this process.

    Args:
        parts: of the run, whose rates are changed.
        desk: of the run.
        tally: of the run.
        look: makes its figures.
    """

    def __init__(self, parts: Parts, desk: Desk, tally: Tally, look: Callable[[], Snapshot]) -> None:
        self._parts, self._desk, self._tally, self._look = parts, desk, tally, look

    def state(self) -> State:
        """How it stands just now."""
        desk, parts = self._desk, self._parts
        state = "stopping" if desk.stopping else "paused" if desk.paused else "running"
        said = whereabouts(parts, desk, parts.clock.monotonic_s())
        return state_of(self._look(), state, said, parts.in_flight.target())

    def pause(self) -> None:
        """Start no further call; what is in flight is finished. A second pause changes nothing."""
        if not self._desk.paused:
            self._desk.paused = True
            self._tally.waiting(PAUSED, None)
            log.info("paused by fetcher ctl; fetcher ctl OUT resume goes on")

    def resume(self) -> None:
        """Go on."""
        if self._desk.paused:
            self._desk.paused = False
            self._tally.waiting("", None)
            self._desk.dispatcher_bell.ring()
            log.info("resumed by fetcher ctl")

    def set_qps(self, text: str) -> None:
        """Another cap, also a higher one: whoever asks owns the run.

        Raises:
            UsageError: it is none, or the cap is shared with others, who would not know.
        """
        parts, qps = self._parts, _number("qps", text)
        if parts.settings.share_cap is not None:
            raise UsageError("the cap is shared with other processes, so this one cannot change it")
        key, *others = parts.keys
        if others:
            raise UsageError("several keys have a cap each", "stop it, and start it again with others")
        before = key.cap_per_s
        key.pacer.set_cap(qps, parts.clock.monotonic_s())
        key.throttle.set_cap(qps)
        parts.in_flight.set_cap(qps)
        key.cap_proof.set_cap(qps)
        key.bucket, key.cap_per_s = bucket_of(qps), qps
        self._tally.cap(qps)
        self._desk.dispatcher_bell.ring()
        log.info(f"fetcher ctl: the cap is {qps:g}/s now, it was {before:g}/s")

    def set_concurrency(self, text: str) -> None:
        """Another number of calls that may be in flight; `auto`: what cap and latency need.

        Raises:
            UsageError: it is none, or this process may not open so many files.
        """
        fixed = _number("concurrency", text)
        if fixed is not None and fixed > (most := _descriptors() - OTHER_FILES):
            raise UsageError(f"concurrency must be at most {most}: this process may have no more open files")
        self._parts.in_flight.fix(fixed)
        self._desk.dispatcher_bell.ring()
        log.info(f"fetcher ctl: {text} calls may be in flight now")

    def stop(self) -> None:
        """End it in order: what is in flight is finished, the rest stays to be done."""
        self._desk.stop(Asked("stopped by fetcher ctl"))


class Overseen:
    """Of a run in several processes, asked at its parent: it tells and can be ended, no more.

    Args:
        look: makes the figures of all together.
        end: ends the run in order.
        processes: how many there are.
    """

    def __init__(self, look: Callable[[], Snapshot], end: Callable[[FetcherError], None], processes: int) -> None:
        self._look, self._end, self._processes = look, end, processes

    def state(self) -> State:
        """How it stands just now."""
        return state_of(self._look(), "running", [f"{self._processes} processes share the work"], None)

    def pause(self) -> None:
        """Refused."""
        raise UsageError("a run with --processes cannot be paused", "stop it, and start the same command again")

    resume = pause

    def set_qps(self, text: str) -> None:
        """Refused: the cap is leased to the workers in parts."""
        raise UsageError("a run with --processes keeps its rates", "stop it, and start it again with others")

    set_concurrency = set_qps

    def stop(self) -> None:
        """End it in order."""
        self._end(Asked("stopped by fetcher ctl"))


def state_of(snapshot: Snapshot, state: str, parts: list[str], concurrency: int | None) -> State:
    """Figures as they are told."""
    same = [name for name in State.__struct_fields__ if name in Snapshot.__struct_fields__]
    return State(
        **{name: getattr(snapshot, name) for name in same},
        state=state,
        pid=os.getpid(),
        done=snapshot.done,
        cost=snapshot.cost,
        calls=snapshot.attempts,
        allowed_per_s=snapshot.rate_now_per_s,
        concurrency=concurrency,
        parts=parts,
    )


def _number(name: str, text: str) -> Any:
    try:
        return field_named(name).kind.parse(text)
    except ValueError as error:
        raise UsageError(f"{name} {error}") from None


def _descriptors() -> int:
    try:
        import resource
    except ImportError:  # Windows: no such limit
        return 1 << 20
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
