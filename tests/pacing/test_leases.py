"""One cap for many: whatever processes do, no second of all sent times together passes it, and it is used."""

from __future__ import annotations

import heapq
import math
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fetcher.pacing import Ask, ClockOffset, LeasedPacer, SlotBook, Slowdown, as_seen_from, as_seen_from_place
from fetcher.pacing.lease import AHEAD_S, EPSILON_S, FORGET_S, least_gap_s
from tests.pacing.windows import worst_window


def ask(slots: int, cap_per_s: float = 100.0, lateness_s: float = 0.01, **more: object) -> Ask:
    return Ask(slots, cap_per_s, 0.0, lateness_s, **more)  # type: ignore[arg-type]


def book(now_s: float = 0.0) -> SlotBook:
    """A place that has been in use for a while."""
    return SlotBook(forgetful=False, asked_s=now_s)


class Process:
    """A pacer with its own clock, a little wrong about the place's, and what it has sent (in true time)."""

    def __init__(self, place: SlotBook, cap_per_s: float, headroom: float, dice: Random, error_s: float) -> None:
        self.place, self.dice, self.error_s = place, dice, error_s
        self.ahead_s = dice.uniform(-1000, 1000)  # its clock less the true one
        self.mistake_s = dice.uniform(-error_s, error_s)
        self.pacer = LeasedPacer(cap_per_s, self.ahead_s, headroom, dice.random())
        self.sent_s: list[float] = []
        self.exchanges = 0
        self.held: list[float] = []

    def exchange(self, true_s: float, work: int = 1_000_000) -> None:
        """Ask for more where that is due."""
        now_s = true_s + self.ahead_s
        wanted = self.pacer.wanted(now_s, work)
        if not wanted and not self.pacer.has_news:
            return
        self.exchanges += 1
        offset_s = -self.ahead_s + self.mistake_s
        asked = as_seen_from_place(self.pacer.ask(wanted), offset_s, self.error_s, 0.0)
        self.pacer.granted(as_seen_from(self.place.answer(asked, true_s), offset_s, self.error_s), now_s)

    def tick(self, true_s: float, late_s: float = 0.0) -> None:
        """Take what is due, and send it that much later."""
        now_s = true_s + self.ahead_s
        n = self.pacer.due(now_s)
        self.pacer.take(n, now_s)
        for _ in range(n):
            if self.pacer.sent(now_s + late_s):
                self.sent_s.append(true_s + late_s)
            else:
                self.pacer.returned()


def live(processes: list[Process], duration_s: float, tick_s: float = 0.001) -> list[float]:
    """All of them tick regularly, none at the same moment as another."""
    for k in range(round(duration_s / tick_s)):
        for n, process in enumerate(processes):
            true_s = (k + n / len(processes)) * tick_s
            process.exchange(true_s)
            process.tick(true_s)
    return sorted(time_s for process in processes for time_s in process.sent_s)


@pytest.mark.untraced
@pytest.mark.parametrize(
    ("cap_per_s", "many", "duration_s"),
    [(2, 2, 30), (20, 3, 20), (300, 3, 10), (300, 1, 10), (300, 20, 6), (5000, 4, 3)],
)
def test_the_whole_cap_is_used(cap_per_s: float, many: int, duration_s: float) -> None:
    """99 % and more of the cap, at a headroom of half a percent, in no second more, an exchange in ten permits."""
    place = book()
    processes = [Process(place, cap_per_s, 0.005, Random(n), 0.0) for n in range(many)]
    sent_s = live(processes, duration_s)
    assert worst_window(sent_s) <= cap_per_s
    assert (len(sent_s) - 1) / (sent_s[-1] - sent_s[0]) >= 0.99 * cap_per_s
    assert len(sent_s) >= 0.99 * cap_per_s * (duration_s - 0.5)
    if cap_per_s >= 50:  # of twenty some are told to ask again later
        assert sum(process.exchanges for process in processes) <= len(sent_s) / (10 if many < 10 else 8)
    shares = [len(process.sent_s) for process in processes]
    assert max(shares) <= (1.3 if many < 10 else 3) * min(shares)  # nobody is left out; twenty take turns of 2 s


CAPS = st.sampled_from([0.2, 0.7, 1.0, 2.5, 3.0, 7.0, 20.0, 55.5, 200.0])


