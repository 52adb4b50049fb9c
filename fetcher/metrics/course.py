"""A run's course in fixed memory: what happened in each stretch of it, and when it waited.

It is shown the figures a few times a second, so a product costs nothing here. Rows are running totals: dropping one
makes two stretches into one and loses no call, whatever the length of the run.
"""

from __future__ import annotations

from array import array
from itertools import pairwise
from operator import sub
from typing import Final

import msgspec

from fetcher.metrics.latency import coarse_quantiles
from fetcher.metrics.snapshot import Snapshot

POINTS: Final = 480
PAUSES: Final = 120
FIRST_SPACING_S: Final = 0.25
"""A run of a few seconds has a course too."""
GAP_S: Final = 0.6
"""Two looks further apart than that, and a wait seen at both may have been two."""


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of the run, ending at `elapsed_s`."""

    elapsed_s: float
    calls_per_s: float
    done_per_s: float
    fullest_1s: int = 0
    """Calls in the fullest window of one second that ended in this stretch."""
    allowed_per_s: float = 0.0
    """The least that pacing allowed."""
    in_flight: int = 0
    """The most that were seen."""
    failed: int = 0
    retries: int = 0
    throttles: int = 0
    lost: int = 0
    """Calls sent and never answered, or not sent for want of a connection."""
    latency_p50_s: float | None = None
    """None: nothing was answered."""
    latency_p90_s: float | None = None
    latency_p99_s: float | None = None


class Pause(msgspec.Struct, frozen=True):
    """A time in which nothing was sent, and why. Times are seconds since the beginning."""

    start_s: float
    end_s: float
    reason: str
    count: int = 1
    """So many that lay close together were made one."""


class _Row(msgspec.Struct):
    """Running totals at `elapsed_s`, and extremes since the row before."""

    elapsed_s: float
    calls: int = 0
    done: int = 0
    failed: int = 0
    retries: int = 0
    throttles: int = 0
    lost: int = 0
    latency: array[int] | None = None
    fullest_1s: int = 0
    allowed_per_s: float = 0.0
    in_flight: int = 0


class Course:
    """At most 480 points and 120 pauses."""

    def __init__(self, points: int = POINTS) -> None:
        self._limit = points
        self._spacing_s = FIRST_SPACING_S
        self._rows = [_Row(0.0)]
        self._since = _Row(0.0, allowed_per_s=float("inf"))
        self._pauses: list[Pause] = []
        self._looked_s = 0.0

    def observe(self, figures: Snapshot, *, last: bool = False) -> None:
        """Note the figures; a row is kept when the last is old enough (`last`: kept all the same)."""
        self._note_wait(figures)
        since = self._since
        since.fullest_1s = max(since.fullest_1s, figures.fullest_1s)
        since.in_flight = max(since.in_flight, figures.in_flight)
        since.allowed_per_s = min(since.allowed_per_s, figures.rate_now_per_s)
        since_s = figures.elapsed_s - self._rows[-1].elapsed_s
        if since_s < self._spacing_s and not (last and since_s > 0.0):
            return
        if since_s < self._spacing_s / 2 and len(self._rows) > 1:  # a sliver at the end would look like a collapse
            self._widen(self._rows.pop())
        elif len(self._rows) >= self._limit:
            self._halve()
        self._rows.append(
            _Row(
                figures.elapsed_s,
                figures.started,
                figures.fetched + figures.failed,
                figures.failed,
                figures.retries,
                figures.throttles,
                figures.paid_doubts + figures.unsent,
                array("Q", figures.latency_counts),
                since.fullest_1s,
                since.allowed_per_s,
                since.in_flight,
            )
        )
        self._since = _Row(0.0, allowed_per_s=float("inf"))

    def _widen(self, last: _Row) -> None:
        since = self._since
        since.fullest_1s = max(last.fullest_1s, since.fullest_1s)
        since.in_flight = max(last.in_flight, since.in_flight)
        since.allowed_per_s = min(last.allowed_per_s, since.allowed_per_s)

    def _halve(self) -> None:
        """Two stretches become one; an odd one at the end stays."""
        # Twice as wide; wider still where it was looked at less often, so that old and new stretches are alike.
        self._spacing_s = max(2 * self._spacing_s, 2 * self._rows[-1].elapsed_s / self._limit)
        kept = [self._rows[0]]
        for first, second in zip(self._rows[1::2], self._rows[2::2], strict=False):
            second.fullest_1s = max(first.fullest_1s, second.fullest_1s)
            second.allowed_per_s = min(first.allowed_per_s, second.allowed_per_s)
            second.in_flight = max(first.in_flight, second.in_flight)
            kept.append(second)
        if len(self._rows) % 2 == 0:
            kept.append(self._rows[-1])
        self._rows = kept

    def _note_wait(self, figures: Snapshot) -> None:
        now_s, looked_s = figures.elapsed_s, self._looked_s
        self._looked_s = now_s
        if not figures.wait_reason:
            return
        pauses = self._pauses
        if pauses and pauses[-1].reason == figures.wait_reason and pauses[-1].end_s >= min(looked_s, now_s - GAP_S):
            pauses[-1] = msgspec.structs.replace(pauses[-1], end_s=now_s)
            return
        if len(pauses) >= PAUSES:
            self._join_closest()
        pauses.append(Pause(max(0.0, min(looked_s, now_s)), now_s, figures.wait_reason))

    def _join_closest(self) -> None:
        pauses = self._pauses
        place = min(range(len(pauses) - 1), key=lambda k: pauses[k + 1].start_s - pauses[k].end_s)
        one, other = pauses[place : place + 2]
        reason = max(one, other, key=lambda pause: pause.end_s - pause.start_s).reason
        pauses[place : place + 2] = [Pause(one.start_s, other.end_s, reason, one.count + other.count)]

    def points(self) -> list[Point]:
        """The stretches so far, in order."""
        return [_point(before, row) for before, row in pairwise(self._rows)]

    def pauses(self) -> list[Pause]:
        """The waits so far, in order."""
        return list(self._pauses)


def _point(before: _Row, row: _Row) -> Point:
    span_s = row.elapsed_s - before.elapsed_s
    counts = list(row.latency or ())
    if before.latency is not None:
        counts = list(map(sub, counts, before.latency))
    p50_s, p90_s, p99_s = coarse_quantiles(counts, 0.5, 0.9, 0.99)
    return Point(
        elapsed_s=row.elapsed_s,
        calls_per_s=(row.calls - before.calls) / span_s,
        done_per_s=(row.done - before.done) / span_s,
        fullest_1s=row.fullest_1s,
        allowed_per_s=row.allowed_per_s,
        in_flight=row.in_flight,
        failed=row.failed - before.failed,
        retries=row.retries - before.retries,
        throttles=row.throttles - before.throttles,
        lost=row.lost - before.lost,
        latency_p50_s=p50_s,
        latency_p90_s=p90_s,
        latency_p99_s=p99_s,
    )
