"""The throttle: one step down an epoch, one pause for all, and back up carefully."""

from __future__ import annotations

import heapq
from collections import deque
from random import Random

import pytest

from fetcher.pacing import Pacer, Throttle


def test_the_rate_is_the_cap_until_somebody_complains() -> None:
    """Without a throttle answer the cap is used from the start."""
    assert Throttle(20).rate(12_345.0) == 20


def test_a_throttle_lowers_the_rate_and_pauses_for_a_window() -> None:
    """× 0.7, and 1.05 s for all, so that a window which counts refused calls too is empty again."""
    throttle = Throttle(20)
    assert throttle.throttled(100.0, 99.9, None) == pytest.approx(1.05)
    assert throttle.rate(100.5) == pytest.approx(14)


def test_answers_of_one_epoch_count_once() -> None:
    """A hundred refusals of calls that were already under way lower the rate once and double nothing."""
    throttle = Throttle(20)
    throttle.throttled(100.0, 99.9, None)
    for i in range(100):
        assert throttle.throttled(100.0 + i / 100, 99.95 + i / 100, None) == 0.0
    assert throttle.rate(101.0) == pytest.approx(14)
    assert throttle.throttled(101.3, 101.2, None) == pytest.approx(2.1)


def test_pauses_double_without_a_success_up_to_a_minute() -> None:
    """1.05, 2.1, 4.2 … 60 s; one success after the pause and it is 1.05 again."""
    throttle, now_s, pauses = Throttle(20), 0.0, []
    for _ in range(8):
        pauses.append(throttle.throttled(now_s + 1, now_s + 0.5, None))
        now_s += 1 + pauses[-1]
    assert pauses == pytest.approx([1.05, 2.1, 4.2, 8.4, 16.8, 33.6, 60, 60])
    throttle.succeeded(now_s + 1)
    assert throttle.throttled(now_s + 2, now_s + 1.5, None) == pytest.approx(1.05)


def test_a_success_from_before_the_pause_proves_nothing() -> None:
    """An answer that was under way when the throttle came does not undo the doubling."""
    throttle = Throttle(20)
    throttle.throttled(1.0, 0.9, None)
    throttle.succeeded(1.01)
    assert throttle.throttled(2.2, 2.1, None) == pytest.approx(2.1)


def test_the_asked_wait_is_honoured_and_zero_is_no_excuse() -> None:
    """Retry-After lengthens the pause, never shortens it."""
    assert Throttle(20).throttled(0.0, -1.0, 42.0) == 42
    assert Throttle(20).throttled(0.0, -1.0, 0.0) == pytest.approx(1.05)
    assert Throttle(20).throttled(0.0, -1.0, 300.0) == 300


def test_a_wait_of_an_hour_is_told_apart() -> None:
    """Over 300 s the run should stop, resumable: the asked wait stands in `too_long_wait_s`, in any epoch."""
    throttle = Throttle(20)
    throttle.throttled(0.0, -1.0, 300.0)
    assert throttle.too_long_wait_s is None
    assert throttle.throttled(1.0, -1.0, 3600.0) == 0.0
    assert throttle.too_long_wait_s == 3600


@pytest.mark.parametrize(("cap_per_s", "floor_per_s"), [(20, 0.5), (0.2, 0.2)])
def test_the_rate_has_a_floor(cap_per_s: float, floor_per_s: float) -> None:
    """Half a call a second, or the cap where that is less: it never dies."""
    throttle, now_s = Throttle(cap_per_s), 0.0
    for _ in range(40):
        now_s += 0.01 + throttle.throttled(now_s, now_s, None)
    assert throttle.rate(now_s) == pytest.approx(floor_per_s, rel=0.1)


def test_recovery_is_quick_far_below_the_last_bad_rate_and_slow_near_it() -> None:
    """+ 5 % of the cap a second up to 90 % of it, then + 0.5 % of it; nothing while the pause lasts."""
    throttle = Throttle(100)
    pause_s = throttle.throttled(0.0, -1.0, None)
    assert throttle.rate(pause_s) == pytest.approx(70)
    assert throttle.rate(pause_s + 2) == pytest.approx(80)
    assert throttle.rate(pause_s + 4) == pytest.approx(90)
    assert throttle.rate(pause_s + 8) == pytest.approx(92)
    assert throttle.rate(pause_s + 1000) == 100


