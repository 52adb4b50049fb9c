"""Caps over longer times, stacked on the cap per second: so many calls a minute, an hour, a day.

It must not know: clocks (a `Moment` is an argument), the pace within a second, what a call is, files.

    sliding   no window of that length holds more calls than the limit      100/min  2000/h  9000/24h
    calendar  no day from reset to reset, in the zone of whoever counts     5000/day

A sliding quota counts by sixtieths of its window, each call as if it were made at the end of its sixtieth: it never
counts too few, and holds back at most a sixtieth of the window too long. So it is small enough to be written down, and
what was written down may be read too late, never too early: a count survives a restart.
"""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Final, NamedTuple, Protocol

from fetcher.settings import Limit

PARTS: Final = 60
LATE_S: Final = 1.0
"""A call leaves at most so long after it was counted."""


class Moment(NamedTuple):
    """Now, on both clocks."""

    monotonic_s: float
    wall_ms: int
    """Milliseconds since 1970 UTC; may jump."""


class Quota(Protocol):
    """One limit, and what has been used of it."""

    limit: Limit

    def left(self, now: Moment) -> int:
        """Calls that may start now."""

    def wait_s(self, now: Moment) -> float:
        """Seconds until one may; 0 when it may."""

    def take(self, calls: int, now: Moment) -> None:
        """So many start now; a negative number: so many did not leave after all."""

    def used(self, now: Moment, ahead: int = 0) -> list[list[int]]:
        """What to write down: [milliseconds since 1970 until which it counts, calls]. `ahead`: count so many more."""

    def restore(self, used: Iterable[Sequence[int]], now: Moment) -> None:
        """What was written down by an earlier run."""

    def steady_s(self, now: Moment) -> float:
        """For so long calls that start count alike."""


class Slower(NamedTuple):
    """A limit as a rate: what it lets through in the long run."""

    per_s: float
    text: str
    """The limit, as it was written."""


