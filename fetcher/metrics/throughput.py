"""How fast it goes: the rate of the last seconds.

It is fed with running totals when somebody looks (a few times a second), so a product costs nothing here.
"""

from __future__ import annotations

from collections import deque
from typing import Final

SAMPLES: Final = 32
SHORTEST_SPAN_S: Final = 1.0
"""The first tenth of a second says nothing about a rate; until a second has passed, a second is what is divided by."""


class RateWindow:
    """Growth of a running total over about the last `window_s` seconds."""

    def __init__(self, window_s: float, started_s: float) -> None:
        self._window_s = window_s
        self._samples: deque[tuple[float, int]] = deque([(started_s, 0)])

    def rate_per_s(self, now_s: float, total: int) -> float:
        """The rate up to now; remembers the total for later looks. At most 34 samples are kept."""
        samples = self._samples
        while len(samples) > 1 and samples[1][0] <= now_s - self._window_s:
            samples.popleft()
        then_s, then = samples[0]
        if now_s - samples[-1][0] >= self._window_s / SAMPLES:
            samples.append((now_s, total))
        return (total - then) / max(now_s - then_s, SHORTEST_SPAN_S)
