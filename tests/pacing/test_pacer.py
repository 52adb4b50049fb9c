"""The pacer: the cap in every second, most of it used, evenly, nothing saved up."""

from __future__ import annotations

import math
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fetcher.errors import Defect
from fetcher.pacing import Pacer
from tests.pacing.windows import worst_window

TICK_S = 0.001


def run_evenly(pacer: Pacer, start_s: float, duration_s: float, tick_s: float = TICK_S) -> list[float]:
    """Starts of a run that ticks regularly and sends at once."""
    starts: list[float] = []
    for tick in range(1, round(duration_s / tick_s) + 1):
        now_s = start_s + tick * tick_s
        n = pacer.due(now_s)
        pacer.take(n, now_s)
        for _ in range(n):
            pacer.sent(now_s)
            starts.append(now_s)
    return starts


@pytest.mark.untraced
@pytest.mark.parametrize(
    ("cap_per_s", "duration_s"),
    [(0.2, 300), (1, 120), (5, 40), (20, 20), (100, 10), (500, 5), (2000, 3), (10_000, 2)],
)
def test_uses_the_cap_and_never_passes_it(cap_per_s: float, duration_s: float) -> None:
    """With regular ticks at least 97 % of the cap and 99 % of what the headroom leaves is used, in no second more."""
    tick_s = TICK_S if cap_per_s >= 5 else 0.01
    starts = run_evenly(Pacer(cap_per_s, 1000.0), 1000.0, duration_s, tick_s)
    per_s = (len(starts) - 1) / (starts[-1] - starts[0])
    assert per_s >= 0.97 * cap_per_s
    assert per_s >= 0.99 * 0.98 * cap_per_s
    limit, window_s = (math.floor(cap_per_s), 1.0) if cap_per_s >= 1 else (1, 1 / cap_per_s)
    assert worst_window(starts, window_s) <= limit


@pytest.mark.parametrize("cap_per_s", [5, 20, 100, 500])
def test_starts_are_evenly_spread(cap_per_s: float) -> None:
    """No two starts are closer than a gap less one tick, so there is no burst at any scale."""
    starts = run_evenly(Pacer(cap_per_s, 0.0), 0.0, 5)
    gap_s = 1 / (0.98 * cap_per_s)
    gaps = [later - earlier for earlier, later in pairwise(starts)]
    assert min(gaps) >= gap_s - TICK_S - 1e-9
    assert max(gaps) <= gap_s + TICK_S + 1e-9


@pytest.mark.parametrize("cap_per_s", [100, 500, 1000, 2000, 5000, 10_000])
@pytest.mark.parametrize("seed", range(3))
def test_permits_gather_and_nothing_is_lost_by_it(cap_per_s: int, seed: int) -> None:
    """One waking for ten permits or 8 ms of them, timers up to a millisecond late: all of the rate is used."""
    dice, pacer, now_s = Random(seed), Pacer(cap_per_s, 0.0, headroom=0.005), 0.0
    starts: list[float] = []
    lots: list[int] = []
    while now_s < 4.0:
        now_s += math.ceil(1000 * (pacer.wake_s(now_s))) / 1000 + dice.uniform(0.0001, 0.0009)
        pacer.take(n := pacer.due(now_s), now_s)
        for _ in range(n):
            pacer.sent(now_s)
        starts += [now_s] * n
        lots.append(n)
    assert worst_window(starts) <= cap_per_s
    assert (len(starts) - 1) / (starts[-1] - starts[0]) >= 0.994 * cap_per_s
    assert max(lots) <= max(1, min(0.01 * cap_per_s, 30))  # the 8 ms, a whole one of the timer's and its lateness
    assert len(lots) <= len(starts) / (1 if cap_per_s < 250 else 3.9 if cap_per_s < 1000 else 7.5)


def test_the_guard_alone_keeps_the_cap_without_headroom() -> None:
    """At headroom 0 the 21st start of 20/s would lie exactly a second after the first: the guard holds it back."""
    starts = run_evenly(Pacer(20, 0.0, headroom=0.0), 0.0, 20, 0.0005)
    assert worst_window(starts) == 20
    assert len(starts) >= 0.97 * 20 * 20


def test_a_fractional_cap_is_rounded_down_and_stays_even() -> None:
    """2.5/s is kept as 2 in any second, a half second apart."""
    starts = run_evenly(Pacer(2.5, 0.0), 0.0, 30)
    assert worst_window(starts) == 2
    assert min(b - a for a, b in pairwise(starts)) >= 0.5


