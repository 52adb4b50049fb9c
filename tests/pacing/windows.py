"""Counts starts in windows, by the plainest code there is, so that it can be trusted."""

from __future__ import annotations

from bisect import bisect_right


def worst_window(starts_s: list[float], window_s: float = 1.0) -> int:
    """The most starts in any closed window of that length: it begins at a start, so look from each of them."""
    ordered = sorted(starts_s)
    return max((bisect_right(ordered, at + window_s) - i for i, at in enumerate(ordered)), default=0)
