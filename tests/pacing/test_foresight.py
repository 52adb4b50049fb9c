"""When so many calls will have started: held against playing it through call by call."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, time, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fetcher.pacing import Lane, Moment, OpenHours, forecast, make_quotas
from fetcher.settings.times import parse_hours, parse_limit

BEIJING = timezone(timedelta(hours=8))
NOON = datetime(2026, 11, 28, 12, tzinfo=BEIJING)
NOW = Moment(5000.0, int(NOON.timestamp() * 1000))
ALWAYS = OpenHours([], None)


def quotas(*limits: str, used: int = 0) -> Any:
    """So many calls of them are used."""
    made = make_quotas([parse_limit(text) for text in limits], time(0, 0), BEIJING)
    if made is not None:
        made.take(used, NOW)
    return made


def night(*hours: str) -> OpenHours:
    """In Beijing."""
    return OpenHours([parse_hours(text) for text in hours], BEIJING)


def played(calls: int, rate_per_s: float, limits: Sequence[str], used: int, hours: OpenHours) -> float:
    """Seconds until the last of them starts, one after the other."""
    mine, passed_s = quotas(*limits, used=used), 0.0
    while calls:
        at = Moment(NOW.monotonic_s + passed_s, NOW.wall_ms + round(passed_s * 1000))
        wait_s = hours.wait_s(at.wall_ms) or (mine.wait_s(at) if mine else 0.0)
        if not wait_s:
            calls, wait_s = calls - 1, 1 / rate_per_s
            if mine:
                mine.take(1, at)
        passed_s += max(wait_s, 0.001)
    return passed_s


def test_without_limits_it_is_the_rate() -> None:
    """Of all keys together."""
    assert forecast(1000, [Lane(20.0), Lane(5.0)], ALWAYS, NOW) == (pytest.approx(40.0), 0.0, {})
    assert forecast(0, [Lane(20.0)], ALWAYS, NOW) == (0.0, 0.0, {})


def test_what_the_day_has_used_is_not_there_any_more() -> None:
    """Noon, 700 of 1000 used: 300 go today, the other 700 after midnight."""
    seen = forecast(1000, [Lane(10.0, quotas("1000/day", used=700))], ALWAYS, NOW)
    assert seen.duration_s == pytest.approx(12 * 3600 + 70, abs=1)
    assert seen.quotas_s == {"1000/day": pytest.approx(12 * 3600 - 30, abs=1)}
    fresh = forecast(1000, [Lane(10.0, quotas("1000/day"))], ALWAYS, NOW)
    assert fresh.duration_s == pytest.approx(100) and fresh.quotas_s == {}


def test_hours_are_waited_for() -> None:
    """From noon to ten at night, and once more the next night."""
    seen = forecast(36_000, [Lane(1.0)], night("22:00-06:00"), NOW)
    assert seen.duration_s == pytest.approx(10 * 3600 + 8 * 3600 + 16 * 3600 + 2 * 3600)
    assert seen.hours_s == pytest.approx(26 * 3600) and seen.quotas_s == {}


def test_a_key_that_is_used_up_leaves_the_work_to_the_other() -> None:
    """And what is shared has the rate of both."""
    lanes = [Lane(10.0, quotas("100/day")), Lane(10.0, quotas("10000/day"))]
    assert forecast(1000, lanes, ALWAYS, NOW).duration_s == pytest.approx(10 + 80, abs=0.5)


def test_a_million_calls_are_looked_at_in_a_moment() -> None:
    """Small windows are taken for the rate that they let through; what is too long is taken to go on as so far."""
    seen = forecast(1_000_000, [Lane(5.0, quotas("100/min", "90000/day"))], ALWAYS, NOW)
    assert seen.duration_s == pytest.approx(1_000_000 / (90_000 / 86_400), rel=0.05)
    assert seen.quotas_s["90000/day"] > 0 and seen.quotas_s["100/min"] > 0
    long = forecast(10_000_000, [Lane(5.0, quotas("100/day"))], ALWAYS, NOW)
    assert long.duration_s == pytest.approx(100_000 * 86_400, rel=0.01)


def test_nothing_that_it_is_given_is_changed() -> None:
    """It looks ahead on copies."""
    mine = quotas("100/min", used=30)
    forecast(500, [Lane(5.0, mine)], ALWAYS, NOW)
    assert mine.left(NOW) == 70


@settings(deadline=None, max_examples=60)
@given(
    st.integers(1, 600),
    st.sampled_from([0.5, 2.0, 7.0]),
    st.lists(st.sampled_from(["30/min", "50/min", "200/h", "300/day", "400/24h"]), unique=True, max_size=2),
    st.integers(0, 40),
    st.sampled_from([(), ("22:00-06:00",), ("12:00-12:30", "20:00-20:10")]),
)
def test_as_if_call_by_call(
    calls: int, rate_per_s: float, limits: list[str], used: int, hours: tuple[str, ...]
) -> None:
    """Within a sixtieth of the longest window, or two in a hundred."""
    opens = night(*hours) if hours else ALWAYS
    used = min([used, *[parse_limit(text).calls for text in limits]]) if limits else 0
    seen = forecast(calls, [Lane(rate_per_s, quotas(*limits, used=used))], opens, NOW)
    real_s = played(calls, rate_per_s, limits, used, opens)
    parts_s = [(parse_limit(text).window_s or 0.0) / 60 for text in limits]
    assert math.isclose(seen.duration_s, real_s, rel_tol=0.02, abs_tol=2 * max(parts_s, default=0.0) + 5)
    assert seen.hours_s + sum(seen.quotas_s.values()) == pytest.approx(
        seen.duration_s - calls / rate_per_s, abs=5 + 2 * max(parts_s, default=0.0)
    )
