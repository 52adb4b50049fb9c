"""Enforces a rate as strangers would: a hard count in a window. All times are monotonic seconds, passed in.

Invented: no source says which window the real gateway uses, how long it punishes, or whether refused calls count.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Protocol

from fetcher.sandbox.options import SandboxSettings


class Window(Protocol):
    """Counts calls in one second or so."""

    def is_full(self, now_s: float) -> bool:
        """Whether one more would be over the cap."""
        ...

    def count(self, now_s: float) -> None:
        """Count one."""
        ...


class SlidingWindow:
    """At most `limit` in any `length_s` seconds: exact, over every instant."""

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


class FixedWindow:
    """At most `limit` in each `length_s` seconds of the clock: twice that can pass around a boundary."""

    def __init__(self, limit: int, length_s: float) -> None:
        self._limit = limit
        self._length_s = length_s
        self._window = -math.inf
        self._counted = 0

    def is_full(self, now_s: float) -> bool:
        """A new window starts empty."""
        window = now_s // self._length_s
        if window != self._window:
            self._window = window
            self._counted = 0
        return self._counted >= self._limit

    def count(self, now_s: float) -> None:
        """One more in the window of the last question."""
        self._counted += 1


class Limiter:
    """A window, and what happens to those who overrun it."""

    def __init__(self, window: Window, *, ban_s: float = 0.0, refused_count: bool = False) -> None:
        self._window = window
        self._ban_s = ban_s
        self._refused_count = refused_count
        self._banned_until_s = -math.inf
        self._now_s = -math.inf

    def admits(self, now_s: float) -> bool:
        """Whether a call that arrives now is let through; either way it is counted as it must be."""
        # Calls are asked about in the order in which their bodies came in, which may not be that of their arrival.
        now_s = self._now_s = max(now_s, self._now_s)
        full = self._window.is_full(now_s)
        banned = now_s < self._banned_until_s
        if full and not banned:
            self._banned_until_s = now_s + self._ban_s
        refused = full or banned
        if not refused or self._refused_count:
            self._window.count(now_s)
        return not refused


def make_limiter(settings: SandboxSettings) -> Limiter | None:
    """A limiter after the settings, or None without a cap. A cap of 2.5/s is 2 in each 0.8 s; of 0.5/s, 1 in 2 s."""
    if settings.qps is None:
        return None
    limit = max(1, math.floor(settings.qps))
    kind = SlidingWindow if settings.window == "sliding" else FixedWindow
    window = kind(limit, limit / settings.qps)
    return Limiter(window, ban_s=settings.ban_s, refused_count=settings.refused_count)