@pytest.mark.untraced
@settings(max_examples=150, deadline=None)
@given(
    cap_per_s=CAPS,
    headroom=st.sampled_from([0.0, 0.005, 0.025, 0.1]),
    error_s=st.sampled_from([0.0, 0.0005, 0.004, 0.05]),
    seed=st.integers(0, 2**32),
)
def test_no_second_of_all_sent_times_passes_the_cap(
    cap_per_s: float, headroom: float, error_s: float, seed: int
) -> None:
    """Stalls, deaths, newcomers, late sends, wrong clocks, throttle answers, a place that forgets all: it holds."""
    dice = Random(seed)
    place = SlotBook()
    processes: list[Process] = []
    everyone: list[Process] = []
    turns: list[tuple[float, int]] = []
    for turn in range(600):
        while len(processes) < 4:
            born = Process(place, cap_per_s, headroom, dice, error_s)
            processes.append(born)
            everyone.append(born)
            heapq.heappush(turns, (turns[0][0] if turns else 0.0, len(everyone) - 1))
        true_s, number = heapq.heappop(turns)
        process = everyone[number]
        if dice.random() < 0.01:  # killed with all that it had
            processes.remove(process)
            continue
        if turn % 200 == 199:  # the server was restarted and knows nothing any more
            place.__init__(asked_s=true_s)  # type: ignore[misc]
        if dice.random() < 0.01:
            slow = Slowdown(true_s + process.ahead_s + dice.uniform(0, 2), dice.uniform(0.5, cap_per_s + 1), 1.0, 1)
            process.pacer.slow(slow)
        process.pacer.set_rate(cap_per_s * dice.uniform(0.5, 1.2))
        process.exchange(true_s, dice.choice([0, 1, 3, 1000]))
        process.tick(true_s, dice.choice([0.0, 0.0, 0.001, 0.008, 0.3]))
        pause_s = dice.choice([0.0003, 0.001, 0.004, 0.05, dice.expovariate(cap_per_s), 1 / cap_per_s])
        heapq.heappush(turns, (true_s + pause_s + (dice.uniform(0.1, 5) if dice.random() < 0.01 else 0), number))
    sent_s = [time_s for process in everyone for time_s in process.sent_s]
    limit, window_s = (math.floor(cap_per_s), 1.0) if cap_per_s >= 1 else (1, 1 / cap_per_s)
    assert worst_window(sent_s, window_s) <= limit


def test_a_lease_is_a_span_that_nobody_else_has() -> None:
    """Two askers: the second span begins where the first ends."""
    place = book()
    first, second = place.answer(ask(10), 5.0).lease, place.answer(ask(10), 5.0).lease
    assert first is not None and second is not None
    assert first.first_s == 5.0
    assert first.gap_s == least_gap_s(100.0, 0.01) == pytest.approx((1.01 + EPSILON_S) / 100)
    assert second.first_s == pytest.approx(first.first_s + 10 * first.gap_s)


def test_no_lease_reaches_far_ahead() -> None:
    """Who asks for an hour gets a second's worth; who asks then gets nothing, and hears when to ask again."""
    place = book()
    greedy = place.answer(ask(1_000_000), 0.0)
    assert greedy.lease is not None
    assert greedy.lease.slots * greedy.lease.gap_s == pytest.approx(AHEAD_S, abs=greedy.lease.gap_s)
    late = place.answer(ask(1), 0.0)
    assert late.lease is None
    assert late.next_s == pytest.approx(AHEAD_S, abs=greedy.lease.gap_s)


def test_a_place_that_has_forgotten_begins_when_all_leases_are_over() -> None:
    """Nothing that was leased before can meet what is leased afterwards."""
    lease = SlotBook().answer(ask(1), 50.0).lease
    assert lease is None or lease.first_s >= 50.0 + AHEAD_S


def test_the_smaller_cap_counts_while_somebody_asks_with_it() -> None:
    """A run that was told 50 goes beside one that was told 100: both go at 50, until the first has gone."""
    place = book()
    assert place.answer(ask(1, cap_per_s=50.0), 1.0).cap_per_s == 50.0
    assert place.answer(ask(1, cap_per_s=100.0), 1.0 + FORGET_S / 2).cap_per_s == 50.0
    assert place.answer(ask(1, cap_per_s=100.0), 2.0 + FORGET_S).cap_per_s == 100.0


