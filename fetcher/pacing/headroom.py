"""How much of the cap is left unused, so that jitter on the way does not carry a window *at the gateway* over it.

It must not know: how calls are spaced, clocks (times are arguments), what a call is.

A headroom of h lets a second's worth of evenly spaced calls arrive within 1 - h seconds before a window of a second can
hold one too many: 2.5 % carry 25 ms of jitter, at any cap. Nobody can see how long the way *there* took, but it cannot
vary by more than the whole exchange does. So:

* at the start 2.5 %, until some answers have come;
* where the answers' latencies lie closer together, a quarter more than their spread and a millisecond, never below
  1.5 %; where they spread widely (the gateway's own work does that) never above the start: it proves nothing;
* where the gateway refuses a call all the same although we went at the full rate, the way is worse than was seen:
  half as much again as at the start, and so on, up to a tenth of the cap. From then on it is not lowered: what a way
  has done once it does again, and a refusal costs more than a hundredth of the cap.
"""

from __future__ import annotations

import math
from array import array
from typing import Final

START: Final = 0.025
LEAST: Final = 0.015
"""Of a way without jitter: a busy machine stalls either side for some milliseconds, which answers seldom show.
With 0.5 % a gateway saw 21 calls in a second at a cap of 20 in 3 runs of 16 (measured); 1.5 % carry 15 ms."""
GROWTH: Final = 1.5
MOST: Final = 0.10
FULL_RATE: Final = 0.9
"""From this part of the cap on a refusal may be the jitter's; below, the gateway's real cap is what is being found."""

SAMPLES: Final = 256
FEWEST: Final = 24
"""Of 24 even draws the farthest lie 92 % of the whole range apart; a quarter more covers it."""
APART_S: Final = 0.01
"""At least so long between two samples, so that at a high rate they do not all come from the same moment."""
LOOK_EVERY: Final = 8
"""Samples between two looks: sorting 256 numbers takes 10 µs."""
FREAKS: Final = 256
"""Of so many samples the slowest is not looked at: what is rarer would cost more than a refusal now and then."""
BEYOND: Final = 1.25
SPARE_S: Final = 0.001
STEP: Final = 0.001


class Headroom:
    """Follows what is seen.

    Args:
        fixed: a part of the cap that somebody has set, 0 to 0.5; None: find it out.
    """

    def __init__(self, fixed: float | None = None) -> None:
        self._fixed = fixed is not None
        self._refused = False
        self.share = START if fixed is None else fixed
        """Part of the cap that is left unused."""
        self._latencies_s = array("d")
        self._sampled = 0
        self._next_sample_s = -math.inf

    def answered(self, latency_s: float, now_s: float) -> bool:
        """An answer came at `now_s`, `latency_s` after its request had left. True: the share has changed."""
        if now_s < self._next_sample_s or self._fixed or self._refused:
            return False
        self._next_sample_s = now_s + APART_S
        if len(self._latencies_s) < SAMPLES:
            self._latencies_s.append(latency_s)
        else:
            self._latencies_s[self._sampled % SAMPLES] = latency_s
        self._sampled += 1
        if self._sampled < FEWEST or self._sampled % LOOK_EVERY:
            return False
        before, self.share = self.share, self._of_spread()
        return self.share != before

    def _of_spread(self) -> float:
        ordered = sorted(self._latencies_s)
        spread_s = ordered[-1 - len(ordered) // FREAKS] - ordered[0]
        steps = math.ceil((BEYOND * spread_s + SPARE_S) / STEP)  # in steps, so that it does not flicker
        return max(LEAST, min(START, steps * STEP))

    def refused(self, rate_per_s: float, cap_per_s: float) -> bool:
        """The gateway said "over the rate" when we were allowed `rate_per_s`. True: the share has grown."""
        if self._fixed or rate_per_s < FULL_RATE * cap_per_s or self.share >= MOST:
            return False
        self._refused = True
        self.share = min(MOST, max(START, self.share) * GROWTH)
        return True