def test_a_cap_that_rises_again_is_found() -> None:
    """Slowly past the last bad rate; a quarter above it that rate is forgotten and recovery is quick."""
    throttle, now_s = Throttle(1000), 0.0
    for _ in range(5):
        now_s += 0.01 + throttle.throttled(now_s, now_s, None)
    last_bad_per_s = throttle.rate(now_s) / 0.7
    reached_s = next(s for s in range(200) if throttle.rate(now_s + s) > 1.25 * last_bad_per_s)
    assert 60 <= reached_s <= 80
    before = throttle.rate(now_s + reached_s)
    assert throttle.rate(now_s + reached_s + 1) - before == pytest.approx(50)


def test_recovery_in_steps_is_recovery_in_one() -> None:
    """Asking often or seldom makes no difference to where the rate stands."""
    often, seldom = Throttle(100), Throttle(100)
    for throttle in (often, seldom):
        throttle.throttled(0.0, -1.0, None)
    for tick in range(1, 10_001):
        stepped = often.rate(tick / 1000)
    assert stepped == pytest.approx(seldom.rate(10.0))


def test_nothing_but_throttles_ends_at_last() -> None:
    """Throttle answers burn no attempt, so patience is what ends a run that gets nothing else; a success renews it."""
    throttle, now_s = Throttle(20, patience_s=900), 0.0
    while now_s < 850:
        now_s += 0.1 + throttle.throttled(now_s, now_s, None)
    assert not throttle.given_up(850.0)
    assert throttle.given_up(901.0)
    throttle.succeeded(now_s + 1)
    assert not throttle.given_up(now_s + 1)


class SlidingWindow:
    """An enforcer that counts refused calls too, as HAProxy's rates do."""

    def __init__(self, per_s: float) -> None:
        self._per_s, self._seen = per_s, deque[float]()

    def takes(self, now_s: float) -> bool:
        """A call arrives now."""
        while self._seen and self._seen[0] <= now_s - 1:
            self._seen.popleft()
        self._seen.append(now_s)
        return len(self._seen) <= self._per_s


@pytest.mark.untraced
@pytest.mark.parametrize(
    ("cap_per_s", "real_per_s", "latency_s"), [(20, 12, 0.05), (20, 12, 0.2), (200, 120, 0.1), (100, 5, 0.05)]
)
def test_finds_a_real_cap_below_the_configured_one(cap_per_s: float, real_per_s: float, latency_s: float) -> None:
    """60 % or even 5 % is real: in ten minutes at least 75 % of it is used, at most 3 % of the calls are refused."""
    dice = Random(7)
    pacer, throttle, window = Pacer(cap_per_s, 0.0), Throttle(cap_per_s), SlidingWindow(real_per_s)
    answers: list[tuple[float, float, bool]] = []
    refused = served = 0
    for tick in range(1, 120_001):
        now_s = tick * 0.005
        while answers and answers[0][0] <= now_s:
            _, started_s, taken = heapq.heappop(answers)
            served, refused = served + taken, refused + (not taken)
            if taken:
                throttle.succeeded(now_s)
            elif pause_s := throttle.throttled(now_s, started_s, None):
                pacer.pause_until(now_s + pause_s)
        pacer.set_rate(throttle.rate(now_s))
        n = pacer.due(now_s)
        pacer.take(n, now_s)
        for _ in range(n):
            pacer.sent(now_s)
            heapq.heappush(answers, (now_s + dice.gauss(latency_s, latency_s / 10), now_s, window.takes(now_s)))
    assert served >= 0.75 * real_per_s * 600
    assert refused <= 0.03 * (served + refused)


def test_what_one_process_has_learnt_holds_in_another() -> None:
    """The rate, the pause and the last bad rate are adopted; older news than one's own are not."""
    throttled, other = Throttle(100.0), Throttle(100.0)
    throttled.throttled(10.0, 9.9, None)
    other.adopt(throttled.slowdown())
    assert other.rate(11.0) == throttled.rate(11.0) == pytest.approx(70.0)
    assert other.throttled(10.5, 10.4, None) == 0.0  # the same epoch
    assert other.rate(20.0) == throttled.rate(20.0)
    other.throttled(21.0, 20.9, None)
    rate_per_s = other.rate(21.0)
    other.adopt(throttled.slowdown())
    assert other.rate(21.0) == rate_per_s


def test_another_cap() -> None:
    """At full rate it follows; what was learnt of the gateway's own cap stays where that is lower."""
    throttle = Throttle(10.0)
    throttle.set_cap(50.0)
    assert throttle.rate(0.0) == 50.0
    throttle.throttled(1.0, 0.9, None)
    slowed = throttle.rate(1.0)
    throttle.set_cap(100.0)
    assert throttle.rate(1.0) == slowed == 35.0
    throttle.set_cap(5.0)
    assert throttle.rate(1.0) == 5.0
