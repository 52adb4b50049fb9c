"""When will so many calls have started, under caps over longer times and in certain hours? Played through ahead.

It must not know: clocks (a `Moment` is an argument), why calls are made. What it is given is copied, never changed.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Final, NamedTuple

from fetcher.pacing.quiet_hours import OpenHours
from fetcher.pacing.quotas import Moment, Quotas

WINDOWS: Final = 50
"""A quota that lets so many of its windows pass is taken for a rate: then the last window is a small part."""
MOST_STEPS: Final = 20_000
"""Then what is left is taken to go on as it went so far."""
SHORTEST_S: Final = 0.001


class Lane(NamedTuple):
    """A key: how fast it may go, and its caps over longer times."""

    rate_per_s: float
    quotas: Quotas | None = None


class Forecast(NamedTuple):
    """When, seen from now."""

    duration_s: float
    hours_s: float
    """Of that: outside the hours."""
    quotas_s: dict[str, float]
    """Of that: until a limit has calls again, by the limit as it was written."""


class _Runner:
    """A lane on its way."""

    def __init__(self, lane: Lane, calls: int, windows: int) -> None:
        self.rate_per_s, self._owed = lane.rate_per_s, 0.0
        self.quotas, slower = (None, None) if lane.quotas is None else lane.quotas.ahead(calls, windows)
        self.slowed_by, self.waits_share = "", 0.0
        if slower is not None and slower.per_s < lane.rate_per_s:
            self.rate_per_s, self.slowed_by = slower.per_s, slower.text
            self.waits_share = 1.0 - slower.per_s / lane.rate_per_s

    def left(self, now: Moment) -> float:
        return math.inf if self.quotas is None else self.quotas.left(now)

    def steady_s(self, now: Moment) -> float:
        """For so long nothing changes for it but by its own calls."""
        if self.quotas is None:
            return math.inf
        return min(self.quotas.steady_s(now), self.quotas.left(now) / self.rate_per_s)

    def go(self, duration_s: float, most: int, now: Moment) -> int:
        """Calls that it starts."""
        self._owed += self.rate_per_s * duration_s
        calls = int(min(self._owed + 1e-6, most, self.left(now)))
        self._owed = max(0.0, self._owed - calls)
        if self.quotas is not None:
            self.quotas.take(calls, now)
        return calls


def _quotas_of(runners: Sequence[_Runner]) -> list[Quotas]:
    return [runner.quotas for runner in runners if runner.quotas is not None]


def forecast(calls: int, lanes: Sequence[Lane], hours: OpenHours, now: Moment, windows: int = WINDOWS) -> Forecast:
    """Play it through.

    Args:
        calls: that are to start.
        lanes: one a key; at least one, each with a rate above 0.
        hours: outside of which nothing starts.
        now: the beginning.
        windows: see `WINDOWS`; fewer are quicker, and less exact.
    """
    runners = [_Runner(lane, calls, windows) for lane in lanes]
    quotas_s: defaultdict[str, float] = defaultdict(float)
    passed_s, hours_s, left = 0.0, 0.0, calls
    for _ in range(MOST_STEPS):
        if left <= 0:
            break
        at = Moment(now.monotonic_s + passed_s, now.wall_ms + round(passed_s * 1000))
        if wait_s := hours.wait_s(at.wall_ms):
            hours_s += wait_s
        elif going := [runner for runner in runners if runner.left(at) > 0]:
            rate_per_s = sum([runner.rate_per_s for runner in going])
            wait_s = min(left / rate_per_s, hours.open_for_s(at.wall_ms), *[each.steady_s(at) for each in going])
            wait_s = max(wait_s, SHORTEST_S)
            for runner in going:
                left -= runner.go(wait_s, left, at)
                if runner.slowed_by:
                    quotas_s[runner.slowed_by] += wait_s * runner.waits_share / len(going)
        else:
            wait_s, what = min([(each.wait_s(at), each.holds_back(at).text) for each in _quotas_of(runners)])
            quotas_s[what] += wait_s
        passed_s += max(wait_s, SHORTEST_S)
    if left > 0 and left < calls:
        share = calls / (calls - left)
        return Forecast(passed_s * share, hours_s * share, {what: wait_s * share for what, wait_s in quotas_s.items()})
    return Forecast(passed_s, hours_s, dict(quotas_s))