def test_the_first_slot_waits_one_gap() -> None:
    """Nothing may start at once: a restart could otherwise pass the cap."""
    pacer = Pacer(10, 100.0, headroom=0.0)
    assert pacer.due(100.099) == 0
    assert pacer.wait_s(100.0) == pytest.approx(0.1)
    assert pacer.due(100.1) == 1


def test_a_late_tick_makes_up_the_slack_and_no_more() -> None:
    """After a stall of a minute at 1000/s, with a slack of 20 ms, 21 slots are due and not 60 000."""
    pacer = Pacer(1000, 0.0, headroom=0.0, slack_s=0.02)
    assert pacer.due(60.0) == 21
    pacer.take(21, 60.0)
    assert pacer.due(60.0) == 0
    assert pacer.due(60.001) == 1


def test_a_day_of_clock_brings_no_burst_and_no_stall() -> None:
    """A clock that jumps a day ahead is a stall like any other: the next call waits at most a gap."""
    pacer = Pacer(5, 0.0)
    run_evenly(pacer, 0.0, 3)
    starts = run_evenly(pacer, 86_400.0, 3)
    assert worst_window(starts) <= 5
    assert len(starts) >= 14


def test_a_clock_that_stands_still_grants_nothing_more() -> None:
    """At one instant only the slots of that instant are due, however often one asks."""
    pacer = Pacer(100, 0.0, slack_s=0.02)
    granted = 0
    for _ in range(1000):
        n = pacer.due(1.0)
        pacer.take(n, 1.0)
        granted += n
    assert granted == 2  # one slot, and one within the slack


def test_outstanding_permits_count_against_the_cap() -> None:
    """Permits that are granted and not yet sent may all be sent in the same second, so they are counted as sent."""
    pacer = Pacer(5, 0.0)
    now_s = 0.0
    for _ in range(100):
        now_s += 0.3
        pacer.take(pacer.due(now_s), now_s)
    assert pacer.due(now_s) == 0
    assert pacer.wait_s(now_s) == math.inf
    pacer.returned()
    assert pacer.due(now_s) == 1


def test_late_sending_moves_the_guard() -> None:
    """Five permits sent late, together: the next is granted a second after they were sent, not after the grants."""
    pacer = Pacer(5, 0.0, headroom=0.0)
    for tick in range(1, 6):
        pacer.take(pacer.due(tick * 0.3), tick * 0.3)
    for _ in range(5):
        pacer.sent(2.0)
    assert pacer.due(2.999) == 0
    assert pacer.wait_s(2.5) == pytest.approx(0.5, abs=1e-5)
    assert pacer.due(3.0001) == 1


@settings(max_examples=60, deadline=None)
@given(
    cap_per_s=st.sampled_from([5, 20, 100]), headroom=st.sampled_from([0.007, 0.025, 0.1]), seed=st.integers(0, 2**32)
)
def test_half_of_the_headroom_is_the_ways(cap_per_s: int, headroom: float, seed: int) -> None:
    """However late the ticks are here, a way whose length varies by less than half of what is left keeps the cap."""
    dice, pacer, now_s = Random(seed), Pacer(cap_per_s, 0.0, headroom), 0.0
    arrived_s: list[float] = []
    for _ in range(4 * cap_per_s):
        now_s += max(pacer.wait_s(now_s), 0.001) + dice.choice([0.0, 0.001, dice.uniform(0, 0.03)])
        pacer.take(n := pacer.due(now_s), now_s)
        for _ in range(n):
            pacer.sent(now_s)
            arrived_s.append(now_s + dice.uniform(0, 0.499 * headroom))
    assert worst_window(arrived_s) <= cap_per_s


def test_a_pause_holds_all_and_ends_without_a_burst() -> None:
    """Nothing during the pause; one gap after it the even schedule goes on."""
    pacer = Pacer(10, 0.0, headroom=0.0)
    pacer.pause_until(5.0)
    assert pacer.paused_until_s == 5.0
    assert pacer.due(5.09) == 0
    assert pacer.wait_s(1.0) == pytest.approx(4.1)
    assert pacer.due(5.1) == 1
    starts = run_evenly(pacer, 5.09, 2)
    assert worst_window(starts, 0.0501) == 1


def test_a_shorter_pause_does_not_shorten_a_longer_one() -> None:
    """Two throttle answers: the one that asks for more wins, whichever comes last."""
    pacer = Pacer(10, 0.0)
    pacer.pause_until(60.0)
    pacer.pause_until(2.0)
    assert pacer.paused_until_s == 60.0
    assert pacer.due(59.0) == 0


