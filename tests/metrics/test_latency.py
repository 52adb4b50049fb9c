"""The histogram against sorted lists."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher.metrics import Histogram

durations = st.lists(st.floats(min_value=1e-5, max_value=3599.0), min_size=1, max_size=200)


def filled(values: list[float]) -> Histogram:
    """A histogram of these durations."""
    histogram = Histogram()
    for value in values:
        histogram.record(value)
    return histogram


@given(durations, st.floats(min_value=0.0, max_value=1.0))
def test_a_quantile_is_within_one_percent_of_the_sorted_list(values: list[float], share: float) -> None:
    """From 10 µs to an hour, whatever the distribution."""
    exact = sorted(values)[max(1, math.ceil(share * len(values))) - 1]
    assert filled(values).quantile(share) == pytest.approx(exact, rel=0.01)


@given(durations)
def test_ends_count_and_mean_are_exact(values: list[float]) -> None:
    """Smallest, largest, count and mean do not go through the buckets."""
    histogram = filled(values)
    assert (histogram.min_s, histogram.max_s, histogram.count) == (min(values), max(values), len(values))
    assert histogram.quantile(0.0) == min(values)
    assert histogram.quantile(1.0) == max(values)
    assert histogram.mean_s == pytest.approx(sum(values) / len(values))


@given(durations, durations)
def test_merging_is_recording_both(first: list[float], second: list[float]) -> None:
    """Two halves merged answer as the whole does."""
    merged, whole = filled(first), filled(first + second)
    merged.merge(filled(second))
    shares = (0.0, 0.1, 0.5, 0.9, 0.99, 1.0)
    assert merged.quantiles(*shares) == whole.quantiles(*shares)
    assert (merged.count, merged.min_s, merged.max_s) == (whole.count, whole.min_s, whole.max_s)
    assert merged.mean_s == pytest.approx(whole.mean_s)


def test_an_empty_histogram_answers_zero() -> None:
    """A run that never got an answer still has a summary."""
    histogram = Histogram()
    assert histogram.quantiles(0.0, 0.5, 1.0) == [0.0, 0.0, 0.0]
    assert histogram.mean_s == 0.0


@pytest.mark.parametrize("duration_s", [3600.0, 3601.0, 1e9])
def test_more_than_an_hour_is_counted(duration_s: float) -> None:
    """The last bucket takes it; the maximum stays exact."""
    histogram = filled([0.001, duration_s, duration_s])
    assert histogram.count == 3
    assert histogram.max_s == duration_s
    assert histogram.quantile(0.5) == pytest.approx(3600.0, rel=0.01)


def test_a_negative_duration_counts_as_zero() -> None:
    """A clock that steps back spoils neither the run nor the figures."""
    histogram = filled([-1.0, 0.5])
    assert (histogram.min_s, histogram.count, histogram.mean_s) == (0.0, 2, 0.25)


def test_one_value_between_equal_ones_is_found() -> None:
    """The 99th percentile sees the slow one in a hundred, the 98th does not."""
    histogram = filled([0.042] * 98 + [2.0] * 2)
    assert histogram.quantile(0.98) == pytest.approx(0.042, rel=0.01)
    assert histogram.quantile(0.99) == pytest.approx(2.0, rel=0.01)