def test_one_throttled_moment_slows_all_and_once() -> None:
    """Two processes are throttled in the same moment and both tell: the first counts, both hear of it."""
    place = book()
    told = Slowdown(resume_s=12.0, rate_per_s=70.0, last_bad_per_s=100.0, streak=1)
    first = place.answer(ask(1, version=0, slowdown=told), 10.0)
    again = Slowdown(resume_s=13.0, rate_per_s=49.0, last_bad_per_s=70.0, streak=2)
    second = place.answer(ask(1, version=0, slowdown=again), 10.1)
    assert (first.version, second.version) == (1, 1)
    assert second.slowdown == told
    assert second.next_s > 12.0
    assert second.lease is None


def test_news_of_a_throttle_answer_stops_what_is_leased() -> None:
    """A process that hears of a pause lets its slots before the pause's end go."""
    place = book()
    one, other = (Process(place, 100.0, 0.025, Random(n), 0.0) for n in range(2))
    for process in (one, other):
        for _ in range(6):
            process.exchange(1.0)
    other.pacer.slow(Slowdown(3.0 + other.ahead_s, 70.0, 100.0, 1))
    other.exchange(1.001)
    asked = one.pacer.ask(1)
    grant = as_seen_from(place.answer(asked, 1.002), -one.ahead_s, 0.0)
    assert one.pacer.granted(grant, 1.002 + one.ahead_s) is True
    assert one.pacer.slowdown.resume_s == pytest.approx(3.0 + one.ahead_s)
    assert one.pacer.due(2.999 + one.ahead_s) == 0


def test_a_shared_limit_of_calls_is_never_passed_and_unused_ones_come_back() -> None:
    """Five calls for all: three leased and one of them unused leave three for the next."""
    place = book()
    first = place.answer(ask(3, calls_limit=5), 0.0)
    assert first.lease is not None
    assert (first.lease.slots, first.calls_left) == (3, 2)
    second = place.answer(ask(9, calls_limit=5, unused=1), 0.1)
    assert second.lease is not None
    assert (second.lease.slots, second.calls_left) == (3, 0)
    assert place.answer(ask(9, calls_limit=5), 0.2).lease is None


def test_a_late_permit_is_not_sent() -> None:
    """A process that stood still between permit and sending must not send: its slot is over."""
    process = Process(book(), 100.0, 0.025, Random(1), 0.0)
    process.exchange(0.0)
    process.tick(0.001, late_s=0.5)
    assert process.sent_s == []
    assert process.pacer.missed == 1
    assert process.pacer.ask(1).unused == 1


def test_without_a_lease_nothing_is_due_and_only_a_lease_helps() -> None:
    """The place is gone: what is held is used, then everything waits."""
    process = Process(book(), 100.0, 0.025, Random(1), 0.0)
    process.exchange(0.0)
    sent_s = [k / 1000 for k in range(3000) for _ in [process.tick(k / 1000)] if len(process.sent_s) > 0]
    assert len(process.sent_s) == 1 and sent_s
    assert process.pacer.wait_s(3.0 + process.ahead_s) == math.inf


def test_what_could_not_be_told_is_told_later() -> None:
    """The place was not reached: the next question says the same again."""
    pacer = LeasedPacer(100.0, 0.0)
    pacer.slow(Slowdown(3.0, 70.0, 100.0, 1))
    lost = pacer.ask(1)
    assert not pacer.has_news
    pacer.not_asked(lost)
    assert pacer.ask(1).slowdown == lost.slowdown


def test_a_clock_that_is_set_back_moves_the_schedule_with_it() -> None:
    """An hour back: the next slot is where it was, seen from there, and nobody waits an hour."""
    place = book(10_000.0)
    place.answer(ask(10), 10_000.0)
    lease = place.answer(ask(1), 6_400.0).lease
    assert lease is not None
    assert lease.first_s == pytest.approx(6_400.0 + 10 * lease.gap_s)


def test_a_clock_offset_is_as_good_as_the_best_round_trip() -> None:
    """A slow round trip adds nothing; a jump of the other clock is noticed."""
    offset = ClockOffset()
    assert offset.error_s == math.inf
    assert offset.heard(0.0, 0.002, 100.001)
    assert offset.offset_s == pytest.approx(100.0)
    assert offset.error_s == pytest.approx(0.001 + ClockOffset.DRIFT)
    assert offset.heard(1.0, 1.5, 101.1)
    assert offset.error_s < 0.0024
    assert not offset.heard(2.0, 2.002, 3702.0)
    assert offset.offset_s == pytest.approx(3700.0, abs=0.002)
