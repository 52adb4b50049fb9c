"""Enforces rates as strangers would: hard counts in windows. All times are monotonic seconds, passed in.

Invented: no source says which windows the real gateway uses, how long it punishes, or whether refused calls count. Of
the sister family it is known that a day ends at midnight in China (UTC+8).
"""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Sequence
from typing import Final, Protocol

import msgspec

PERIODS_S: Final = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86_400.0}
_CAP: Final = re.compile(r"([0-9]{1,9})/(second|minute|hour|day)(/api)?")


class Cap(msgspec.Struct, frozen=True):
    """So many calls in a period."""

    limit: int
    period: str
    each_api: bool = False
    """Counted for each API on its own."""


def parse_cap(text: str) -> Cap:
    """`300/minute`, `5000/day`, `4/second/api`.

    Raises:
        ValueError: it is none of these.
    """
    read = _CAP.fullmatch(text)
    if read is None or int(read[1]) == 0:
        raise ValueError(f"a cap is written 300/minute, 5000/day or 4/second/api, not {text!r}")
    return Cap(int(read[1]), read[2], bool(read[3]))


class Window(Protocol):
    """Counts calls in some length of time."""

    @property
    def daily(self) -> bool:
        """It is a day's quota."""
        ...

    def is_full(self, now_s: float) -> bool:
        """Whether one more would be over the cap."""
        ...

    def count(self, now_s: float) -> None:
        """Count one."""
        ...

    def frees_in_s(self, now_s: float) -> float:
        """Seconds until a full one has room."""
        ...


class SlidingWindow:
    """At most `limit` in any `length_s` seconds: exact, over every instant."""

    daily = False

    def __init__(self, limit: int, length_s: float) -> None:
        self._limit = limit
        self._length_s = length_s
        self._times: deque[float] = deque()

    def is_full(self, now_s: float) -> bool:
        """O(1) on average: each counted call leaves once."""
        times = self._times
        while times and now_s - times[0] >= self._length_s:
            times.popleft()
        return len(times) >= self._limit

    def count(self, now_s: float) -> None:
        """One time more."""
        self._times.append(now_s)

    def frees_in_s(self, now_s: float) -> float:
        """When the oldest leaves."""
        return self._length_s - (now_s - self._times[0]) if self._times else 0.0


class FixedWindow:
    """At most `limit` in each `length_s` seconds of the clock: twice that can pass around a boundary.

    Args:
        limit: calls.
        length_s: seconds.
        phase_s: what `now_s` is behind the clock by which windows begin.
        daily: see `Window`.
    """

    def __init__(self, limit: int, length_s: float, *, phase_s: float = 0.0, daily: bool = False) -> None:
        self._limit = limit
        self._length_s = length_s
        self._phase_s = phase_s
        self.daily = daily
        self._window = -math.inf
        self._counted = 0

    def is_full(self, now_s: float) -> bool:
        """A new window starts empty."""
        window = (now_s + self._phase_s) // self._length_s
        if window != self._window:
            self._window = window
            self._counted = 0
        return self._counted >= self._limit

    def count(self, now_s: float) -> None:
        """One more in the window of the last question."""
        self._counted += 1

    def frees_in_s(self, now_s: float) -> float:
        """When the next begins."""
        return self._length_s - (now_s + self._phase_s) % self._length_s


class Limiter:
    """Windows that all must have room, and what happens to those who overrun one."""

    def __init__(self, *windows: Window, ban_s: float = 0.0, refused_count: bool = False) -> None:
        self._windows = windows
        self._ban_s = ban_s
        self._refused_count = refused_count
        self._banned_until_s = -math.inf
        self._now_s = -math.inf
        self.overrun: Window | None = None
        """The window that refused last."""

    def admits(self, now_s: float) -> bool:
        """Whether a call that arrives now is let through; either way it is counted as it must be."""
        # Calls are asked about in the order in which their bodies came in, which may not be that of their arrival.
        now_s = self._now_s = max(now_s, self._now_s)
        # Each is asked, full or not: a window is counted in only after it was asked about this instant.
        full = [window for window in self._windows if window.is_full(now_s)]
        banned = now_s < self._banned_until_s
        if full:
            self.overrun = full[-1]
            if not banned:
                self._banned_until_s = now_s + self._ban_s
        refused = bool(full) or banned
        if not refused or self._refused_count:
            for window in self._windows:
                window.count(now_s)
        return not refused

    def frees_in_s(self) -> float:
        """Seconds from the last refusal until a call may come through."""
        window_s = 0.0 if self.overrun is None else self.overrun.frees_in_s(self._now_s)
        return max(window_s, self._banned_until_s - self._now_s, 0.0)


def rate_window(calls_per_s: float, kind: str) -> Window:
    """A cap of 2.5/s is 2 in each 0.8 s; of 0.5/s, 1 in 2 s."""
    limit = max(1, math.floor(calls_per_s))
    length_s = limit / calls_per_s
    return SlidingWindow(limit, length_s) if kind == "sliding" else FixedWindow(limit, length_s)


def windows_of(caps: Sequence[Cap], kind: str, *, day_s: float, phase_s: float) -> list[Window]:
    """A window for each cap, shortest first.

    Args:
        caps: what is allowed.
        kind: sliding or fixed.
        day_s: how long a day is.
        phase_s: what China's clock is ahead of the monotonic one.
    """
    made: list[Window] = []
    for cap in sorted(caps, key=lambda cap: PERIODS_S[cap.period]):
        length_s = PERIODS_S[cap.period]
        if cap.period == "day":
            made.append(FixedWindow(cap.limit, day_s, phase_s=phase_s, daily=True))
        elif kind == "sliding":
            made.append(SlidingWindow(cap.limit, length_s))
        else:
            made.append(FixedWindow(cap.limit, length_s, phase_s=phase_s))
    return made
