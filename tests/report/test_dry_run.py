"""The plan in words."""

from __future__ import annotations

from datetime import UTC

from fetcher.metrics import InputCounts, Pace, Sending, make_plan
from fetcher.report import plan_line, plan_lines

NOW_MS = 1_795_456_800_000


def lines(counts: InputCounts, **pace: object) -> list[str]:
    """The words for such an input at 20/s, starting at 18:00 UTC."""
    plan = make_plan(counts, Pace(cap_per_s=20.0, **pace), NOW_MS)  # type: ignore[arg-type]
    return plan_lines(plan, NOW_MS, UTC)


def test_the_whole_plan() -> None:
    """Input, what was done before, calls, money, time, what limits, disk: a fact a line."""
    counts = InputCounts(
        lines=12_345,
        blank=3,
        duplicates=40,
        bad=2,
        repaired={"spaces": 5, "quotes": 1},
        fetched_earlier=300,
        failed_earlier=6,
        failed_by_kind={"not_found": 6, "timeout": 4},
        to_retry=4,
        new=11_990,
    )
    known = {"latency_s": 0.06, "attempts": 1.02, "line_bytes": 6200.0, "free_bytes": 12 * 10**9}
    assert lines(counts, headroom=0.02, price=0.01, **known) == [
        "input: 12 345 lines (3 blank, 40 duplicates, 2 damaged)",
        "put right on the way: 1 quotes, 5 spaces",
        "done before: 300 IDs fetched",
        "failed before: 10 IDs (6 not_found, 4 timeout), 4 of them to be tried again",
        "calls to send: 11 994 (11 990 new, 4 to try again)",
        "retries to expect: 240 (as in OUT so far)",
        "cost: 122.34 at 0.01 a call, 119.94 without retries",
        "time: 10 min 24 s at 19.6/s, done at 18:10",
        "limited by the cap of 20/s less 2.0 % headroom",
        "in flight: about 2 at 60 ms a call, as in OUT so far",
        "disk: 74.4 MB more (6.2 KB a product, as in OUT so far); 12 GB free",
        "nothing was sent",
    ]


def test_what_is_assumed_is_said() -> None:
    """Nothing of an earlier run to go by; and a disk that is too small."""
    said = lines(InputCounts(lines=1000, new=1000), free_bytes=1000)
    assert "retries to expect: 10 (assumed, OUT is empty)" in said
    assert "disk: 6 MB more (6 KB a product, assumed, OUT is empty); 1 KB free: NOT ENOUGH" in said


def test_a_finished_job() -> None:
    """Nothing to do is said as such."""
    assert lines(InputCounts(lines=2, fetched_earlier=2))[-3:] == [
        "calls to send: 0 (0 new, 0 to try again)",
        "time: none, everything is done",
        "nothing was sent",
    ]


def test_in_one_line() -> None:
    """Before a run that costs money: calls, cost, time, what limits; also where it could only guess."""
    pace = Pace(cap_per_s=20.0, price=0.01, attempts=1.0, max_calls=600)
    plan = make_plan(InputCounts(lines=1000, new=1000, is_estimate=True), pace, NOW_MS)
    assert plan_line(plan, NOW_MS, UTC) == (
        "plan: about 600 calls; about 6.00 at 0.01 a call; 30 s, done at 18:00; limited by the cap of 20/s; "
        "400 IDs left over by the limit"
    )
    done = make_plan(InputCounts(lines=2, fetched_earlier=2), pace, NOW_MS)
    assert plan_line(done, NOW_MS, UTC) == "plan: no calls, everything is done"


def test_a_limit_of_calls() -> None:
    """What is left over is told, and a limit of none is not taken for a finished job."""
    assert "left over by the limit of 60 calls: 40 IDs" in lines(InputCounts(lines=100, new=100), max_calls=60)
    assert "time: none, everything is done" not in lines(InputCounts(lines=100, new=100), max_calls=0)


def test_too_few_in_flight() -> None:
    """It says what the cap would need."""
    text = lines(InputCounts(lines=100, new=100), concurrency=2, latency_s=0.4, attempts=1.0)
    assert "limited by --concurrency 2 at 400 ms a call; the cap of 20/s needs 8" in text
    assert any(line.startswith("time: 20 s at 5/s") for line in text)


def test_other_limits() -> None:
    """One core, and the gateway's day: named, with what would help."""
    many = InputCounts(lines=10**6, new=10**6)
    plan = make_plan(many, Pace(cap_per_s=50_000.0), NOW_MS)
    assert "limited by what 1 process can carry; --processes adds more" in plan_lines(plan, NOW_MS, UTC)
    used = {"400000/day": 1200, "9000/min": 0}
    pace = Pace(cap_per_s=50.0, quotas_used=used, hours=("22:00-06:00",), attempts=1.0)
    plan = make_plan(many, pace, NOW_MS, lambda *_: Sending(180_000.0, 7200.0, {"400000/day": 90_000.0}))
    lines = plan_lines(plan, NOW_MS, UTC)
    assert (
        "of that, nothing may be sent for 2 h outside the hours 22:00-06:00, for 1 d 1 h until --cap 400000/day "
        "has calls again" in lines
    ), lines
    assert "used already of --cap 400000/day: 1 200 calls" in lines and not any("9000/min" in line for line in lines)
    assert "limited by --cap 400000/day" in lines
    assert "waits 2 h outside the hours 22:00-06:00" in plan_line(plan, NOW_MS, UTC)
