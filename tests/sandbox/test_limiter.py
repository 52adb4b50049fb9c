"""The enforced rate, on a clock that the test turns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher.sandbox.limiter import FixedWindow, Limiter, SlidingWindow, rate_window

GAPS = st.lists(st.floats(0, 1.5, allow_nan=False), max_size=80)


def admitted(limiter: Limiter, times: list[float]) -> list[float]:
    """The times that were let through."""
    return [each for each in times if limiter.admits(each)]


def limiter(qps: float, window: str = "sliding", ban_s: float = 0.0, refused_count: bool = False) -> Limiter:
    """A limiter of one rate."""
    return Limiter(rate_window(qps, window), ban_s=ban_s, refused_count=refused_count)


@given(GAPS, st.integers(1, 6), st.booleans(), st.sampled_from([0.0, 2.0]))
def test_a_sliding_window_never_lets_more_through(gaps: list[float], cap: int, counts: bool, ban_s: float) -> None:
    """In no second that ends at a call are there more than the cap."""
    times = [sum(gaps[:k]) for k in range(len(gaps))]
    through = admitted(limiter(qps=cap, refused_count=counts, ban_s=ban_s), times)
    for k, now_s in enumerate(through):
        assert sum(1 for each in through[: k + 1] if now_s - each < 1.0) <= cap


@given(GAPS, st.integers(1, 6))
def test_a_fixed_window_never_lets_more_through(gaps: list[float], cap: int) -> None:
    """In no second of the clock are there more than the cap."""
    through = admitted(limiter(qps=cap, window="fixed"), [sum(gaps[:k]) for k in range(len(gaps))])
    for second in {each // 1 for each in through}:
        assert sum(1 for each in through if each // 1 == second) <= cap


@given(GAPS, st.integers(1, 6))
def test_a_sliding_window_refuses_nobody_who_keeps_to_it(gaps: list[float], cap: int) -> None:
    """A call is refused only when the cap is reached in the second before it."""
    times = [sum(gaps[:k]) for k in range(len(gaps))]
    window = limiter(qps=cap)
    through: list[float] = []
    for now_s in times:
        room = sum(1 for each in through if now_s - each < 1.0) < cap
        assert window.admits(now_s) is room
        if room:
            through.append(now_s)


def test_windows_differ_at_a_boundary() -> None:
    """Twice the cap can pass around a fixed window's end, never a sliding one's."""
    burst = [0.9, 0.95, 1.0, 1.05]
    assert admitted(Limiter(FixedWindow(2, 1.0)), burst) == burst
    assert admitted(Limiter(SlidingWindow(2, 1.0)), burst) == burst[:2]


@pytest.mark.parametrize(
    ("qps", "expected"), [(0.5, [0.0, 2.0, 4.0]), (2.5, [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0])]
)
def test_fractions(qps: float, expected: list[float]) -> None:
    """Half a call a second is one in two; two and a half is two in four fifths."""
    assert admitted(limiter(qps=qps), [k / 2 for k in range(9)]) == expected


def test_refused_calls_may_count() -> None:
    """Then whoever goes on above the cap gets nothing more; otherwise the cap."""
    times = [k / 10 for k in range(50)]
    assert len(admitted(limiter(qps=5), times)) == 25
    assert len(admitted(limiter(qps=5, refused_count=True), times)) == 5


def test_a_ban_lasts() -> None:
    """From the refusal, and calls during it do not make it longer."""
    times = [0.0, 0.1, 1.2, 2.0, 2.09, 2.1, 2.2]
    assert admitted(limiter(qps=1, ban_s=2.0), times) == [0.0, 2.1]


def test_a_clock_that_steps_back_is_not_followed() -> None:
    """Calls are asked about in another order than they came in: no room is made by that."""
    window = Limiter(SlidingWindow(1, 1.0))
    assert window.admits(5.0)
    assert not window.admits(4.0) and not window.admits(5.9) and window.admits(6.0)
