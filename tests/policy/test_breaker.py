"""The outage breaker: opens for an outage and for nothing else, probes seldom, and never stands in the way for long."""

from __future__ import annotations

import heapq
from collections import Counter, deque
from collections.abc import Callable
from random import Random

import pytest

from fetcher.model import Again, Fail, Free, Item, Keep, Verdict, VerdictKind
from fetcher.policy import Breaker, BreakerState, Policy


def opened(at_s: float = 0.0, max_outage_s: float = 900.0) -> Breaker:
    """A breaker that has just opened."""
    breaker = Breaker(max_outage_s)
    for _ in range(20):
        breaker.record(False, at_s)
    return breaker


def test_twenty_failures_in_a_row_are_an_outage() -> None:
    """Nineteen are not; the twentieth opens it and nothing may start."""
    breaker = Breaker()
    for _ in range(19):
        breaker.record(False, 5.0)
    assert breaker.allows(5.0)
    breaker.record(False, 5.0)
    assert breaker.is_open
    assert breaker.open_since_s == 5.0
    assert not breaker.allows(5.5)
    assert breaker.wait_s(5.5) == pytest.approx(0.5)


def test_one_success_starts_the_row_anew() -> None:
    """Nineteen, a success, nineteen: no outage."""
    breaker = Breaker()
    for ok in [False] * 19 + [True] + [False] * 19:
        breaker.record(ok, 0.0)
    assert not breaker.is_open


def test_what_began_before_a_success_is_no_sign_of_an_outage() -> None:
    """Thirty timeouts end long after calls that began later went well; thirty that began after those are one."""
    breaker = Breaker()
    for second in range(30):
        breaker.record(True, 10.0 + second / 100, started_s=5.0 + second / 100)
    for second in range(30):
        breaker.record(False, 30.0 + second / 100, started_s=4.0 + second / 100)
    assert not breaker.is_open
    for second in range(30):
        breaker.record(False, 36.0 + second / 100, started_s=6.0 + second / 100)
    assert breaker.is_open


def test_retries_alone_prove_nothing() -> None:
    """At the end of a run only the IDs that always fail are left: their retries are not an outage."""
    breaker = Breaker()
    breaker.record(True, 0.0)
    for _ in range(5):
        breaker.record(False, 1.0)
    for _ in range(500):
        breaker.record(False, 2.0, first=False)
    assert not breaker.is_open
    breaker.record(False, 3.0)
    assert breaker.is_open


def test_surely_more_than_half_is_an_outage() -> None:
    """Nineteen of twenty fail, with a success now and then: the row breaks, the share does not."""
    breaker = Breaker()
    calls = 0
    while not breaker.is_open:
        calls += 1
        breaker.record(calls % 20 == 1, calls / 10)
    assert 300 <= calls < 320


def test_old_failures_are_forgotten() -> None:
    """The share is that of the last 30 s."""
    breaker = Breaker()
    for i in range(200):
        breaker.record(i % 15 == 0, 1.0)
    for i in range(60):
        breaker.record(i % 3 != 0, 40.0)
    assert not breaker.is_open


@pytest.mark.untraced
@pytest.mark.parametrize("share", [0.1, 0.3, 0.5])
def test_half_of_the_calls_failing_by_chance_is_not_an_outage(share: float) -> None:
    """Faults of 10 to 50 % for half an hour at 20/s: the breaker is open for less than 1 % of the time."""
    dice, breaker, held_s = Random(11), Breaker(), 0.0
    for i in range(36_000):
        now_s = i / 20
        if not breaker.allows(now_s):
            held_s += 0.05
            continue
        if breaker.is_open:
            breaker.probe_started(now_s)
        breaker.record(dice.random() >= share, now_s)
    assert held_s <= 18


def test_probes_come_seldomer_and_seldomer() -> None:
    """One probe at a time, 1, 2, 4 … 60 s after the last failure."""
    breaker, now_s, probes = opened(), 0.0, []
    while now_s < 300:
        now_s += 0.25
        if breaker.allows(now_s):
            breaker.probe_started(now_s)
            assert breaker.state is BreakerState.PROBING
            assert not breaker.allows(now_s + 1)
            probes.append(now_s)
            breaker.record(False, now_s)
    assert probes == [1, 3, 7, 15, 31, 63, 123, 183, 243]


