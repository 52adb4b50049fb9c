"""Caps over longer times: never more than allowed in any window, restarts or not, nor held back longer than said."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher.pacing import Moment, make_quotas
from fetcher.pacing.quotas import LATE_S, PARTS, DayQuota, SlidingQuota
from fetcher.settings.times import Limit, parse_limit

BEIJING = timezone(timedelta(hours=8))
WALL_MS = int(datetime(2026, 11, 28, 10, 0, tzinfo=BEIJING).timestamp() * 1000)


def at(seconds: float) -> Moment:
    """So long after a morning in Beijing."""
    return Moment(1000.0 + seconds, WALL_MS + round(seconds * 1000))


GAPS = st.lists(st.one_of(st.floats(0, 0.5), st.floats(0, 90)), min_size=1, max_size=120)


@given(st.integers(1, 12), st.sampled_from(["s", "min", "h"]), GAPS, st.integers(1, 4))
def test_no_window_holds_more_than_the_limit(calls: int, unit: str, gaps: list[float], greed: int) -> None:
    """However the calls come, each may leave up to a second after it was counted."""
    quota = SlidingQuota(parse_limit(f"{calls}/{unit}"))
    window_s, now_s, made = quota._window_s, 0.0, list[float]()
    for gap_s in gaps:
        now_s += gap_s
        taken = min(greed, quota.left(at(now_s)))
        quota.take(taken, at(now_s))
        made += [now_s + LATE_S * (len(made) % 2)] * taken
    made.sort()
    for start in made:
        assert sum(start <= time_s < start + window_s - 1e-6 for time_s in made) <= calls


@given(st.integers(1, 20), GAPS)
def test_after_the_wait_that_was_named_one_may_go(calls: int, gaps: list[float]) -> None:
    """Not before, and it is no longer than the window, a sixtieth and a second."""
    quota, now_s = SlidingQuota(parse_limit(f"{calls}/min")), 0.0
    for gap_s in gaps:
        now_s += gap_s
        quota.take(quota.left(at(now_s)), at(now_s))
        wait_s = quota.wait_s(at(now_s))
        assert 0 < wait_s <= 60 + 60 / PARTS + LATE_S + 1e-6
        assert quota.left(at(now_s + wait_s * 0.999 - 0.001)) == 0 or wait_s < 0.01
        assert quota.left(at(now_s + wait_s + 1e-6)) >= 1


@pytest.mark.untraced
@pytest.mark.parametrize("text", ["6/min", "6/h", "6/24h", "6/day", "6/30s"])
@given(st.lists(st.tuples(st.floats(0, 4000), st.integers(0, 3)), min_size=1, max_size=20), st.floats(0, 4000))
def test_a_restart_never_counts_fewer(text: str, made: list[tuple[float, int]], down_s: float) -> None:
    """What is left after a restart is at most what would have been left without one."""
    first = make_quotas([parse_limit(text)], time(0, 0), BEIJING)
    second = make_quotas([parse_limit(text)], time(0, 0), BEIJING)
    assert first is not None and second is not None
    now_s = 0.0
    for gap_s, calls in made:
        now_s += gap_s
        first.take(min(calls, first.left(at(now_s))), at(now_s))
    written = first.used(at(now_s))
    # A new process has another monotonic clock.
    later = at(now_s + down_s)
    second.restore(written, Moment(later.monotonic_s + 12345.6, later.wall_ms))
    assert abs(second.left(Moment(later.monotonic_s + 12345.6, later.wall_ms)) - first.left(later)) <= (
        0 if text == "6/day" else 6
    )
    assert second.left(Moment(later.monotonic_s + 12345.6, later.wall_ms + 1)) <= first.left(later) + 0


def test_what_is_written_ahead_counts_after_a_kill() -> None:
    """As many as may have been made since, and not for ever."""
    for text in ("100/min", "100/day"):
        quotas = make_quotas([parse_limit(text)], time(0, 0), BEIJING)
        again = make_quotas([parse_limit(text)], time(0, 0), BEIJING)
        assert quotas is not None and again is not None
        quotas.take(10, at(0))
        again.restore(quotas.used(at(0), ahead=7), at(1))
        assert again.left(at(1)) == 83
        assert again.left(at(86_400)) == 100


def test_a_day_begins_at_the_reset_in_its_zone() -> None:
    """Ten in the morning in Beijing; reset at noon there."""
    quota = DayQuota(parse_limit("5/day"), time(12, 0), BEIJING)
    quota.take(5, at(0))
    assert quota.left(at(0)) == 0
    assert quota.wait_s(at(0)) == 7200
    assert quota.left(at(7199)) == 0
    assert quota.left(at(7200)) == 5
    quota.take(1, at(7200))
    assert quota.wait_s(at(7200)) == 0
    assert quota.left(at(7000)) == 4, "a clock that is set back does not bring the old day again"


def test_a_day_of_another_length_is_reckoned_with() -> None:
    """Where clocks are put back the night is an hour longer."""
    zone = ZoneInfo("Europe/Berlin")
    evening = datetime(2026, 10, 24, 23, 0, tzinfo=zone)
    now = Moment(0.0, int(evening.timestamp() * 1000))
    quota = DayQuota(parse_limit("1/day"), time(6, 0), zone)
    quota.take(1, now)
    assert quota.wait_s(now) == 8 * 3600


def test_stacked_limits_all_hold() -> None:
    """The tightest one decides, and is named."""
    quotas = make_quotas([parse_limit("3/min"), parse_limit("5/day")], time(0, 0), UTC)
    assert quotas is not None
    now = at(0)
    quotas.take(3, now)
    assert quotas.left(now) == 0 and quotas.holds_back(now).text == "3/min"
    later = at(70)
    assert quotas.left(later) == 2
    quotas.take(2, later)
    assert quotas.holds_back(later).text == "5/day"
    quotas.take(-1, later)
    assert quotas.left(later) == 1
    assert make_quotas([], time(0, 0), UTC) is None


@pytest.mark.parametrize("text", ["", "5", "0/min", "5/week", "1.5/min", "5/0s", "-5/day", "5 / day", "5/min/h"])
def test_what_is_no_limit_is_said(text: str) -> None:
    """With examples."""
    with pytest.raises(ValueError, match="100/min"):
        parse_limit(text)


def test_limits_read_as_they_are_written() -> None:
    """Any number of seconds, minutes or hours, and the two kinds of day."""
    assert parse_limit("30/10s") == Limit(30, 10.0, "30/10s")
    assert parse_limit(" 9000/24h ").window_s == 86_400.0
    assert parse_limit("5000/day").window_s is None
    assert parse_limit("7/2h").window_s == 7200.0
