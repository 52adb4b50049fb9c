"""How many calls may be in flight: what cap and latency need (Little's law), and some to spare.

It must not know: workers, connections, clocks.

    target = ceil(cap × mean latency × 1.5) + spare, between 2 and the maximum

What starts at once is to spare: were fewer free, a waking could not start all that has gathered. Two at least.

The mean follows about the last second of answers. The target rises at once and falls only when a quarter too many
are in flight, so noise does not hire and dismiss workers. A server that is slower the more it is given (it queues)
draws the target up to the maximum and no further: the maximum is the brake.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

from fetcher.pacing.pacer import at_once

TO_SPARE: Final = 1.5
EXTRA: Final = 2
FEWEST: Final = 2
FIRST_LATENCY_S: Final = 0.25
FIRST_MOST: Final = 64
"""The first guess: a quarter of a second, but not a crowd of connections before the first answer."""
FALL_BELOW: Final = 0.75
FEWEST_SAMPLES: Final = 20
MOST_SAMPLES: Final = 1000


class InFlight:
    """Follows the latency of answers.

    Args:
        cap_per_s: calls per second that are wanted.
        fixed: a number set by the user wins over everything.
        maximum: never more than this.

    Raises:
        ValueError: a number below 1.
    """

    def __init__(self, cap_per_s: float, fixed: int | None = None, maximum: int = 1000) -> None:
        if (fixed is not None and fixed < 1) or maximum < 1:
            raise ValueError("at least one call must be allowed in flight")
        self._cap_per_s, self._spare = cap_per_s, max(EXTRA, at_once(cap_per_s))
        self._fixed = fixed
        self._maximum = maximum
        self._samples = 0
        self._window = min(MOST_SAMPLES, max(FEWEST_SAMPLES, math.ceil(cap_per_s)))
        self._mean_s = FIRST_LATENCY_S
        first = min(FIRST_MOST, math.ceil(cap_per_s * FIRST_LATENCY_S) + self._spare)
        self._target = fixed if fixed is not None else self._bounded(first)

    @property
    def latency_s(self) -> float:
        """The mean latency that is reckoned with, seconds."""
        return self._mean_s

    def observe(self, latency_s: float) -> None:
        """An exchange took `latency_s`. Tell those that were lost too: a timeout holds its place for its whole time."""
        self.observe_each((latency_s,))

    def observe_each(self, latencies_s: Iterable[float]) -> None:
        """Several exchanges took so long. See `observe`."""
        samples, window, mean_s = self._samples, self._window, self._mean_s
        for latency_s in latencies_s:
            if samples < window:
                samples += 1
            mean_s += ((latency_s if latency_s > 0.0 else 0.0) - mean_s) / samples
        self._samples, self._mean_s = samples, mean_s
        if self._fixed is not None:
            return
        needed = self._bounded(math.ceil(self._cap_per_s * self._mean_s * TO_SPARE) + self._spare)
        if needed > self._target or needed < self._target * FALL_BELOW:
            self._target = needed

    def set_cap(self, cap_per_s: float) -> None:
        """Calls per second that are wanted from now on."""
        self._cap_per_s, self._spare = cap_per_s, max(EXTRA, at_once(cap_per_s))
        self._window = min(MOST_SAMPLES, max(FEWEST_SAMPLES, math.ceil(cap_per_s)))
        self._samples = min(self._samples, self._window)
        self.fix(self._fixed)

    def fix(self, fixed: int | None) -> None:
        """So many from now on; None: what cap and latency need.

        Raises:
            ValueError: a number below 1.
        """
        if fixed is not None and fixed < 1:
            raise ValueError("at least one call must be allowed in flight")
        self._fixed = fixed
        needed = math.ceil(self._cap_per_s * self._mean_s * TO_SPARE) + self._spare
        self._target = fixed if fixed is not None else self._bounded(needed)

    def target(self) -> int:
        """How many calls may be in flight now."""
        return self._target

    def _bounded(self, n: int) -> int:
        return max(min(FEWEST, self._maximum), min(n, self._maximum))