def test_failed_connections_count_as_one_probe() -> None:
    """Fifty workers that all try to connect when the probe is due lengthen the wait once."""
    breaker = opened()
    for _ in range(50):
        breaker.record(False, 1.0)
    assert breaker.wait_s(1.0) == pytest.approx(2.0)


def test_a_probe_that_succeeds_ends_the_outage() -> None:
    """All may start at once again, and the row starts anew."""
    breaker = opened()
    breaker.probe_started(1.0)
    breaker.record(True, 1.2, started_s=1.0)
    assert not breaker.is_open
    assert breaker.open_since_s is None
    assert breaker.wait_s(1.2) == 0.0
    for _ in range(19):
        breaker.record(False, 1.3)
    assert not breaker.is_open


def test_a_lost_probe_does_not_stop_the_run() -> None:
    """Cut off without a result: after a minute the next is due."""
    breaker = opened()
    breaker.probe_started(1.0)
    assert not breaker.allows(60.0)
    assert breaker.allows(61.0)


def test_answers_from_before_say_nothing_about_now() -> None:
    """Calls that started before it opened do not close it; those from before it closed do not open it again."""
    breaker = opened(at_s=10.0)
    breaker.record(True, 10.1, started_s=9.9)
    assert breaker.is_open
    breaker.probe_started(11.0)
    breaker.record(True, 11.5, started_s=11.0)
    for _ in range(100):
        breaker.record(False, 12.0, started_s=9.0)
    assert not breaker.is_open


def test_answers_that_come_in_any_order_count() -> None:
    """The first answer to come need not be that of the first call: none of a closed breaker's calls is too old."""
    breaker = Breaker()
    for i in range(20):
        breaker.record(False, 10.0 + i, started_s=9.0 - i)
    assert breaker.is_open


def test_a_false_alarm_makes_it_slower() -> None:
    """Over at the first probe: the next opening takes more than forty in a row; after many successes twenty again."""
    breaker = opened()
    breaker.record(True, 2.0)
    for _ in range(40):
        breaker.record(False, 3.0)
    assert not breaker.is_open
    for _ in range(1000):
        breaker.record(True, 10.0)
    for _ in range(20):
        breaker.record(False, 11.0)
    assert breaker.is_open


def test_probes_ask_for_a_fresh_id_after_four() -> None:
    """The answer to a failed probe says so; the fifth probe should not be an ID that may itself be the reason."""
    breaker, wanted = opened(), []
    for now_s in (1.0, 3.0, 7.0, 15.0, 31.0):
        wanted.append(breaker.wants_fresh)
        breaker.probe_started(now_s)
        assert breaker.record(False, now_s)
        assert not breaker.record(False, now_s)
    assert wanted == [False] * 4 + [True]


def test_an_outage_that_lasts_is_given_up() -> None:
    """After `max_outage_s` the run should end, resumable; an outage that ended is not counted."""
    breaker = opened(max_outage_s=100.0)
    assert not breaker.given_up(99.0)
    assert breaker.given_up(100.0)
    breaker.record(True, 100.5)
    assert not breaker.given_up(1000.0)


def test_asking_a_closed_breaker_for_a_probe_changes_nothing() -> None:
    """A probe that starts just as the outage ends is a call like any other."""
    breaker = Breaker()
    breaker.probe_started(1.0)
    assert breaker.allows(1.0)
    assert breaker.state is BreakerState.CLOSED


