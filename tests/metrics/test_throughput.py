"""Rates of the last seconds."""

from __future__ import annotations

import pytest

from fetcher.metrics import RateWindow


def test_a_steady_rate_is_found() -> None:
    """Ten a second, looked at four times a second for a minute."""
    window = RateWindow(5.0, started_s=100.0)
    for quarter in range(1, 241):
        rate = window.rate_per_s(100.0 + quarter / 4, int(quarter * 2.5))
    assert rate == pytest.approx(10.0, rel=0.02)


def test_a_stall_is_seen_within_the_window() -> None:
    """Five seconds after the last call the rate is zero, however fast it was before."""
    window = RateWindow(5.0, started_s=0.0)
    for quarter in range(1, 81):
        window.rate_per_s(quarter / 4, quarter * 25)
    rates = [window.rate_per_s(20.0 + quarter / 4, 2000) for quarter in range(1, 25)]
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] == 0.0


def test_the_first_moment_does_not_exaggerate() -> None:
    """One call in the first 10 ms is not a hundred a second."""
    assert RateWindow(5.0, started_s=0.0).rate_per_s(0.01, 1) == 1.0


def test_a_look_after_a_long_while_takes_the_mean_since() -> None:
    """Nobody looked for an hour: there is nothing better than the mean of it."""
    window = RateWindow(5.0, started_s=0.0)
    assert window.rate_per_s(3600.0, 7200) == pytest.approx(2.0)
