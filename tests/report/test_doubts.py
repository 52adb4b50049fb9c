"""Money and doubts in words and in the summary."""

from __future__ import annotations

from datetime import UTC

import pytest

from fetcher.metrics import InputCounts, Pace, Snapshot, make_plan
from fetcher.report import Doubts, End, Finished, closing_words, money, plan_lines, summary_document

PAID = Snapshot(read=10, fetched=10, attempts=12, results={"done": 10, "timeout": 2}, paid_doubts=2, price=0.01)


def words(doubts: Doubts, snapshot: Snapshot = PAID) -> str:
    return "\n".join(closing_words(End(code=0, snapshot=snapshot, doubts=doubts)))


def test_what_it_cost_is_said_at_the_end() -> None:
    """All calls that left, and the part of them that nobody answered."""
    said = words(Doubts())
    assert "cost: 0.12 at most, at 0.01 a call, 0.02 of it brought nothing to store, 0.02 for calls never" in said
    assert "cost" not in words(Doubts(), Snapshot(read=10, fetched=10, attempts=12))


def test_doubts_are_counted_and_named() -> None:
    """How many, the first ten, and what becomes of them."""
    assert "in doubt" not in words(Doubts())
    said = words(Doubts(earlier=("1", "2"), held=False))
    assert "2 calls (1, 2) may have been charged, answer not stored; fetched again" in said
    assert "--on-doubt retry" in words(Doubts(earlier=("1",), held=True))
    said = words(Doubts(open=tuple(map(str, range(1, 31)))))
    assert "30 calls (1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 20 more)" in said
    assert "--on-doubt hold" in said


def test_the_summary_has_both() -> None:
    """Every ID in doubt, and the cost in figures; null without a price."""
    run = Finished(
        exit_code=0,
        reason="",
        started_wall_ms=0,
        ended_wall_ms=1,
        snapshot=PAID,
        settings={"max_cost": 0.1},
        doubts=Doubts(earlier=("7",), open=("8", "9"), noted=True),
    )
    document = summary_document(run)
    assert document["cost"] == {"price": 0.01, "total": 0.12, "unanswered": 0.02, "stored_nothing": 0.02, "limit": 0.1}
    assert document["doubts"] == {"noted": True, "earlier": ["7"], "held": False, "open": ["8", "9"]}
    bare = Finished(exit_code=0, reason="", started_wall_ms=0, ended_wall_ms=1, snapshot=Snapshot())
    assert summary_document(bare)["cost"] is None


def test_the_plan_names_the_cost() -> None:
    """Before anything is sent; of the calls that a limit allows."""
    plan = make_plan(InputCounts(lines=1000, new=1000), Pace(cap_per_s=20.0, price=0.0035, max_calls=800), 0)
    assert plan.cost == pytest.approx(2.8)
    assert "cost: 2.80 at 0.0035 a call" in plan_lines(plan, 0, UTC)
    assert not any("cost" in line for line in plan_lines(make_plan(InputCounts(new=1), Pace(cap_per_s=1.0), 0), 0, UTC))


def test_money() -> None:
    """Two decimals, or as many as it takes to show something."""
    assert [money(amount) for amount in (0.0, 0.0035, 0.12, 12.4, 1234567.891)] == [
        "0.00",
        "0.0035",
        "0.12",
        "12.40",
        "1 234 567.89",
    ]