class SlidingQuota:
    """See the module's text.

    Args:
        limit: with a window.
    """

    def __init__(self, limit: Limit) -> None:
        if limit.window_s is None:
            raise ValueError("a calendar day does not slide")
        self.limit, self._window_s = limit, limit.window_s
        self._part_s = limit.window_s / PARTS
        self._used: deque[list[float]] = deque()  # [monotonic time until which it counts, calls], oldest first
        self._sum = 0

    def left(self, now: Moment) -> int:
        """See `Quota`."""
        self._forget(now)
        return max(0, self.limit.calls - self._sum)

    def wait_s(self, now: Moment) -> float:
        """See `Quota`."""
        if self.left(now):
            return 0.0
        over = self._sum - self.limit.calls + 1
        for until_s, calls in self._used:
            over -= int(calls)
            if over <= 0:
                return until_s - now.monotonic_s
        return 0.0

    def take(self, calls: int, now: Moment) -> None:
        """See `Quota`."""
        until_s = self._until_s(now)
        if not self._used or self._used[-1][0] < until_s:
            self._used.append([until_s, 0])
        calls = max(calls, -int(self._used[-1][1]))
        self._used[-1][1] += calls
        self._sum += calls

    def used(self, now: Moment, ahead: int = 0) -> list[list[int]]:
        """See `Quota`."""
        self._forget(now)
        found = [[round(now.wall_ms + (until_s - now.monotonic_s) * 1000), int(calls)] for until_s, calls in self._used]
        if ahead:
            # Those that are ahead may be taken up to the next note, but no later than a whole window from now.
            found.append([round(now.wall_ms + 2 * (self._until_s(now) - now.monotonic_s) * 1000), ahead])
        return found

    def restore(self, used: Iterable[Sequence[int]], now: Moment) -> None:
        """See `Quota`. A clock that was set back cannot make it longer than two windows."""
        for until_ms, calls in sorted((each[0], each[1]) for each in used):
            left_s = min((until_ms - now.wall_ms) / 1000.0, 2 * (self._window_s + self._part_s + LATE_S))
            if left_s > 0:
                self._used.append([now.monotonic_s + left_s, calls])
                self._sum += calls

    def steady_s(self, now: Moment) -> float:
        """See `Quota`."""
        return self._until_s(now) - self._window_s - LATE_S - now.monotonic_s

    @property
    def slower(self) -> Slower:
        """It as a rate."""
        return Slower(self.limit.calls / (self._window_s + self._part_s + LATE_S), self.limit.text)

    def _until_s(self, now: Moment) -> float:
        return (now.monotonic_s // self._part_s + 1) * self._part_s + self._window_s + LATE_S

    def _forget(self, now: Moment) -> None:
        while self._used and self._used[0][0] <= now.monotonic_s:
            self._sum -= int(self._used.popleft()[1])


class DayQuota:
    """So many calls from reset to reset.

    Args:
        limit: of a day.
        reset: the time of day at which whoever counts begins anew.
        zone: where it is that time.
    """

    def __init__(self, limit: Limit, reset: time, zone: tzinfo) -> None:
        self.limit, self._reset, self._zone = limit, reset, zone
        self._day = date.min
        self._calls = 0

    def left(self, now: Moment) -> int:
        """See `Quota`."""
        self._turn(now)
        return max(0, self.limit.calls - self._calls)

    def wait_s(self, now: Moment) -> float:
        """See `Quota`."""
        return 0.0 if self.left(now) else max(0.0, (self._end_ms() - now.wall_ms) / 1000.0)

    def take(self, calls: int, now: Moment) -> None:
        """See `Quota`."""
        self._turn(now)
        self._calls = max(0, self._calls + calls)

    def used(self, now: Moment, ahead: int = 0) -> list[list[int]]:
        """See `Quota`."""
        self._turn(now)
        return [[self._end_ms(), self._calls + ahead]]

    def restore(self, used: Iterable[Sequence[int]], now: Moment) -> None:
        """See `Quota`."""
        self._turn(now)
        for until_ms, calls in used:
            if until_ms > now.wall_ms:
                self._calls += calls

    def steady_s(self, now: Moment) -> float:
        """See `Quota`."""
        self._turn(now)
        return max(0.0, (self._end_ms() - now.wall_ms) / 1000.0)

    def _turn(self, now: Moment) -> None:
        """Begin a new day. A clock that is set back does not bring the old one again."""
        here = datetime.fromtimestamp(now.wall_ms / 1000.0, self._zone)
        day = here.date() if here.time() >= self._reset else here.date() - timedelta(days=1)
        if day > self._day:
            self._day, self._calls = day, 0

    def _end_ms(self) -> int:
        end = datetime.combine(self._day + timedelta(days=1), self._reset, self._zone)
        return round(end.timestamp() * 1000)


class Quotas:
    """All limits of one key: a call needs room in each."""

    def __init__(self, quotas: Sequence[Quota]) -> None:
        self._quotas = quotas

    def left(self, now: Moment) -> int:
        """Calls that may start now."""
        return min([quota.left(now) for quota in self._quotas])

    def wait_s(self, now: Moment) -> float:
        """Seconds until one may start."""
        return max([quota.wait_s(now) for quota in self._quotas])

    def holds_back(self, now: Moment) -> Limit:
        """Which limit is waited for longest."""
        return max(self._quotas, key=lambda quota: quota.wait_s(now)).limit

    def steady_s(self, now: Moment) -> float:
        """For so long calls that start count alike."""
        return min([quota.steady_s(now) for quota in self._quotas])

    def used_now(self, now: Moment) -> dict[str, int]:
        """Calls that count just now, by limit."""
        return {quota.limit.text: sum([calls for _, calls in quota.used(now)]) for quota in self._quotas}

    def ahead(self, calls: int, windows: int) -> tuple[Quotas | None, Slower | None]:
        """For a look ahead: a copy, and in the place of those that let pass more than so many of their windows for so
        many calls, the slowest of them as a rate."""
        often = [
            quota for quota in self._quotas if isinstance(quota, SlidingQuota) and calls > windows * quota.limit.calls
        ]
        others = [copy.deepcopy(quota) for quota in self._quotas if quota not in often]
        return (Quotas(others) if others else None), min([quota.slower for quota in often], default=None)

    def take(self, calls: int, now: Moment) -> None:
        """So many start now; a negative number: so many did not leave after all."""
        for quota in self._quotas:
            quota.take(calls, now)

    def used(self, now: Moment, ahead: int = 0) -> dict[str, list[list[int]]]:
        """What to write down, by limit."""
        return {quota.limit.text: quota.used(now, ahead) for quota in self._quotas}

    def restore(self, used: dict[str, list[list[int]]], now: Moment) -> None:
        """What an earlier run has written down. A limit that is new begins with nothing."""
        for quota in self._quotas:
            quota.restore(used.get(quota.limit.text, ()), now)


def make_quotas(limits: Iterable[Limit], reset: time, zone: tzinfo) -> Quotas | None:
    """The limits of one key; None without any."""
    made: list[Quota] = [
        DayQuota(limit, reset, zone) if limit.window_s is None else SlidingQuota(limit) for limit in limits
    ]
    return Quotas(made) if made else None
