"""What is left of the cap: little at the start, more where the way shows that it is needed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from heapq import heappop, heappush
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher.pacing import Headroom, Pacer
from fetcher.pacing.headroom import LEAST, MOST, START
from tests.pacing.windows import worst_window


def test_it_grows_with_refusals_at_the_full_rate() -> None:
    """Half as much again each time, up to a tenth of the cap."""
    headroom = Headroom()
    assert headroom.share == START
    assert headroom.refused(100.0, 100.0)
    assert headroom.share == pytest.approx(1.5 * START)
    for _ in range(10):
        headroom.refused(95.0, 100.0)
    assert headroom.share == MOST
    assert not headroom.refused(100.0, 100.0)


def shown(headroom: Headroom, latencies_s: Iterable[float], apart_s: float = 0.05, start_s: float = 0.0) -> float:
    """The share after so many answers."""
    for k, latency_s in enumerate(latencies_s):
        headroom.answered(latency_s, start_s + k * apart_s)
    return headroom.share


def test_a_steady_way_needs_little() -> None:
    """Answers that all take nearly as long: the share falls, but not before some have come."""
    headroom = Headroom()
    assert shown(headroom, [0.2, 0.201] * 2, apart_s=0.2) == START
    assert shown(headroom, [0.2, 0.201] * 11, start_s=2.0) == LEAST


def test_a_way_cannot_vary_by_more_than_the_whole_exchange_takes() -> None:
    """Three quick answers are enough where four times the slowest is little, at one a second too."""
    headroom = Headroom()
    assert shown(headroom, [0.001, 0.0012], apart_s=1.0) == START
    assert shown(headroom, [0.0011], start_s=2.0) == LEAST
    assert shown(Headroom(), [0.001, 0.003, 0.001], apart_s=1.0) == pytest.approx(0.013)
    assert shown(Headroom(), [0.02, 0.02, 0.02], apart_s=1.0) == START


@given(
    latencies_s=st.lists(st.floats(0.0, 0.05), min_size=1, max_size=40),
    late_s=st.floats(0.0, 0.01),
    apart_s=st.sampled_from([0.01, 0.05, 1.0]),
)
def test_what_is_left_is_never_less_than_what_was_seen(latencies_s: list[float], late_s: float, apart_s: float) -> None:
    """Up to the start: the spread of all answers, and of few the slowest; lateness here added."""
    headroom, seen_s = Headroom(), list[float]()
    for k, latency_s in enumerate(latencies_s):
        headroom.late(late_s * (k % 3))
        headroom.answered(latency_s, k * apart_s)
        seen_s.append(latency_s + late_s * (k % 3))
        most_s = max(seen_s) - (min(seen_s) if len(seen_s) >= 6 else 0.0)
        assert headroom.share >= min(START, most_s) - 1e-9
        assert LEAST <= headroom.share <= START


def test_few_answers_prove_less_than_many() -> None:
    """A spread of 3 ms: three times as much is left after six answers, twice as much after a hundred."""
    headroom = Headroom()
    assert shown(headroom, [0.02, 0.023] * 3, apart_s=0.2) == pytest.approx(0.010)
    assert shown(headroom, [0.02, 0.023] * 50, start_s=60.0) == LEAST


def test_what_is_late_here_counts_as_if_the_way_had_been() -> None:
    """A program that waits for its turn: the share rises with the next answer, and falls when all is quiet again."""
    headroom = Headroom()
    assert shown(headroom, [0.02] * 30) == LEAST
    headroom.late(0.004)
    assert shown(headroom, [0.02], start_s=60.0) == pytest.approx(0.009)
    headroom.late(0.009)
    assert shown(headroom, [0.02], start_s=61.0) == pytest.approx(0.019)
    headroom.late(0.009, calls=9)  # the last of nine became due in that moment
    assert shown(headroom, [0.02], start_s=62.0) == pytest.approx(0.019)
    headroom.late(0.0, calls=1000)
    assert shown(headroom, [0.02] * 300, start_s=63.0) == LEAST


@pytest.mark.parametrize("cap_per_s", [20, 100])
@pytest.mark.parametrize("seed", range(3))
def test_a_busy_machine_does_not_carry_a_second_over_the_cap(cap_per_s: int, seed: int) -> None:
    """Half the calls late by some milliseconds, here and on the way: sent times keep the cap, arrivals nearly so."""
    dice, headroom, now_s = Random(seed), Headroom(), 0.0
    pacer = Pacer(cap_per_s, 0.0, headroom.share)
    sent_s, arrived_s = [], []
    while now_s < 60.0:
        due_s = now_s + pacer.wait_s(now_s)
        now_s = due_s + (late_s := dice.choice([0.0005, 0.0005, dice.expovariate(300.0)]))
        headroom.late(late_s)
        pacer.take(n := pacer.due(now_s), now_s)
        for _ in range(n):
            pacer.sent(now_s)
            sent_s.append(now_s)
            way_s = 0.001 + dice.choice([0.0, dice.expovariate(300.0)])
            arrived_s.append(now_s + way_s)
            if headroom.answered(way_s, now_s + way_s):
                pacer.set_headroom(headroom.share)
    assert worst_window(sent_s) <= cap_per_s
    assert (
        sum(worst_window(arrived_s[k : k + 2 * cap_per_s]) > cap_per_s for k in range(0, len(arrived_s), cap_per_s))
        <= 1
    )
    assert len(sent_s) >= 0.965 * cap_per_s * 60


@pytest.mark.untraced
@pytest.mark.parametrize("seed", range(40))
def test_the_share_covers_the_jitter_that_is_seen(seed: int) -> None:
    """20 ± 10 ms: what is left unused carries nearly all of 20 ms after a few answers, and all of it after more."""
    dice, headroom = Random(seed), Headroom()
    assert shown(headroom, (dice.uniform(0.01, 0.03) for _ in range(24))) >= 0.017
    for turn in range(20):
        assert shown(headroom, (dice.uniform(0.01, 0.03) for _ in range(100)), start_s=10.0 * turn + 10) >= 0.02


def arrivals(cap_per_s: int, way_s: Callable[[float], float], seconds: float) -> tuple[list[float], float]:
    """When a run's calls arrive, answers coming back at once, and the share at its end."""
    headroom, now_s = Headroom(), 0.0
    pacer = Pacer(cap_per_s, 0.0, headroom.share)
    arrived_s, pending = list[float](), list[tuple[float, float]]()
    while now_s < seconds:
        now_s += max(0.001, pacer.wake_s(now_s))
        while pending and pending[0][0] <= now_s:
            ended_s, latency_s = heappop(pending)
            if headroom.answered(latency_s, ended_s):
                pacer.set_headroom(headroom.share)
        pacer.take(n := pacer.due(now_s), now_s)
        for _ in range(n):
            pacer.sent(now_s)
            arrived_s.append(now_s + (latency_s := way_s(now_s)))
            heappush(pending, (arrived_s[-1], latency_s))
    return sorted(arrived_s), headroom.share


