"""How much of the cap is left unused, so that jitter on the way does not carry a window *at the gateway* over it.

It must not know: how calls are spaced, clocks (times are arguments), what a call is.

A headroom of h lets a second's worth of evenly spaced calls arrive within 1 - h seconds before a window of a second can
hold one too many: 2.5 % carry 25 ms of jitter, at any cap. Nobody can see how long the way *there* took, but it cannot
vary by more than the whole exchange does. So:

* at the start 2.5 %, until three answers have come and half a second has passed. Three to five show no spread yet, but
  how long a whole exchange takes at most: four times as much as the slowest of them, where that is less;
* where the answers' latencies lie closer together, more than their spread and a millisecond: three times as much after
  six answers, twice as much after many, never below 0.7 %. How late this process itself was for the calls counts as if
  the way had been: where one program has to wait for its turn, so has another. Of answers that come within the same
  10 ms the mean counts: what carries a second over the cap is calls that are late together. One call in a hundred
  is one call, however late. Where they spread widely (the gateway's
  own work does that) it is never above the start: it proves nothing. It rises with the first answer that shows why;
* where the gateway refuses a call all the same although we went at the full rate, the way is worse than was seen:
  half as much again as at the start, and so on, up to a tenth of the cap. From then on it is not lowered: what a way
  has done once it does again, and a refusal costs more than a hundredth of the cap.
"""

from __future__ import annotations

import math
from array import array
from typing import Final

START: Final = 0.025
LEAST: Final = 0.007
"""Of a way without jitter, as far as anybody can see: half of it is kept for the way by the pacer's guard."""
GROWTH: Final = 1.5
MOST: Final = 0.10
FULL_RATE: Final = 0.9
"""From this part of the cap on a refusal may be the jitter's; below, the gateway's real cap is what is being found."""

SAMPLES: Final = 256
FEW: Final = 3
FEW_BEYOND: Final = 4.0
"""Of three even draws from 0 on the largest is a quarter of the whole or more, in 98 of 100 cases."""
FEWEST: Final = 6
"""Of six even draws the farthest lie a third of the whole range apart or more, in 98 of 100 cases: three times as much
covers it. Of n draws (n + 3) / (n - 3) times as much does."""
FEWEST_S: Final = 0.5
"""At a high rate six answers are of the same moment."""
APART_S: Final = 0.01
"""So long at least a sample takes, so that at a high rate they do not all come from the same moment."""
LOOK_EVERY: Final = 8
"""Samples between two looks, unless one lies outside all others: sorting 256 numbers takes 10 µs."""
FREAKS: Final = 256
"""Of so many samples the slowest is not looked at: what is rarer would cost more than a refusal now and then."""
BEYOND: Final = 2.0
"""Of the spread of many: on a busy machine the next one is farther out than any of fifty before."""
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
        self._first_s = math.nan
        self._next_sample_s = -math.inf
        self._answers, self._latency_sum_s = 0, 0.0  # since the last sample
        self._calls, self._late_sum_s = 0, 0.0
        self._range_s = (math.inf, -math.inf)

    def answered(self, latency_s: float, now_s: float, answers: int = 1) -> bool:
        """Answers came until `now_s`, in the mean `latency_s` after their requests. True: the share has changed."""
        if self._fixed or self._refused:
            return False
        self._answers += answers
        self._latency_sum_s += latency_s * answers
        if now_s < self._next_sample_s:
            return False
        self._next_sample_s = now_s + APART_S
        latency_s = self._latency_sum_s / self._answers + self._late_sum_s / max(1, self._calls)
        self._answers, self._latency_sum_s, self._calls, self._late_sum_s = 0, 0.0, 0, 0.0
        if len(self._latencies_s) < SAMPLES:
            self._latencies_s.append(latency_s)
        else:
            self._latencies_s[self._sampled % SAMPLES] = latency_s
        if not self._sampled:
            self._first_s = now_s
        self._sampled += 1
        if self._sampled < FEW or now_s - self._first_s < FEWEST_S:
            return False
        shortest_s, longest_s = self._range_s
        if self._sampled > LOOK_EVERY and shortest_s <= latency_s <= longest_s and self._sampled % LOOK_EVERY:
            return False
        before, self.share = self.share, self._of_spread()
        return self.share != before

    def late(self, late_s: float, calls: int = 1) -> None:
        """The first of these calls could start only so much later: this process had to wait for its turn.

        Those that became due in the meantime were less late, the last of them not at all.
        """
        self._calls += calls
        self._late_sum_s += late_s * (calls + 1) / 2

    def _of_spread(self) -> float:
        ordered, n = sorted(self._latencies_s), len(self._latencies_s)
        longest_s = ordered[-1 - n // FREAKS]
        self._range_s = (ordered[0], longest_s)
        beyond, least_s = (FEW_BEYOND, 0.0) if n < FEWEST else (max(BEYOND, (n + 3) / (n - 3)), ordered[0])
        most_s = beyond * (longest_s - least_s)
        steps = math.ceil((most_s + SPARE_S) / STEP)  # in steps, so that it does not flicker
        return max(LEAST, min(START, steps * STEP))

    def refused(self, rate_per_s: float, cap_per_s: float) -> bool:
        """The gateway said "over the rate" when we were allowed `rate_per_s`. True: the share has grown."""
        if self._fixed or rate_per_s < FULL_RATE * cap_per_s or self.share >= MOST:
            return False
        self._refused = True
        self.share = min(MOST, max(START, self.share) * GROWTH)
        return True