def test_permits_offered_before_a_pause_may_still_be_taken() -> None:
    """A pause between `due` and `take` moves the schedule and breaks nothing."""
    pacer = Pacer(10, 0.0)
    assert pacer.due(1.0) == 1
    pacer.pause_until(3.0)
    pacer.take(1, 1.0)
    assert pacer.due(3.15) == 0
    assert pacer.due(3.25) == 1


def test_a_new_rate_takes_effect_at_the_next_slot() -> None:
    """The slot that is scheduled stays; the gaps after it are the new ones, and never shorter than the cap's."""
    pacer = Pacer(10, 0.0, headroom=0.0)
    pacer.set_rate(2)
    assert pacer.due(0.1) == 1
    pacer.take(1, 0.1)
    assert pacer.wait_s(0.1) == pytest.approx(0.5)
    pacer.set_rate(1000)
    assert pacer.rate_per_s == 10


@pytest.mark.parametrize("cap_per_s", [0.0, -1.0, math.nan, math.inf, 1e7])
def test_a_senseless_cap_is_refused(cap_per_s: float) -> None:
    """A cap that is no positive number of ours raises ValueError."""
    with pytest.raises(ValueError, match="cap_per_s"):
        Pacer(cap_per_s, 0.0)


def test_a_senseless_headroom_or_rate_is_refused() -> None:
    """Headroom is a part of the cap; a rate of 0 would be a pause without an end."""
    with pytest.raises(ValueError, match="headroom"):
        Pacer(5, 0.0, headroom=1.0)
    with pytest.raises(ValueError, match="rate_per_s"):
        Pacer(5, 0.0).set_rate(0.0)


def test_permits_out_of_nothing_are_defects() -> None:
    """Sending, returning or taking what was never granted is our own error and says so."""
    pacer = Pacer(2, 0.0)
    with pytest.raises(Defect):
        pacer.sent(1.0)
    with pytest.raises(Defect):
        pacer.returned()
    with pytest.raises(Defect):
        pacer.take(3, 1.0)


CAPS = st.sampled_from([0.2, 0.7, 1.0, 2.5, 3.0, 7.0, 20.0, 55.5, 200.0])


@pytest.mark.untraced
@settings(max_examples=120, deadline=None)
@given(cap_per_s=CAPS, headroom=st.sampled_from([0.0, 0.005, 0.02, 0.1]), seed=st.integers(0, 2**32))
def test_no_second_ever_passes_the_cap(cap_per_s: float, headroom: float, seed: int) -> None:
    """Random ticks, late and unordered sending, stalls, pauses, returned permits, changing rates: the cap holds."""
    dice = Random(seed)
    pacer = Pacer(cap_per_s, 0.0, headroom=headroom)
    now_s, out, starts = 0.0, [], []
    for _ in range(400):
        now_s += dice.choice([0.0, 0.0003, 0.001, 0.004, 0.05, dice.expovariate(cap_per_s), 1 / cap_per_s])
        if dice.random() < 0.01:
            now_s += dice.uniform(0.1, 5)
        if dice.random() < 0.01:
            pacer.pause_until(now_s + dice.uniform(0, 2))
        if dice.random() < 0.05:
            pacer.set_rate(cap_per_s * dice.uniform(0.1, 1.5))
        n = min(pacer.due(now_s), dice.randint(0, 50))
        pacer.take(n, now_s)
        out += [now_s + dice.choice([0.0, 0.0, 0.002, dice.expovariate(2.0)]) for _ in range(n)]
        waiting = [due_s for due_s in out if due_s > now_s]
        for _ in range(len(out) - len(waiting)):
            if dice.random() < 0.1:
                pacer.returned()
            else:
                pacer.sent(now_s)
                starts.append(now_s)
        out = waiting
    limit, window_s = (math.floor(cap_per_s), 1.0) if cap_per_s >= 1 else (1, 1 / cap_per_s)
    assert worst_window(starts, window_s) <= limit


@settings(max_examples=60, deadline=None)
@given(cap_per_s=st.sampled_from([1.0, 2.5, 5.0, 20.0, 100.0]), seed=st.integers(0, 2**32))
def test_wait_leads_to_a_permit(cap_per_s: float, seed: int) -> None:
    """Who sleeps for `wait_s` finds a permit or a shorter wait: no deadlock, no busy loop."""
    dice = Random(seed)
    pacer = Pacer(cap_per_s, 0.0)
    now_s, sent = 0.0, 0
    for _ in range(200):
        wait_s = pacer.wait_s(now_s)
        assert 0 <= wait_s <= 1 / cap_per_s + 1.1
        now_s += wait_s
        if (n := pacer.due(now_s)) or wait_s == 0:
            assert n
            pacer.take(1, now_s)
            now_s += dice.choice([0.0, 0.001, 0.03])
            pacer.sent(now_s)
            sent += 1
    assert sent >= 90


