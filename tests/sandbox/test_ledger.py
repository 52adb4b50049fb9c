"""The referee's counts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fetcher.sandbox.ledger import Ledger, summary


def ledger_of(times: list[float]) -> Ledger:
    """A ledger that saw calls at these times."""
    ledger = Ledger()
    for each in times:
        ledger.arrived(each)
    return ledger


@given(st.lists(st.floats(0, 3, allow_nan=False), max_size=60))
def test_the_worst_second_is_exact(gaps: list[float]) -> None:
    """Counted over every second that ends at a call, as brute force counts it."""
    times = [sum(gaps[:k]) for k in range(len(gaps))]
    worst = max((sum(1 for each in times[: k + 1] if now_s - each < 1.0) for k, now_s in enumerate(times)), default=0)
    assert ledger_of(times).stats()["worst_window"] == worst


def test_a_second_is_half_open() -> None:
    """Calls a whole second apart are not in one."""
    assert ledger_of([0.0, 0.5, 1.0]).stats()["worst_window"] == 2


def test_pauses_do_not_count_as_work() -> None:
    """The mean rate is that of the busy spells."""
    spell = [k / 10 for k in range(11)]
    stats = ledger_of(spell + [100 + each for each in spell]).stats()
    assert stats["calls"] == 22
    assert round(stats["busy_s"], 6) == 2.0 and round(stats["span_s"], 6) == 101.0
    assert round(stats["mean_per_s"], 6) == 10.0


def test_ids_served_more_than_once() -> None:
    """How many there are, how often one was served, and how often the worst."""
    ledger = Ledger()
    for each in (1, 2, 2, 3, 3, 3):
        ledger.served(each)
    stats = ledger.stats()
    assert (stats["ids"], stats["ids_repeated"], stats["most_calls_for_one_id"]) == (3, 2, 3)


def test_answers_and_throttles() -> None:
    """By code; both limit codes are throttles."""
    ledger = Ledger()
    for code in ("ok", "gw.QosAPIFrequencyLimit", "gw.QosAppFrequencyLimit", "ok"):
        ledger.answered(code)
    stats = ledger.stats()
    assert stats["throttled"] == 2
    assert stats["answers"] == {"gw.QosAPIFrequencyLimit": 1, "gw.QosAppFrequencyLimit": 1, "ok": 2}


def test_the_summary_says_it_in_words() -> None:
    """Also when nothing happened."""
    assert "calls      0" in summary(Ledger().stats()) and "answers    none" in summary(Ledger().stats())
    ledger = ledger_of([0.0, 0.25, 0.5])
    for each in (7, 7, 8):
        ledger.served(each)
        ledger.answered("ok")
    text = summary(ledger.stats())
    assert "calls      3 in 0.5 s; 4.0/s while busy" in text
    assert "answers    ok 3" in text and "worst 1 s  3 arrivals; 0 throttled" in text
    assert "2 served, 1 more than once (one of them 2 times)" in text