@pytest.mark.untraced
@pytest.mark.parametrize(("cap_per_s", "share"), [(1000, 0.022), (5000, 0.011)])
def test_at_a_high_rate_jitter_of_each_call_by_itself_needs_less(cap_per_s: int, share: float) -> None:
    """20 ± 10 ms, each call for itself: as many are early as are late, and no second of arrivals is over the cap."""
    dice = Random(1)
    arrived_s, at_the_end = arrivals(cap_per_s, lambda _: dice.uniform(0.01, 0.03), 4.0)
    assert at_the_end <= share
    assert len(arrived_s) >= 0.97 * 4 * cap_per_s
    assert worst_window(arrived_s) <= cap_per_s


@pytest.mark.untraced
@pytest.mark.parametrize("cap_per_s", [1000, 5000])
def test_a_way_that_stands_still_for_all_is_left_room_for(cap_per_s: int) -> None:
    """Every 0.3 s all wait for up to 15 ms: the share rises."""
    _, at_the_end = arrivals(cap_per_s, lambda now_s: 0.0002 + max(0.0, 0.015 - now_s % 0.3), 4.0)
    assert at_the_end >= 0.01


def test_the_gateways_own_work_does_not_raise_it() -> None:
    """Answers between 10 ms and a second say nothing about the way."""
    assert shown(Headroom(), [0.01, 1.0] * 100) == START


def test_one_slow_answer_of_many_is_left_out() -> None:
    """A hiccup of the gateway costs no headroom; a way that gets worse does, at once."""
    headroom = Headroom()
    assert shown(headroom, [0.02] * 128 + [0.5] + [0.02] * 127) == LEAST
    assert shown(headroom, [0.02, 0.026] * 12, start_s=60.0) == pytest.approx(0.013)
    assert shown(headroom, [0.02] * 256, start_s=120.0) == LEAST


def test_at_a_high_rate_the_samples_come_from_seconds() -> None:
    """Ten thousand answers within 0.2 s are twenty samples, too few to lower anything."""
    assert shown(Headroom(), [0.02] * 2000, apart_s=0.0001) == START


def test_after_a_refusal_nothing_is_lowered() -> None:
    """However steady the way looks: the gateway has said otherwise."""
    headroom = Headroom()
    shown(headroom, [0.02] * 64)
    assert headroom.refused(20.0, 20.0)
    assert headroom.share == pytest.approx(1.5 * START)
    assert shown(headroom, [0.02] * 300, start_s=60.0) == pytest.approx(1.5 * START)


def test_a_lower_real_cap_is_not_the_jitters_doing() -> None:
    """Refused far below the configured cap: that is for the rate to find, not for the headroom."""
    headroom = Headroom()
    assert not headroom.refused(60.0, 100.0)
    assert headroom.share == START


def test_what_somebody_has_set_stays() -> None:
    """None at all is an answer, too."""
    headroom = Headroom(0.0)
    assert not headroom.refused(100.0, 100.0)
    assert shown(headroom, [0.01, 0.03] * 30) == 0.0


def test_the_pacer_follows() -> None:
    """The gap grows with the headroom, from the next slot on."""
    pacer = Pacer(100.0, 0.0, headroom=0.0)
    pacer.set_headroom(0.2)
    assert pacer.due(0.01) == 1
    pacer.take(1, 0.01)
    pacer.sent(0.01)
    assert pacer.wait_s(0.01) == pytest.approx(0.0125)
    with pytest.raises(ValueError, match="headroom"):
        pacer.set_headroom(0.6)
