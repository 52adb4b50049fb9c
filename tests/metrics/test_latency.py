"""The histogram against sorted lists."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher.metrics import Histogram, coarse_bounds_s
from fetcher.metrics.latency import coarse_quantiles

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


@given(st.lists(st.floats(1e-4, 1000), min_size=1, max_size=300), st.floats(0.01, 1.0))
def test_coarse_counts_are_near_the_truth(durations_s: list[float], share: float) -> None:
    """Within a coarse bucket of the fine answer; totals are kept."""
    histogram = Histogram()
    for duration_s in durations_s:
        histogram.record(duration_s)
    counts = histogram.coarse()
    assert sum(counts) == len(durations_s)
    [coarse_s] = coarse_quantiles(counts, share)
    fine_s = sorted(durations_s)[max(1, math.ceil(share * len(durations_s))) - 1]
    assert coarse_s is not None and fine_s * 0.87 <= coarse_s <= fine_s * 1.15


def test_the_bounds_of_coarse_buckets_fit_their_counts() -> None:
    """Every duration lies below its bucket's bound and not below the one before."""
    bounds_s = coarse_bounds_s()
    for duration_s in (0.0001, 0.0421, 1.0, 59.0, 3599.0):
        histogram = Histogram()
        histogram.record(duration_s)
        place = histogram.coarse().index(1)
        assert bounds_s[place - 1] <= duration_s <= bounds_s[place]


def test_the_table_goes_as_far_as_there_are_durations() -> None:
    """Ten durations say nothing of the 99.9th percentile; a hundred thousand do."""
    few, many = Histogram(), Histogram()
    for number in range(100_000):
        many.record(0.001 * (1 + number % 100))
        if number < 10:
            few.record(0.001)
    assert [one.share for one in few.table()][-2:] == [0.9, 1.0]
    assert [one.share for one in many.table()][-2:] == [0.99999, 1.0]
    assert Histogram().table() == []


def test_what_is_taken_out_is_gone() -> None:
    """All but the detours: counts and mean are those of the rest."""
    all_of_them, detours = Histogram(), Histogram()
    for duration_s in (0.1, 0.2, 0.3, 0.4):
        all_of_them.record(duration_s)
    detours.record(0.4)
    rest = all_of_them.without(detours)
    assert rest.count == 3
    assert rest.mean_s == pytest.approx(0.2)
