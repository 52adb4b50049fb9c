"""When the next call may start: an even schedule, and under it an exact guard over the last second.

It must not know: clocks (every time is an argument, monotonic seconds), tasks, sockets, what a call is.

Two laws, each O(1) amortised:

1. **The even schedule.** slot[k+1] = slot[k] + gap, gap = 1 / (rate · (1 - headroom)). The first slot lies one gap
   after the start and one gap after every pause. No credit: a tick that comes late makes up at most `slack_s` of lost
   slots (6 ms more than permits gather for, where that is more: 13 ms at 1 000/s).
2. **The exact guard.** A permit is granted only while

       starts sent in the last window  +  permits granted, neither sent nor returned  <  limit

   with limit = floor(cap) in a window of 1 s, or 1 in a window of 1/cap s for caps below 1. The window is longer by
half of what the headroom carries: so much of it is kept for the way to the gateway, and what is late here cannot use it
up. The other half is left for the schedule to get even again.

Why no window of sent times can hold more than the limit: the sum does not change when a granted permit is sent (one
less granted, one more sent), it falls as time passes or a permit is returned, and only grants raise it, up to the
limit. So at every instant the starts of the last window are at most the limit, however late and in whatever order
granted permits are sent, after stalls, pauses and changes of the rate. The guard needs no schedule; the schedule makes
it idle.

Why a restart cannot pass the cap with nothing stored: let r = rate · (1 - headroom). A life has at most
r · (x + slack + delay) + 1 starts in its last x seconds (delay: the longest time from grant to sending) and r · y in
its first y, because its first slot waits one gap. A second that spans both has x + down + y <= 1, hence at most r + 1
starts, below cap + 1, whenever the process was down for at least slack + delay: 10 to 14 ms and a little, less than an
interpreter takes to start. A life that ticks each millisecond and sends at once uses no slack: then a restart may
take no time at all, as long as the headroom is above 0.1 %.

Even gaps beat bursts at real enforcers, and 1 or 2 % of headroom takes refusals from jitter on the way to nothing
(measured; experiment 10 of the reliability notes, and the rate limiting table beside it).
"""

from __future__ import annotations

import math
from array import array
from typing import Final

from fetcher.errors import Defect
from fetcher.pacing.lease import Slowdown

EPSILON_S: Final = 1e-6
"""Starts must lie this much more than a window apart, so that neither rounding nor a closed window counts both."""
ROUNDING_S: Final = 1e-9
"""A slot this close is due: sums of gaps are not exact."""
WAY: Final = 0.5
"""Part of what the headroom carries that the guard keeps for the way."""
GATHER: Final = 10
GATHER_S: Final = 0.008
"""So many permits, or those of about so long a time, are worth a waking: it costs as much as several of them."""
LATE_S: Final = 0.006
"""So late a waking may come after its permits have gathered, and nothing is lost."""


def at_once(rate_per_s: float) -> int:
    """How many permits gather for one waking at this rate."""
    return max(1, min(GATHER, round(GATHER_S * rate_per_s)))


