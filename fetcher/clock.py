"""Time as a thing that is passed in, so that tests can turn it."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Two clocks: one that only ever goes forward, and the one on the wall, which may jump."""

    def monotonic_s(self) -> float:
        """Seconds since an arbitrary start; never jumps."""
        ...

    def wall_ms(self) -> int:
        """Milliseconds since 1970 UTC; may jump. For stamps only, never for durations."""
        ...


class SystemClock:
    """The machine's clocks. (uvloop's `loop.time()` is cached to the millisecond: too coarse for pacing.)"""

    monotonic_s = staticmethod(time.monotonic)
    """See `Clock`. No function of ours around it: it is asked several times a call."""

    def wall_ms(self) -> int:
        """See `Clock`."""
        return time.time_ns() // 1_000_000
