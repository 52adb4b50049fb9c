"""How much of the cap is left unused, so that jitter on the way does not carry a window *at the gateway* over it.

It must not know: how calls are spaced, clocks, what a call is.

A headroom of h lets a second's worth of evenly spaced calls arrive within 1 - h seconds before a window of a second can
hold one too many: 2.5 % carry 25 ms of jitter, at any cap. When the gateway refuses a call all the same although we
went at the full rate, the way is worse than that: half as much again, and so on, up to a tenth of the cap. It is not
lowered again: what a way has done once it does again, and a refusal costs more than a hundredth of the cap.
"""

from __future__ import annotations

from typing import Final

START: Final = 0.025
GROWTH: Final = 1.5
MOST: Final = 0.10
FULL_RATE: Final = 0.9
"""From this part of the cap on a refusal may be the jitter's; below, the gateway's real cap is what is being found."""


class Headroom:
    """Follows what is seen.

    Args:
        fixed: a part of the cap that somebody has set, 0 to 0.5; None: find it out.
    """

    def __init__(self, fixed: float | None = None) -> None:
        self._fixed = fixed is not None
        self.share = START if fixed is None else fixed
        """Part of the cap that is left unused."""

    def refused(self, rate_per_s: float, cap_per_s: float) -> bool:
        """The gateway said "over the rate" when we were allowed `rate_per_s`. True: the share has grown."""
        if self._fixed or rate_per_s < FULL_RATE * cap_per_s or self.share >= MOST:
            return False
        self.share = min(MOST, self.share * GROWTH)
        return True
