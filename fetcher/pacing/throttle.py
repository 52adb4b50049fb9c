"""The rate that the gateway bears: lowered when it says "too fast", raised again by and by.

It must not know: how calls are spaced (that is the pacer's), which ID was throttled, clocks (times are arguments).

The law (constants from the reliability notes, "Retry, throttle, breakers"; experiment 9: remembering the last bad rate
beat plain AIMD, 0.9 % against 2.7 % refused):

* once an epoch: rate × 0.7, never below 0.5/s, and all pause. An epoch ends with its pause: answers to calls that
  started before then were already under way and say nothing about the new rate.
* the pause: 1.05 s, so that a sliding second which counts refused calls too is empty again; doubled for every further
  throttle without a success in between, up to 60 s; never less than what the gateway asks for.
* recovery, from the end of the pause: + 5 % of the cap a second up to 90 % of the last bad rate, then + 0.5 % of that
  rate. (Of that rate and not of the cap: with a real cap of 5 % of the configured one the refused part falls from 16 to
  2 % in simulation, and it stays below 1 % at 60 %.)
* the last bad rate is forgotten when the rate stands a quarter above it, some 70 s later: caps change.
"""

from __future__ import annotations

import math
from typing import Final

from fetcher.pacing.lease import Slowdown

DECREASE: Final = 0.7
FLOOR_PER_S: Final = 0.5
PAUSE_S: Final = 1.05
LONGEST_PAUSE_S: Final = 60.0
LONGEST_ASKED_S: Final = 300.0
"""A gateway that asks for more than this wants us gone: stop, resumable, and say when to come back."""
FAST_RECOVERY: Final = 0.05
"""Part of the cap, per second."""
SLOW_RECOVERY: Final = 0.005
"""Part of the last bad rate, per second."""
NEAR_BAD: Final = 0.9
DISPROVED: Final = 1.25


class Throttle:
    """Follows the gateway's real cap from below.

    Args:
        cap_per_s: the configured cap; the rate never passes it.
        patience_s: how long nothing but throttle answers may come before `given_up`.
    """

    def __init__(self, cap_per_s: float, patience_s: float = 900.0) -> None:
        self._cap_per_s = cap_per_s
        self._floor_per_s = min(FLOOR_PER_S, cap_per_s)
        self._patience_s = patience_s
        self._rate_per_s = cap_per_s
        self._at_s = -math.inf
        self._last_bad_per_s = math.inf
        self._resume_s = -math.inf
        self._streak = 0
        self._since_s = math.inf
        self.too_long_wait_s: float | None = None
        """Seconds that the gateway asked to wait, when that is over 300: the run should stop, resumable."""

    def throttled(self, now_s: float, started_s: float, asked_wait_s: float | None) -> float:
        """The gateway said "too fast" to a call that started at `started_s`.

        Returns:
            Seconds for which nothing may start; 0.0 when the call belongs to an epoch that was answered already.
        """
        if asked_wait_s is not None and asked_wait_s > LONGEST_ASKED_S:
            self.too_long_wait_s = asked_wait_s
        if started_s < self._resume_s:
            return 0.0
        rate_per_s = self.rate(now_s)
        self._last_bad_per_s = rate_per_s
        self._rate_per_s = max(self._floor_per_s, rate_per_s * DECREASE)
        if not self._streak:
            self._since_s = now_s
        own_pause_s = min(LONGEST_PAUSE_S, PAUSE_S * 2.0 ** min(self._streak, 10))
        self._streak += 1
        pause_s = max(own_pause_s, min(asked_wait_s or 0.0, LONGEST_ASKED_S))
        self._resume_s = self._at_s = now_s + pause_s
        return pause_s

    def set_cap(self, cap_per_s: float) -> None:
        """Keep to another cap; what was learnt of the gateway's own stays, where it is lower."""
        was_slowed = self._rate_per_s < self._cap_per_s
        self._cap_per_s, self._floor_per_s = cap_per_s, min(FLOOR_PER_S, cap_per_s)
        self._rate_per_s = min(self._rate_per_s, cap_per_s) if was_slowed else cap_per_s

    def slowdown(self) -> Slowdown:
        """What others who share the cap have to know after `throttled`."""
        return Slowdown(self._resume_s, self._rate_per_s, self._last_bad_per_s, self._streak)

    def adopt(self, told: Slowdown) -> None:
        """Another process was throttled: what it has learnt holds here too. What was learnt here is kept if newer."""
        if told.resume_s > self._resume_s:
            self._resume_s = self._at_s = told.resume_s
            self._rate_per_s = min(self._cap_per_s, told.rate_per_s)
            self._last_bad_per_s, self._streak = told.last_bad_per_s, told.streak

    def succeeded(self, now_s: float) -> None:
        """An answer came that was not a throttle. Those that come before the pause ends prove nothing."""
        if self._streak and now_s >= self._resume_s:
            self._streak = 0

    def rate(self, now_s: float) -> float:
        """The rate to go at, per second, at most the cap."""
        if self._rate_per_s >= self._cap_per_s or now_s <= self._at_s:
            return self._rate_per_s
        if self._rate_per_s > DISPROVED * self._last_bad_per_s:
            self._last_bad_per_s = self._cap_per_s / NEAR_BAD  # as far as the cap nothing is known to be bad
        passed_s, self._at_s = now_s - self._at_s, now_s
        near_per_s, fast_per_s2 = NEAR_BAD * self._last_bad_per_s, FAST_RECOVERY * self._cap_per_s
        fast_s = min(passed_s, max(0.0, (near_per_s - self._rate_per_s) / fast_per_s2))
        slow_per_s = (passed_s - fast_s) * SLOW_RECOVERY * self._last_bad_per_s
        self._rate_per_s = min(self._cap_per_s, self._rate_per_s + fast_s * fast_per_s2 + slow_per_s)
        return self._rate_per_s

    def given_up(self, now_s: float) -> bool:
        """Nothing but throttle answers for longer than the patience: no attempt is burned, so this must end the run."""
        return self._streak > 1 and now_s - self._since_s > self._patience_s