@pytest.mark.untraced
@settings(max_examples=60, deadline=None)
@given(
    cap_per_s=st.sampled_from([0.5, 1.0, 2.5, 5.0, 20.0, 100.0]),
    lives=st.lists(st.floats(0.001, 1.5), min_size=2, max_size=6),
    down_s=st.floats(0.001, 0.5),
)
def test_restarts_of_an_even_run_keep_the_cap(cap_per_s: float, lives: list[float], down_s: float) -> None:
    """Killed at any moment and started again, any number of times, with nothing stored: no second over the cap."""
    at_s, starts = 0.0, []
    for life_s in lives:
        starts += run_evenly(Pacer(cap_per_s, at_s), at_s, life_s)
        at_s += life_s + down_s
    limit, window_s = (math.floor(cap_per_s), 1.0) if cap_per_s >= 1 else (1, 1 / cap_per_s)
    assert worst_window(starts, window_s) <= limit


@settings(max_examples=100, deadline=None)
@given(cap_per_s=st.sampled_from([1.0, 5.0, 20.0, 100.0, 500.0]), seed=st.integers(0, 2**32))
def test_restarts_of_a_stalling_run_keep_the_cap(cap_per_s: float, seed: int) -> None:
    """Even when stalls use the whole slack: a process that was down for the slack and the sending delay is safe."""
    dice = Random(seed)
    delay_s, slack_s, now_s, starts = 0.005, 0.02, 0.0, []
    for _ in range(4):
        pacer, end_s = Pacer(cap_per_s, now_s, slack_s=slack_s), now_s + dice.uniform(0.1, 1.0)
        while now_s < end_s:
            now_s += dice.choice([0.001, 0.001, 0.001, 0.02, 0.021, 0.1])
            n = pacer.due(now_s)
            pacer.take(n, now_s)
            sent_s = now_s + dice.uniform(0, delay_s)
            for _ in range(n):
                pacer.sent(sent_s)
                starts.append(sent_s)
            now_s = sent_s
        now_s += slack_s + delay_s
    assert worst_window(starts) <= cap_per_s


@given(
    caps=st.lists(st.sampled_from([0.3, 1.0, 2.5, 7.0, 20.0, 133.0]), min_size=2, max_size=4),
    seed=st.integers(0, 10_000),
)
def test_another_cap_in_mid_run_is_kept(caps: list[float], seed: int) -> None:
    """No second holds more than the largest cap in force within it; a permit that is out may still be sent."""
    dice = Random(seed)
    now_s, sent = 100.0, list[tuple[float, float]]()
    pacer = Pacer(caps[0], now_s)
    changes = [(now_s, caps[0])]
    for cap in caps:
        if cap != caps[0] or len(changes) > 1:
            held = pacer.due(now_s)
            pacer.take(max(0, min(1, held)), now_s)
            pacer.set_cap(cap, now_s)
            changes.append((now_s, cap))
            if held > 0:
                pacer.sent(now_s)
                sent.append((now_s, 0.0))
        until_s = now_s + 3.0 + 2.0 / cap
        before = len(sent)
        while now_s < until_s:
            now_s += dice.choice([0.001, 0.02, 0.3])
            if (due := pacer.due(now_s)) > 0:
                pacer.take(due, now_s)
                for _ in range(due):
                    pacer.sent(now_s)
                    sent.append((now_s, cap))
        assert len(sent) > before  # it goes on, at the new rate
    for start_s, _ in sent:
        count = sum(start_s <= at_s < start_s + 1.0 for at_s, _ in sent)
        in_force = [cap for at_s, cap in changes if at_s < start_s]
        largest = max([in_force[-1], *(cap for at_s, cap in changes if start_s <= at_s < start_s + 1.0)])
        assert count <= max(1, int(largest))


def test_another_cap_does_not_end_a_pause() -> None:
    """What was learnt of the gateway stands."""
    pacer = Pacer(0.1, 0.0)
    pacer.pause_until(5.0)
    pacer.set_cap(10.0, 1.0)
    assert pacer.due(4.9) == 0 and pacer.due(5.2) == 1
