"""The plan of a dry run, reckoned by hand."""

from __future__ import annotations

import json

import pytest

from fetcher.metrics import InputCounts, Pace, Sending, make_plan
from fetcher.settings import Limit

COUNTS = InputCounts(
    lines=1100, blank=10, duplicates=40, fetched_earlier=40, failed_earlier=6, to_retry=4, new=996, bad=4
)


def test_calls_are_the_new_ones_and_those_to_try_again() -> None:
    """A thousand calls at 20/s less 2 % headroom take 51 s."""
    plan = make_plan(COUNTS, Pace(cap_per_s=20.0, headroom=0.02, attempts=1.0), wall_ms=1_000_000)
    assert (plan.calls, plan.left_over, plan.limited_by) == (1000, 0, "cap")
    assert plan.rate_per_s == pytest.approx(19.6)
    assert plan.duration_s == pytest.approx(1000 / 19.6)
    assert plan.finish_wall_ms == 1_000_000 + round(1000 / 19.6 * 1000)


def test_many_ids_share_a_call() -> None:
    """A thousand IDs, twenty a call: fifty calls; a limit of calls leaves IDs over."""
    plan = make_plan(COUNTS, Pace(cap_per_s=20.0, ids_per_call=20, price=0.5), wall_ms=0)
    assert (plan.calls, plan.left_over, plan.cost) == (50, 0, 25.0)
    assert make_plan(COUNTS, Pace(cap_per_s=20.0, ids_per_call=30), wall_ms=0).calls == 34
    plan = make_plan(COUNTS, Pace(cap_per_s=20.0, ids_per_call=20, max_calls=7), wall_ms=0)
    assert (plan.calls, plan.left_over) == (7, 860)


@pytest.mark.parametrize(("max_calls", "calls", "left_over"), [(0, 0, 1000), (300, 300, 700), (5000, 1000, 0)])
def test_max_calls_leaves_the_rest(max_calls: int, calls: int, left_over: int) -> None:
    """What is not called today is left for a later run."""
    plan = make_plan(COUNTS, Pace(cap_per_s=20.0, max_calls=max_calls), wall_ms=0)
    assert (plan.calls, plan.left_over) == (calls, left_over)


@pytest.mark.parametrize(
    ("concurrency", "latency_s", "limited_by", "rate_per_s"),
    [(4, 0.5, "concurrency", 8.0), (50, 0.5, "cap", 20.0), (None, 0.5, "cap", 20.0), (4, None, "cap", 20.0)],
)
def test_too_few_in_flight_limit_the_rate(
    concurrency: int | None, latency_s: float | None, limited_by: str, rate_per_s: float
) -> None:
    """Little's law: in flight ÷ latency, where that is less than the cap."""
    plan = make_plan(
        COUNTS, Pace(cap_per_s=20.0, concurrency=concurrency, latency_s=latency_s, attempts=1.0), wall_ms=0
    )
    assert (plan.limited_by, plan.rate_per_s) == (limited_by, pytest.approx(rate_per_s))
    assert plan.concurrency_needed == (10 if latency_s else None)
    assert plan.duration_s == pytest.approx(1000 / rate_per_s + (latency_s or 0.0))


def test_nothing_to_do_takes_no_time() -> None:
    """A finished job: no call, no second."""
    plan = make_plan(InputCounts(lines=5, fetched_earlier=5), Pace(cap_per_s=5.0, latency_s=1.0), wall_ms=77)
    assert (plan.calls, plan.duration_s, plan.finish_wall_ms, plan.limited_by) == (0, 0.0, 77, "nothing")


def test_it_goes_into_json() -> None:
    """All of it, nested counts included."""
    plan = make_plan(COUNTS, Pace(cap_per_s=20.0), wall_ms=0).as_dict()
    assert json.loads(json.dumps(plan))["counts"]["duplicates"] == 40
    assert plan["pace"]["cap_per_s"] == 20.0


def test_retries_are_expected_and_paid() -> None:
    """As many calls an ID as before; where nothing is known, one in a hundred; never more than the limit allows."""
    seen = make_plan(COUNTS, Pace(cap_per_s=20.0, attempts=1.25, price=0.1), wall_ms=0)
    assert (seen.calls, seen.retries, seen.cost) == (1000, 250, pytest.approx(125.0))
    assert seen.duration_s == pytest.approx(1250 / 20)
    assumed = make_plan(COUNTS, Pace(cap_per_s=20.0), wall_ms=0)
    assert assumed.retries == 10
    limited = make_plan(COUNTS, Pace(cap_per_s=20.0, attempts=1.25, max_calls=1100), wall_ms=0)
    assert (limited.calls, limited.retries, limited.left_over) == (1000, 100, 0)


def test_many_ids_in_a_call() -> None:
    """Calls are what is paced and paid; what is left over is counted in IDs."""
    plan = make_plan(COUNTS, Pace(cap_per_s=20.0, ids_per_call=30, attempts=1.0, price=1.0), wall_ms=0)
    assert (plan.calls, plan.ids, plan.cost) == (34, 1000, 34.0)
    limited = make_plan(COUNTS, Pace(cap_per_s=20.0, ids_per_call=30, max_calls=10), wall_ms=0)
    assert (limited.calls, limited.ids, limited.left_over) == (10, 300, 700)


def test_what_was_played_through_counts() -> None:
    """Its duration, retries included, and what is waited for; the quota that is waited for longest limits."""
    asked: list[tuple[int, float]] = []

    def sending(calls: int, rate_per_s: float) -> Sending:
        asked.append((calls, rate_per_s))
        return Sending(90_000.0, 3600.0, {"100/min": 40.0, "300/day": 80_000.0})

    quotas = (Limit(300, None, "300/day"), Limit(100, 60.0, "100/min"))
    pace = Pace(cap_per_s=20.0, quotas=quotas, hours=("22:00-06:00",), attempts=1.2, latency_s=0.5)
    plan = make_plan(COUNTS, pace, 1000, sending)
    assert asked == [(1200, 20.0)]
    assert (plan.duration_s, plan.finish_wall_ms, plan.hours_wait_s) == (90_000.5, 90_001_500, 3600.0)
    assert (plan.limited_by, plan.quota) == ("quota", "300/day")


def test_limits_that_are_not_reached_change_nothing() -> None:
    """The cap limits."""
    plan = make_plan(COUNTS, Pace(cap_per_s=20.0, attempts=1.0), 0, lambda calls, per_s: Sending(calls / per_s))
    assert (plan.duration_s, plan.limited_by, plan.quota) == (50.0, "cap", None)


@pytest.mark.parametrize(("processes", "limited_by"), [(1, "core"), (3, "cap")])
def test_a_core_has_its_limit(processes: int, limited_by: str) -> None:
    """At twenty thousand calls a second one process is what limits."""
    assert make_plan(COUNTS, Pace(cap_per_s=20_000.0, processes=processes), 0).limited_by == limited_by
