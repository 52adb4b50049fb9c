"""Proof that the cap held: the fullest 1-second and 100-millisecond window of the times at which calls were sent.

It watches the pacer from outside and shares nothing with it; it decides nothing. A window is half open, [t, t + 1 s):
two calls exactly one second apart are in two windows. Exact, in fixed memory: the times of the last second lie in a
ring, and each is entered once and left once by each window, so a call costs O(1).
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from typing import Final

import msgspec

SMALLEST_RING: Final = 1024
IDLE_GAPS: Final = 3.0
"""A gap of more than three slots (and more than a second) is a pause: it does not count as busy time."""


class Proof(msgspec.Struct, frozen=True):
    """What was seen. Times are monotonic seconds."""

    cap_per_s: float
    sent: int
    worst_1s: int
    """Calls in the fullest window of one second."""
    worst_1s_at_s: float
    """When the last call of that window was sent."""
    worst_100ms: int
    mean_per_s: float
    """Over the busy time: pauses left out. 0 with fewer than two calls."""
    busy_s: float
    first_s: float
    last_s: float
    exact: bool
    """False: more calls in a second than the ring holds (twice the cap), or times that went back."""
    clock_error_s: float = 0.0
    """The times are of several machines, whose clocks may disagree by this much; 0: of one."""

    @property
    def holds(self) -> bool:
        """No window over the cap. A cap that is no whole number allows the next whole one."""
        return self.exact and self.worst_1s <= max(1, math.ceil(self.cap_per_s))

    @property
    def used(self) -> float:
        """Share of the cap that was used while busy, 0 to 1."""
        return self.mean_per_s / self.cap_per_s


class CapProof:
    """Told of every call at the moment it is sent, in order of time."""

    def __init__(self, cap_per_s: float) -> None:
        self._cap_per_s = cap_per_s
        self._size = max(SMALLEST_RING, 2 * math.ceil(cap_per_s))
        self._ring = array("d", bytes(8 * self._size))
        self._idle_s = max(1.0, IDLE_GAPS / cap_per_s)
        self._first_1s = self._first_100ms = 0  # number of the first call that is still in the window
        self._first_s, self._last_s = 0.0, -math.inf
        self._busy_s, self._busy_gaps = 0.0, 0
        self._worst_1s_at_s = 0.0
        self._exact = True
        self._before_1s = 0  # the fullest second up to the last look
        self._fullest_1s = 0  # and since
        self.sent_count = 0
        self.worst_100ms = 0

    def set_cap(self, cap_per_s: float) -> None:
        """Another cap is in force. What is proven is then that no window was over the largest of them."""
        self._cap_per_s = max(self._cap_per_s, cap_per_s)
        self._idle_s = max(self._idle_s, IDLE_GAPS / cap_per_s)
        size = max(SMALLEST_RING, 2 * math.ceil(self._cap_per_s))
        if size > self._size:
            ring = array("d", bytes(8 * size))
            for number in range(max(0, self.sent_count - self._size), self.sent_count):
                ring[number % size] = self._ring[number % self._size]
            self._ring, self._size = ring, size

    def sent(self, now_s: float) -> None:
        """A call was sent at `now_s` (monotonic). A time before the last one counts as the last, and is noted."""
        self.sent_each((now_s,))

    def sent_each(self, times_s: Sequence[float]) -> None:
        """Several calls were sent, in this order. See `sent`."""
        ring, size, number = self._ring, self._size, self.sent_count
        first_1s, first_100ms, last_s = self._first_1s, self._first_100ms, self._last_s
        for now_s in times_s:
            gap_s = now_s - last_s
            if gap_s < 0.0:
                self._exact = False
                now_s = last_s
            elif not number:
                self._first_s = now_s
            elif gap_s <= self._idle_s:
                self._busy_s += gap_s
                self._busy_gaps += 1
            last_s = now_s
            if number - first_1s == size:
                first_1s += 1
                self._exact = False
            ring[number % size] = now_s
            while ring[first_1s % size] + 1.0 <= now_s:
                first_1s += 1
            if first_100ms < first_1s:
                first_100ms = first_1s
            while ring[first_100ms % size] + 0.1 <= now_s:
                first_100ms += 1
            number += 1
            if number - first_1s > self._fullest_1s:
                self._fullest_1s = number - first_1s
                if self._fullest_1s > self._before_1s:
                    self._worst_1s_at_s = now_s
            if number - first_100ms > self.worst_100ms:
                self.worst_100ms = number - first_100ms
        self.sent_count, self._last_s = number, last_s
        self._first_1s, self._first_100ms = first_1s, first_100ms

    @property
    def worst_1s(self) -> int:
        """Calls in the fullest second so far."""
        return max(self._before_1s, self._fullest_1s)

    def take_fullest_1s(self) -> int:
        """Calls in the fullest second that ended since this was asked last."""
        fullest, self._before_1s, self._fullest_1s = self._fullest_1s, self.worst_1s, 0
        return fullest

    @property
    def mean_per_s(self) -> float:
        """Calls a second over the busy time; 0 with fewer than two calls."""
        return self._busy_gaps / self._busy_s if self._busy_s else 0.0

    def proof(self) -> Proof:
        """What was seen so far."""
        return Proof(
            cap_per_s=self._cap_per_s,
            sent=self.sent_count,
            worst_1s=self.worst_1s,
            worst_1s_at_s=self._worst_1s_at_s,
            worst_100ms=self.worst_100ms,
            mean_per_s=self.mean_per_s,
            busy_s=self._busy_s,
            first_s=self._first_s,
            last_s=self._last_s if self.sent_count else 0.0,
            exact=self._exact,
        )