class Pacer:
    """Grants permits to start calls. Never more than `cap_per_s` sent in any second, evenly spread, nothing saved up.

    Caps above 1 that are not whole are rounded down: 2.5/s would be 2 in one second and 3 in another, so it is 2/s.
    Below 1/s it is one call in 1/cap seconds. Memory is fixed: one float for each call of a second.

    Args:
        cap_per_s: the cap, above 0 and at most 1 000 000.
        now_s: monotonic time of the start; the first slot is one gap later.
        headroom: part of the cap that is left unused, 0 to 0.5; carries the jitter between here and the gateway.
        slack_s: how much lateness a tick may make up. 10 ms loses no more of the cap than 20 ms and keeps the fullest
            second at the gateway four calls in 300 lower (measured).

    Raises:
        ValueError: a number outside its range.
    """

    def __init__(self, cap_per_s: float, now_s: float, headroom: float = 0.02, slack_s: float = 0.01) -> None:
        if not 0 < cap_per_s <= 1_000_000:
            raise ValueError(f"cap_per_s must be above 0 and at most 1000000, not {cap_per_s}")
        if not 0 <= headroom <= 0.5:
            raise ValueError(f"headroom must be between 0 and 0.5, not {headroom}")
        self.cap_per_s = cap_per_s
        self._limit = max(1, math.floor(cap_per_s))
        self._most_per_s = min(cap_per_s, float(self._limit))
        self.rate_per_s = self._most_per_s
        """The rate in force: the cap (rounded down), or less after `set_rate`."""
        self.paused_until_s = -math.inf
        self._evenness = 1 - headroom
        self._least_slack_s = slack_s
        self._follow_rate()
        self._next_s = now_s + self._gap_s
        self._window_s = self._guarded_s()
        self._granted = 0
        self._size = self._limit
        self._sent_s = array("d", bytes(8 * self._size))  # a ring: `_used` times, the oldest at `_oldest`
        self._oldest = 0
        self._used = 0

    def due(self, now_s: float) -> int:
        """How many permits may be taken now. Taking fewer is fine."""
        if now_s < self._next_s - ROUNDING_S:
            return 0
        self._forget(now_s)
        start_s = max(self._next_s, now_s - self._slack_s)
        slots = int((now_s - start_s + ROUNDING_S) / self._gap_s) + 1
        return min(slots, self._limit - self._used - self._granted)

    def take(self, n: int, now_s: float) -> None:
        """Take `n` permits that `due` offered. Each must later be `sent` or `returned`, exactly once.

        A pause that began since they were offered moves the schedule; it does not take them back.

        Raises:
            Defect: more than the guard allows.
        """
        self._forget(now_s)
        if n < 0 or self._used + self._granted + n > self._limit:
            raise Defect("more permits were taken than were due")
        self._granted += n
        self._next_s = max(self._next_s, now_s - self._slack_s) + n * self._gap_s

    def sent(self, now_s: float) -> bool:
        """One granted call is written now. Call it with the time just before the first byte.

        Returns:
            Whether it may still be: always here; see `LeasedPacer`.

        Raises:
            Defect: no permit is out.
        """
        if not self._granted:
            raise Defect("a call was sent without a permit")
        self._granted -= 1
        # There is room: used + granted <= limit held before, and granted has just fallen by one.
        self._sent_s[(self._oldest + self._used) % self._size] = now_s
        self._used += 1
        return True

    def returned(self) -> None:
        """A granted permit will not be used. Its slot is lost: no credit.

        Raises:
            Defect: no permit is out.
        """
        if not self._granted:
            raise Defect("a permit was returned that nobody had")
        self._granted -= 1

    def left(self, now_s: float) -> float:
        """The part of the cap that is left of the last second, 0 to 1."""
        self._forget(now_s)
        return 1.0 - (self._used + self._granted) / self._limit

    def wait_s(self, now_s: float) -> float:
        """Seconds until a permit could be due, 0 when one is; infinity while only outstanding permits block."""
        self._forget(now_s)
        wait_s = max(0.0, self._next_s - now_s)
        if self._used + self._granted < self._limit:
            return 0.0 if wait_s <= ROUNDING_S else wait_s
        if not self._used:
            return math.inf
        return max(wait_s, self._sent_s[self._oldest] + self._window_s - now_s)

    def wake_s(self, now_s: float) -> float:
        """Seconds until asking pays: the next permit waits for some that follow, so that one waking serves all."""
        return max(self.wait_s(now_s), self._next_s + self._gather_s - now_s)

    def pause_until(self, when_s: float) -> None:
        """Grant nothing before `when_s`, then go on one gap later. A longer pause is not shortened by a shorter one."""
        if when_s > self.paused_until_s:
            self.paused_until_s = when_s
            self._next_s = max(self._next_s, when_s + self._gap_s)

    def slow(self, slowdown: Slowdown) -> None:
        """The gateway has throttled us: pause. (The rate is set by `set_rate`.)"""
        self.pause_until(slowdown.resume_s)

    def set_rate(self, rate_per_s: float) -> None:
        """Go at `rate_per_s`, at most the cap, from the next slot on.

        Raises:
            ValueError: it is not above 0.
        """
        if not rate_per_s > 0:
            raise ValueError(f"rate_per_s must be above 0, not {rate_per_s}")
        rate_per_s = min(rate_per_s, self._most_per_s)
        if rate_per_s == self.rate_per_s:
            return
        self.rate_per_s = rate_per_s
        self._follow_rate()

    def set_cap(self, cap_per_s: float, now_s: float) -> None:
        """Keep to another cap, from the next slot on, at its full rate.

        What was sent in the last second counts against the new cap: a second that spans the change holds no more than
        the larger of the two, and after a lower one nothing starts until there is room under it.

        Raises:
            ValueError: it is outside its range.
        """
        fresh = Pacer(cap_per_s, now_s, 1 - self._evenness, self._least_slack_s)
        times = [self._sent_s[(self._oldest + k) % self._size] for k in range(self._used)]
        self.cap_per_s, self._limit, self._most_per_s = fresh.cap_per_s, fresh._limit, fresh._most_per_s
        self.rate_per_s, self._window_s = fresh.rate_per_s, fresh._window_s
        self._follow_rate()
        self._size = max(self._limit, len(times) + self._granted)
        self._sent_s, self._oldest = array("d", [*times, *bytes(self._size - len(times))]), 0
        self._next_s = max(self.paused_until_s, min(self._next_s, now_s + self._gap_s))

    def set_headroom(self, headroom: float) -> None:
        """Leave another part of the cap unused from the next slot on.

        Raises:
            ValueError: it is not between 0 and 0.5.
        """
        if not 0 <= headroom <= 0.5:
            raise ValueError(f"headroom must be between 0 and 0.5, not {headroom}")
        self._evenness = 1 - headroom
        self._follow_rate()
        self._window_s = self._guarded_s()

    def _follow_rate(self) -> None:
        """What follows from the rate and the headroom."""
        self._gap_s = 1 / (self.rate_per_s * self._evenness)
        self._gather_s = (at_once(1 / self._gap_s) - 1) * self._gap_s
        self._slack_s = max(self._least_slack_s, self._gather_s + LATE_S)

    def _guarded_s(self) -> float:
        """The window that holds no more starts than the limit."""
        return max(1.0, 1 / self.cap_per_s) * (1 + WAY * (1 / self._evenness - 1)) + EPSILON_S

    def _forget(self, now_s: float) -> None:
        """Drop the starts that have left the window: each is dropped once."""
        # The same sum as in `wait_s`: were it rounded otherwise, a wait of 0 could find nothing due.
        while self._used and self._sent_s[self._oldest] + self._window_s <= now_s:
            self._oldest = (self._oldest + 1) % self._size
            self._used -= 1
