"""The plan in words."""

from __future__ import annotations

from datetime import UTC

from fetcher.metrics import InputCounts, Pace, make_plan
from fetcher.report import plan_lines

NOW_MS = 1_795_456_800_000


def lines(counts: InputCounts, **pace: object) -> list[str]:
    """The words for such an input at 20/s, starting at 18:00 UTC."""
    plan = make_plan(counts, Pace(cap_per_s=20.0, **pace), NOW_MS)  # type: ignore[arg-type]
    return plan_lines(plan, NOW_MS, UTC)


def test_the_whole_plan() -> None:
    """Input, what was done before, calls, time, what limits: a fact a line."""
    counts = InputCounts(
        lines=12_345,
        blank=3,
        duplicates=40,
        bad=2,
        repaired={"spaces": 5, "quotes": 1},
        fetched_earlier=300,
        failed_earlier=10,
        to_retry=4,
        new=11_990,
    )
    assert lines(counts, headroom=0.02) == [
        "input: 12 345 lines (3 blank, 40 duplicates, 2 bad)",
        "put right on the way: 1 quotes, 5 spaces",
        "done before: 300 IDs fetched",
        "failed before: 10 IDs, 4 of them to be tried again",
        "calls to send: 11 994 (11 990 new, 4 to try again)",
        "time: 10 min 12 s at 19.6/s, done at 18:10",
        "limited by the cap of 20/s less 2.0 % headroom",
        "nothing was sent",
    ]


def test_a_finished_job() -> None:
    """Nothing to do is said as such."""
    assert lines(InputCounts(lines=2, fetched_earlier=2))[-3:] == [
        "calls to send: 0 (0 new, 0 to try again)",
        "time: none, everything is done",
        "nothing was sent",
    ]


def test_a_limit_of_calls() -> None:
    """What is left over is told, and a limit of none is not taken for a finished job."""
    assert "left over by the limit of 60 calls: 40 IDs" in lines(InputCounts(lines=100, new=100), max_calls=60)
    assert "time: none, everything is done" not in lines(InputCounts(lines=100, new=100), max_calls=0)


def test_too_few_in_flight() -> None:
    """It says what the cap would need."""
    text = lines(InputCounts(lines=100, new=100), concurrency=2, latency_s=0.4)
    assert "limited by --concurrency 2 at 400 ms a call; the cap of 20/s needs 8" in text
    assert any(line.startswith("time: 20 s at 5/s") for line in text)