def simulate(fails: Callable[[str, int], bool], ids: int, cap_per_s: int) -> tuple[float, Counter[str], Breaker]:
    """A run with latency 50 ms: seconds until its end, what became of the IDs (and `calls`), the breaker."""
    policy, breaker, dice = Policy(4, random=Random(5).random), Breaker(), Random(5)
    fresh = deque(Item(str(i), i) for i in range(ids))
    heap: list[tuple[float, float, Item]] = []
    answers: deque[tuple[float, float, Item]] = deque()
    calls: Counter[str] = Counter()
    ends: Counter[str] = Counter()
    now_s = 0.0
    while (fresh or heap or answers) and not breaker.given_up(now_s):
        now_s += 1 / cap_per_s
        while answers and answers[0][0] <= now_s:
            _, started_s, item = answers.popleft()
            calls[item.id] += 1
            failed = fails(item.id, calls[item.id])
            probed = breaker.record(not failed, now_s, first=item.attempt == 1, started_s=started_s)
            verdict = Verdict(VerdictKind.RETRY if failed else VerdictKind.DONE)
            match policy.decide(verdict, item, outage=breaker.is_open):
                case Again(wait_s=wait_s):
                    due_s = 0.0 if probed else now_s + wait_s
                    heapq.heappush(heap, (due_s, dice.random(), Item(item.id, item.line, item.attempt + 1)))
                case Free(wait_s=wait_s):
                    heapq.heappush(heap, (now_s + wait_s, dice.random(), item))
                case Fail():
                    ends["failed"] += 1
                case Keep():
                    ends["kept"] += 1
        if breaker.allows(now_s) and (fresh or (heap and heap[0][0] <= now_s)):
            due = heap and heap[0][0] <= now_s and not (breaker.wants_fresh and fresh)
            item = heapq.heappop(heap)[2] if due else fresh.popleft()
            if breaker.is_open:
                breaker.probe_started(now_s)
            answers.append((now_s + 0.05, now_s, item))
    ends["calls"] = calls.total()
    return now_s, ends, breaker


@pytest.mark.untraced
@pytest.mark.parametrize(("tries", "cap_per_s"), [(1, 20), (2, 20), (3, 20), (4, 20), (1, 200), (2, 200), (3, 200)])
def test_every_id_failing_its_first_tries_costs_little_time(tries: int, cap_per_s: int) -> None:
    """It looks like an outage and is none: all are fetched in the time of the calls, a tenth and a minute."""
    took_s, ends, _ = simulate(lambda _, n: n <= tries, ids=1000, cap_per_s=cap_per_s)
    assert ends["kept"] == 1000
    assert ends["calls"] == 1000 * (tries + 1)
    assert took_s <= 1000 * (tries + 1) / cap_per_s * 1.1 + 60


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5, 0.7])
def test_ids_that_always_fail_do_not_look_like_an_outage(share: float) -> None:
    """They end in the failed file after five attempts each, and the run ends in time."""
    bad = {str(i) for i in range(1000) if Random(i).random() < share}
    took_s, ends, _ = simulate(lambda id_, _: id_ in bad, ids=1000, cap_per_s=50)
    assert ends["failed"] == len(bad)
    assert ends["kept"] == 1000 - len(bad)
    assert took_s <= (1000 + 4 * len(bad)) / 50 * 1.1 + 60


def test_random_faults_cost_no_more_calls_than_faults() -> None:
    """40 % of 503s: each ID is called once, and once more for each of its faults; about 1 % fails all five times."""
    dice = Random(1)
    faults = 0

    def fails(_: str, __: int) -> bool:
        nonlocal faults
        failed = dice.random() < 0.4
        faults += failed
        return failed

    took_s, ends, _ = simulate(fails, ids=1000, cap_per_s=50)
    assert ends["kept"] >= 970
    assert ends["calls"] <= 1000 + faults
    assert took_s <= ends["calls"] / 50 * 1.1 + 20


def test_a_dead_gateway_fails_no_id() -> None:
    """A full outage: 20 calls and those in flight, then one probe a step; every ID stays to be done."""
    took_s, ends, breaker = simulate(lambda _, __: True, ids=200, cap_per_s=20)
    assert ends["failed"] == ends["kept"] == 0
    assert ends["calls"] <= 20 + 2 + 20
    assert breaker.given_up(took_s)
    assert took_s <= 905
