"""The tally follows the life of an ID, edge by edge."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher.errors import Defect
from fetcher.life import TRANSITIONS, Event, State, step
from fetcher.metrics import Snapshot, Tally
from fetcher.model import Attempt, Kind, Lost, VerdictKind
from fetcher.report.line import waiting_words


def new_tally(cap_per_s: float = 10.0) -> Tally:
    """Empty, begun at 100 s."""
    return Tally(cap_per_s, 100.0)


def move(tally: Tally, state: State, event: Event) -> None:
    """Tell the tally of one edge."""
    told = {
        (State.NEW, Event.READ): lambda: tally.read(1),
        (State.NEW, Event.KNOWN): lambda: tally.skipped(1, 0),
        (State.NEW, Event.BAD): lambda: tally.bad(),
        (State.QUEUED, Event.START): lambda: tally.started(),
        (State.WAITING, Event.START): lambda: tally.started(waited=True),
        (State.IN_FLIGHT, Event.ANSWERED): lambda: tally.fetched(),
        (State.IN_FLIGHT, Event.REFUSED): lambda: tally.failed(Kind.SERVER, False),
        (State.IN_FLIGHT, Event.AGAIN): lambda: tally.again(),
        (State.QUEUED, Event.END): lambda: tally.left(State.QUEUED),
        (State.IN_FLIGHT, Event.END): lambda: tally.cut_off(),
        (State.WAITING, Event.END): lambda: tally.left(State.WAITING),
    }
    told[state, event]()


def standing(snapshot: Snapshot) -> dict[State, int]:
    """Where IDs stand, as the snapshot has it."""
    return {
        State.QUEUED: snapshot.queued,
        State.IN_FLIGHT: snapshot.in_flight,
        State.WAITING: snapshot.waiting,
        State.FETCHED: snapshot.fetched,
        State.FAILED: snapshot.failed,
        State.SKIPPED: snapshot.skipped_known + snapshot.duplicates,
        State.LEFT: snapshot.left,
    }


@pytest.mark.untraced
@given(st.lists(st.lists(st.integers(0, 10), min_size=8, max_size=16), max_size=12))
def test_it_agrees_with_every_walk_through_the_life(walks: list[list[int]]) -> None:
    """IDs walk along the table at random: the gauges are where the IDs are, and at the end it balances."""
    tally, states = new_tally(), Counter[State]()
    edges = Counter[tuple[State, Event]]()
    for walk in walks:
        state = State.NEW
        for choice in walk:
            ways = [event for (source, event) in TRANSITIONS if source is state]
            if not ways:
                break
            event = ways[choice % len(ways)]
            move(tally, state, event)
            edges[state, event] += 1
            state = step(state, event)
        states[state] += state is not State.NEW
    snapshot = tally.snapshot(101.0)
    assert standing(snapshot) == {state: states[state] for state in State if state is not State.NEW}
    assert tally.edges() == {edge: edges[edge] for edge in TRANSITIONS}
    assert snapshot.read == sum(states.values())
    tally.check()
    tally.ended()
    ended = tally.snapshot(102.0)
    assert ended.balanced
    assert ended.left == snapshot.left + snapshot.unfinished


def test_an_id_that_waited_leaves_the_heap_not_the_queue() -> None:
    """Two are read; one goes out, comes back to wait, and goes out again."""
    tally = new_tally()
    tally.read(2)
    tally.started()
    tally.again()
    assert standing(tally.snapshot(101.0))[State.WAITING] == 1
    tally.started(waited=True)
    snapshot = tally.snapshot(102.0)
    assert (snapshot.queued, snapshot.in_flight, snapshot.waiting) == (1, 1, 0)


def test_skipped_ids_are_told_apart() -> None:
    """Done earlier and duplicates are both skipped, and only the former count as done."""
    tally = new_tally()
    tally.skipped(known=3, duplicates=2)
    tally.read(4)
    snapshot = tally.snapshot(101.0)
    assert (snapshot.read, snapshot.distinct, snapshot.done) == (9, 7, 3)
    assert (snapshot.skipped_known, snapshot.duplicates) == (3, 2)


def test_more_leaving_than_coming_is_a_defect() -> None:
    """A room that forgets an edge is found out."""
    tally = new_tally()
    tally.read(1)
    tally.started()
    tally.fetched()
    tally.fetched()
    with pytest.raises(Defect, match="1 more IDs left the state in_flight"):
        tally.check()


def test_failures_by_kind_and_permanence() -> None:
    """Bad lines of the input are failures too, and permanent ones."""
    tally = new_tally()
    tally.read(3)
    for kind, permanent in ((Kind.NOT_FOUND, True), (Kind.TIMEOUT, False), (Kind.TIMEOUT, False)):
        tally.started()
        tally.failed(kind, permanent)
    tally.bad(2)
    snapshot = tally.snapshot(101.0)
    assert snapshot.failed_by_kind == {"not_found": 1, "timeout": 2, "bad_id": 2}
    assert (snapshot.failed, snapshot.failed_permanent) == (5, 3)


def test_attempts_are_sorted_by_what_came_of_them() -> None:
    """Answered ones have a latency, lost ones may have been charged, unsent ones cost nothing."""
    tally = new_tally()
    tally.attempt(Attempt(1.0, 1.040, VerdictKind.DONE, 4000))
    tally.attempt(Attempt(1.0, 1.060, VerdictKind.THROTTLE, 100))
    tally.attempt(Attempt(1.0, 31.0, Lost.TIMEOUT, 10))
    tally.attempt(Attempt(1.0, 1.001, Lost.REFUSED, 0, sent=False))
    snapshot = tally.snapshot(101.0)
    assert (snapshot.attempts, snapshot.unsent, snapshot.paid_doubts, snapshot.throttles) == (3, 1, 1, 1)
    assert snapshot.results == {"done": 1, "throttle": 1, "timeout": 1, "refused": 1}
    assert snapshot.bytes_in == 4110
    assert snapshot.latency_max_s == pytest.approx(0.060)
    assert snapshot.latency_p50_s == pytest.approx(0.040, rel=0.01)


def test_only_counted_attempts_are_retries() -> None:
    """A throttle answer and an attempt of which nothing left send the ID back without being a retry."""
    tally = new_tally()
    tally.read(3)
    for back in (tally.again, lambda: tally.again(retry=False), lambda: tally.throttled(1.05)):
        tally.started()
        back()
    snapshot = tally.snapshot(101.0)
    assert (snapshot.waiting, snapshot.retries, snapshot.paused_s) == (3, 1, 1.05)


def test_rates_and_time_left() -> None:
    """Ten a second for ten seconds, and 400 to go: forty seconds more."""
    tally = new_tally()
    tally.expect(500)
    tally.read(500)
    for tenth in range(100):
        tally.started()
        tally.fetched(1000)
        snapshot = tally.snapshot(100.0 + (tenth + 1) / 10)
    assert snapshot.rate_per_s == pytest.approx(10.0, rel=0.02)
    assert snapshot.mean_rate_per_s == pytest.approx(9.9)  # 99 gaps
    assert snapshot.eta_s == pytest.approx(40.0, rel=0.02)
    assert (snapshot.done, snapshot.total, snapshot.elapsed_s) == (100, 500, pytest.approx(10.0))
    assert snapshot.bytes_out == 100_000
    points = tally.story().points
    starts_s = [0.0, *(point.elapsed_s for point in points)]
    done = sum(p.done_per_s * (p.elapsed_s - start_s) for p, start_s in zip(points, starts_s, strict=False))
    assert done == pytest.approx(100.0, abs=3)  # what came after the last point is not in it yet


def test_how_long_ids_took_with_their_waits() -> None:
    """An ID that was tried again counts once, with all of its time; its calls count each by itself."""
    tally = new_tally()
    tally.read(3)
    for call, service_s in enumerate((0.1, 0.1, 0.1, 0.1)):
        tally.attempt(Attempt(float(call), call + service_s, VerdictKind.DONE, 10))
    tally.detour(0.1)  # the third ID was answered twice, and took seven seconds
    tally.detour(0.1)
    tally.delayed(7.0)
    story = tally.story()
    assert (tally.latency.count, tally.with_wait().count) == (4, 3)
    assert story.service[-1].duration_s == pytest.approx(0.1)
    assert story.with_wait[-1].duration_s == 7.0


def test_money_in_every_figure() -> None:
    """Spent, for nothing, and expected in all: three calls for two IDs, of ten."""
    tally = Tally(10.0, 0.0, price=2.0)
    tally.expect(10)
    tally.read(10)
    for result in (VerdictKind.RETRY, VerdictKind.DONE, VerdictKind.ABSENT):
        tally.started()
        tally.attempt(Attempt(0.0, 0.1, result, 10))
    tally.again()
    tally.fetched()
    tally.failed(Kind.NOT_FOUND, permanent=True)
    tally.started()
    snapshot = tally.snapshot(1.0)
    assert (snapshot.cost, snapshot.stored_nothing) == (6.0, 1)
    assert snapshot.cost_expected == 30.0  # three calls for two IDs, so fifteen for ten


def test_the_time_left_is_unknown_until_something_is_done() -> None:
    """No total, or nothing done yet: no guess. All done: zero."""
    tally = new_tally()
    tally.read(1)
    assert tally.snapshot(101.0).eta_s is None
    tally.expect(1)
    assert tally.snapshot(102.0).eta_s is None
    tally.started()
    tally.fetched()
    assert tally.snapshot(103.0).eta_s == 0.0


def test_the_total_never_falls_behind_what_was_read() -> None:
    """A guess by the share of the file is put right by what was read, and by the end of the input for good."""
    tally = new_tally()
    assert tally.snapshot(100.0).total is None
    tally.expect(5)
    tally.read(8)
    assert tally.snapshot(101.0).total == 8
    tally.expect(1000)
    assert tally.snapshot(102.0).total == 1000
    tally.input_ended()
    assert tally.snapshot(103.0).total == 8


@pytest.mark.parametrize(
    ("now_s", "said"), [(100.0, "paused 12 s: over the rate"), (111.5, "paused 1 s: over the rate"), (112.0, "")]
)
def test_a_pause_is_told_with_what_is_left_of_it(now_s: float, said: str) -> None:
    """Until its end, and no longer; answers to calls that had started before do not end it."""
    tally = new_tally()
    tally.waiting("over the rate", 112.0)
    tally.waiting("", None)
    assert waiting_words(tally.snapshot(now_s)) == said


def test_a_wait_without_an_end_is_told_with_its_length() -> None:
    """Nobody knows how long: so far, then. It goes with the first good answer, and the next one starts anew."""
    tally = new_tally()
    tally.waiting("no connection", None)
    said = [waiting_words(tally.snapshot(now_s)) for now_s in (200.0, 242.0)]
    tally.waiting("", None)
    said.append(waiting_words(tally.snapshot(243.0)))
    tally.waiting("no connection", None)
    said.append(waiting_words(tally.snapshot(244.0)))
    assert said == ["waiting: no connection", "waiting for 42 s so far: no connection", "", "waiting: no connection"]


def test_what_pacing_allows_is_passed_on() -> None:
    """The cap from the beginning; less of it while the gateway complains."""
    tally = new_tally(cap_per_s=4.0)
    assert tally.snapshot(100.0).rate_now_per_s == 4.0
    tally.allowed(2.8)
    snapshot = tally.snapshot(105.0)
    assert (snapshot.cap_per_s, snapshot.rate_now_per_s) == (4.0, 2.8)
