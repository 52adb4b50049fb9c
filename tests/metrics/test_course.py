"""The course of a whole run: bounded, and nothing lost in it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher.metrics import Course, Snapshot


def figures(elapsed_s: float, calls: int = 0, **more: Any) -> Snapshot:
    """A snapshot of a run that sends and finishes `calls` calls in all."""
    return Snapshot(**{"elapsed_s": elapsed_s, "started": calls, "fetched": calls, "rate_now_per_s": 10.0, **more})


def test_the_course_shows_a_stall() -> None:
    """Five seconds at ten a second, five at none."""
    course = Course()
    for second in range(1, 11):
        course.observe(figures(float(second), min(second, 5) * 10))
    assert [point.calls_per_s for point in course.points()] == [10.0] * 5 + [0.0] * 5


@pytest.mark.parametrize("seconds", [9, 10, 11, 100, 5000])
def test_the_course_keeps_its_size_and_loses_no_call(seconds: int) -> None:
    """However long the run: at most so many points, and the stretches add up to all calls; extremes survive."""
    course = Course(points=10)
    for second in range(1, seconds + 1):
        peak = 99 if second == seconds // 2 else 7
        course.observe(
            figures(float(second), second * 7, throttles=second, fullest_1s=peak, in_flight=peak),
            last=second == seconds,
        )
    points = course.points()
    assert 0 < len(points) < 10
    starts_s = [0.0, *(point.elapsed_s for point in points)]
    spans = [point.elapsed_s - start_s for point, start_s in zip(points, starts_s, strict=False)]
    assert sum(p.calls_per_s * span for p, span in zip(points, spans, strict=True)) == pytest.approx(seconds * 7)
    assert sum(point.throttles for point in points) == seconds
    assert max(point.fullest_1s for point in points) == max(point.in_flight for point in points) == 99
    assert points[-1].elapsed_s == seconds


def test_looks_closer_than_the_spacing_are_not_kept_but_counted() -> None:
    """Ten looks a second make few points; what was seen in between is in the next; the end is noted, no sliver."""
    course = Course()
    for tenth in range(1, 11):
        course.observe(figures(tenth / 10, tenth, fullest_1s=50 if tenth == 2 else 1), last=tenth == 10)
    course.observe(figures(1.0, 10), last=True)
    assert [point.elapsed_s for point in course.points()] == [0.3, 0.6, 1.0]
    assert [point.fullest_1s for point in course.points()] == [50, 1, 1]


def test_latencies_of_a_stretch_are_its_own() -> None:
    """Each stretch has the quantiles of its own calls; none where nothing was answered."""
    course, counts = Course(), [0] * 248
    for second, bucket in ((1, 100), (2, 100), (3, 140)):
        counts[bucket] += 0 if second == 2 else 50
        course.observe(figures(float(second), second, latency_counts=tuple(counts)))
    first, second, third = (point.latency_p50_s for point in course.points())
    assert second is None
    assert first is not None and third is not None and third == pytest.approx(first * 2**5, rel=0.01)


def test_a_wait_is_one_pause() -> None:
    """Seen at several looks it is one, from the look before the first; the same reason much later is another."""
    course = Course()
    for quarter in range(1, 41):
        waits = "over the rate" if 5 <= quarter <= 10 or quarter >= 30 else ""
        course.observe(figures(quarter / 4, wait_reason=waits))
    assert [(p.start_s, p.end_s, p.reason) for p in course.pauses()] == [
        (1.0, 2.5, "over the rate"),
        (7.25, 10.0, "over the rate"),
    ]


@given(st.lists(st.tuples(st.floats(0.01, 5.0), st.sampled_from(["", "a", "b", "c"])), max_size=600))
def test_pauses_keep_their_size_and_order(looks: list[tuple[float, str]]) -> None:
    """However often a run is held up: few pauses, in order, none overlapping, as long in all as was seen at least."""
    course, now_s, seen_s = Course(), 0.0, 0.0
    for gap_s, reason in looks:
        now_s += gap_s
        seen_s += gap_s if reason else 0.0
        course.observe(figures(now_s, wait_reason=reason))
    pauses = course.pauses()
    assert len(pauses) <= 120
    assert all(one.end_s <= other.start_s + 1e-9 for one, other in pairwise(pauses))
    assert sum(pause.end_s - pause.start_s for pause in pauses) >= seen_s - 1e-6
