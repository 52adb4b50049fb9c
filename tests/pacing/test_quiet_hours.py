"""Hours in which calls may start: over midnight, in any zone, also where clocks are put back."""

from __future__ import annotations

import math
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher.pacing import OpenHours
from fetcher.settings.times import parse_hours

BEIJING = timezone(timedelta(hours=8))
TIMES = st.tuples(st.integers(0, 23), st.integers(0, 59)).map(lambda pair: f"{pair[0]:02}:{pair[1]:02}")


def ms(day: int, hour: int, minute: int = 0) -> int:
    """In Beijing, in November."""
    return int(datetime(2026, 11, day, hour, minute, tzinfo=BEIJING).timestamp() * 1000)


@pytest.mark.parametrize(
    ("hours", "now", "wait_h"),
    [
        ("22:00-06:00", (1, 21), 1),
        ("22:00-06:00", (1, 22), 0),
        ("22:00-06:00", (1, 2), 0),
        ("22:00-06:00", (1, 6), 16),
        ("09:00-17:00", (1, 17), 16),
        ("09:00-17:00", (1, 8), 1),
        ("20:00-24:00", (1, 23), 0),
        ("20:00-24:00", (1, 0), 20),
        ("00:00-00:00", (1, 13), 0),
    ],
)
def test_calls_wait_for_the_next_opening(hours: str, now: tuple[int, int], wait_h: float) -> None:
    """Inside they do not wait; the end is outside."""
    assert OpenHours([parse_hours(hours)], BEIJING).wait_s(ms(*now)) == wait_h * 3600


def test_inside_any_of_several() -> None:
    """And for how long it is open still."""
    hours = OpenHours([parse_hours("12:00-13:00"), parse_hours("22:00-06:00")], BEIJING)
    assert hours.wait_s(ms(1, 12, 30)) == 0
    assert hours.wait_s(ms(1, 13)) == 9 * 3600
    assert hours.open_for_s(ms(1, 12, 30)) == 1800
    assert OpenHours([], None).wait_s(ms(1, 13)) == 0 and OpenHours([], None).open_for_s(0) == math.inf


@given(st.lists(st.tuples(TIMES, TIMES), min_size=1, max_size=3), st.integers(0, 400 * 86_400), st.booleans())
def test_after_the_wait_it_is_open_and_before_it_is_not(
    pairs: list[tuple[str, str]], second: int, in_berlin: bool
) -> None:
    """At any moment of a year, and never later than in a day and an hour."""
    zone = ZoneInfo("Europe/Berlin") if in_berlin else BEIJING
    hours = OpenHours([parse_hours(f"{opens}-{closes}") for opens, closes in pairs], zone)
    now_ms = ms(1, 0) + second * 1000
    wait_s = hours.wait_s(now_ms)
    assert 0 <= wait_s <= 25 * 3600
    skipped = in_berlin and datetime.fromtimestamp(now_ms / 1000 + wait_s, zone).hour in (2, 3)
    assert hours.wait_s(now_ms + round(wait_s * 1000)) == 0 or skipped
    if wait_s > 60:
        assert hours.wait_s(now_ms + round(wait_s * 1000) - 30_000) > 0 or skipped


@pytest.mark.parametrize("text", ["", "22-06", "24:00-06:00", "22:00-06:60", "22:00", "22:00-6:00"])
def test_what_are_no_hours_is_said(text: str) -> None:
    """With an example."""
    with pytest.raises(ValueError, match="22:00-06:00"):
        parse_hours(text)
