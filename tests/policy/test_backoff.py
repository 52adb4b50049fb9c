"""Back-off: exponential with full jitter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher.policy import full_jitter_s


@pytest.mark.parametrize(
    ("attempt", "longest_s"), [(1, 0.5), (2, 1.0), (3, 2.0), (6, 16.0), (7, 30.0), (10_000, 30.0), (0, 0.5)]
)
def test_the_upper_end_doubles_up_to_thirty_seconds(attempt: int, longest_s: float) -> None:
    """0.5 · 2^(n-1), at most 30 s; numbers that never end do no harm."""
    assert full_jitter_s(attempt, 1.0) == pytest.approx(longest_s)


def test_the_base_can_be_chosen() -> None:
    """Throttles start from a second."""
    assert full_jitter_s(1, 0.5, base_s=1.0) == 0.5


@given(st.integers(1, 100), st.floats(0, 1, exclude_max=True))
def test_jitter_is_full(attempt: int, dice: float) -> None:
    """The whole range from zero is used, in proportion to the dice."""
    assert full_jitter_s(attempt, dice) == pytest.approx(dice * full_jitter_s(attempt, 1.0))
