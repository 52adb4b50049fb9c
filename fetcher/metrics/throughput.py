"""How fast it goes: the rate of the last seconds, and the whole run's course in fixed memory.

Both are fed with running totals when somebody looks (a few times a second), so a product costs nothing here.
"""

from __future__ import annotations

from array import array
from collections import deque
from itertools import pairwise
from typing import Final

import msgspec

SAMPLES: Final = 32
POINTS: Final = 600
SHORTEST_SPAN_S: Final = 1.0
"""The first tenth of a second says nothing about a rate; until a second has passed, a second is what is divided by."""


class RateWindow:
    """Growth of a running total over about the last `window_s` seconds."""

    def __init__(self, window_s: float, started_s: float) -> None:
        self._window_s = window_s
        self._samples: deque[tuple[float, int]] = deque([(started_s, 0)])

    def rate_per_s(self, now_s: float, total: int) -> float:
        """The rate up to now; remembers the total for later looks. At most 34 samples are kept."""
        samples = self._samples
        while len(samples) > 1 and samples[1][0] <= now_s - self._window_s:
            samples.popleft()
        then_s, then = samples[0]
        if now_s - samples[-1][0] >= self._window_s / SAMPLES:
            samples.append((now_s, total))
        return (total - then) / max(now_s - then_s, SHORTEST_SPAN_S)


class Point(msgspec.Struct, frozen=True):
    """A stretch of the run, ending at `elapsed_s`."""

    elapsed_s: float
    calls_per_s: float
    done_per_s: float


class Throughput:
    """The course of a run of any length in at most 600 points: when full, every other point is dropped.

    Points are running totals, so dropping one makes two stretches into one and loses no call.
    """

    def __init__(self, points: int = POINTS) -> None:
        self._limit = points
        self._spacing_s = 1.0
        self._elapsed_s = array("d", [0.0])
        self._calls = array("Q", [0])
        self._done = array("Q", [0])

    def observe(self, elapsed_s: float, calls: int, done: int, *, last: bool = False) -> None:
        """Note the totals, unless the last point is younger than the spacing (`last`: note them all the same)."""
        since_s = elapsed_s - self._elapsed_s[-1]
        if since_s < self._spacing_s and not (last and since_s > 0.0):
            return
        if len(self._elapsed_s) >= self._limit:
            self._spacing_s *= 2
            self._elapsed_s, self._calls, self._done = self._elapsed_s[::2], self._calls[::2], self._done[::2]
        self._elapsed_s.append(elapsed_s)
        self._calls.append(calls)
        self._done.append(done)

    def points(self) -> list[Point]:
        """The stretches so far, in order."""
        rows = list(zip(self._elapsed_s, self._calls, self._done, strict=True))
        return [
            Point(end_s, (calls - calls_before) / (end_s - start_s), (done - done_before) / (end_s - start_s))
            for (start_s, calls_before, done_before), (end_s, calls, done) in pairwise(rows)
        ]
