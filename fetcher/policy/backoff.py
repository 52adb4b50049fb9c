"""How long to wait before trying again: exponential, with full jitter.

It must not know: dice (a number from 0 to 1 is an argument), what failed.

Full jitter, because clients that failed together must not come back together (AWS, "Exponential Backoff And Jitter";
the constants are those of the reliability notes, "Retry, throttle, breakers").
"""

from __future__ import annotations

from typing import Final

TRANSIENT_BASE_S: Final = 0.5
LONGEST_S: Final = 30.0
MOST_DOUBLINGS: Final = 16


def full_jitter_s(attempt: int, dice: float, base_s: float = TRANSIENT_BASE_S, longest_s: float = LONGEST_S) -> float:
    """Seconds to wait after the failed attempt number `attempt`, counted from 1.

        U(0, min(longest, base · 2^(attempt - 1)))

    Args:
        attempt: which attempt failed.
        dice: a random number, 0 <= dice < 1.
        base_s: upper end of the first wait.
        longest_s: upper end of every wait.
    """
    doublings = min(max(attempt - 1, 0), MOST_DOUBLINGS)
    return dice * min(longest_s, base_s * 2.0**doublings)
