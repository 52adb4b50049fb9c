"""Rates of the last seconds and the course of the whole run."""

from __future__ import annotations

import pytest

from fetcher.metrics import RateWindow, Throughput


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


def test_the_course_shows_a_stall() -> None:
    """Five seconds at ten a second, five at none."""
    course = Throughput()
    for second in range(1, 11):
        total = min(second, 5) * 10
        course.observe(float(second), total, total)
    assert [point.calls_per_s for point in course.points()] == [10.0] * 5 + [0.0] * 5


@pytest.mark.parametrize("seconds", [9, 10, 11, 100, 5000])
def test_the_course_keeps_its_size_and_loses_no_call(seconds: int) -> None:
    """However long the run: at most so many points, and the stretches add up to all calls."""
    course = Throughput(points=10)
    for second in range(1, seconds + 1):
        course.observe(float(second), second * 7, second * 3, last=second == seconds)
    points = course.points()
    assert 0 < len(points) < 10
    starts_s = [0.0, *(point.elapsed_s for point in points)]
    spans = [point.elapsed_s - start_s for point, start_s in zip(points, starts_s, strict=False)]
    calls = sum(point.calls_per_s * span for point, span in zip(points, spans, strict=True))
    done = sum(point.done_per_s * span for point, span in zip(points, spans, strict=True))
    assert (calls, done) == (pytest.approx(seconds * 7), pytest.approx(seconds * 3))
    assert points[-1].elapsed_s == seconds


def test_looks_closer_than_the_spacing_are_not_kept() -> None:
    """Four looks a second make one point a second; the end is always noted, once."""
    course = Throughput()
    for quarter in range(1, 10):
        course.observe(quarter / 4, quarter, quarter)
    course.observe(2.25, 9, 9, last=True)
    course.observe(2.25, 9, 9, last=True)
    assert [point.elapsed_s for point in course.points()] == [1.0, 2.0, 2.25]
