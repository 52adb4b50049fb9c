"""The plan of `--dry-run` in words. It reckons nothing: see `fetcher.metrics.make_plan`."""

from __future__ import annotations

from datetime import tzinfo

from fetcher.metrics import InputCounts, Plan
from fetcher.report.figures import clock_time, duration, ids, latency, money, number, rate
from fetcher.report.visible import visible


def plan_lines(plan: Plan, now_wall_ms: int, zone: tzinfo | None = None) -> list[str]:
    """What would be done, one fact a line; nothing was sent.

    Args:
        plan: of a run that would start now.
        now_wall_ms: the wall clock, so that a finish on another day is shown with its date.
        zone: of the times shown; the machine's own unless given.
    """
    return [
        *_input_lines(plan.counts),
        *_call_lines(plan),
        *_time_lines(plan, clock_time(plan.finish_wall_ms, now_wall_ms, zone)),
        "nothing was sent",
    ]


def _input_lines(counts: InputCounts) -> list[str]:
    aside = [
        (counts.blank, "blank"),
        (counts.comments, "comments"),
        (counts.header, "header"),
        (counts.duplicates, "duplicates"),
        (counts.bad, "bad"),
    ]
    rest = ", ".join(f"{number(count)} {what}" for count, what in aside if count)
    lines = [f"input: {number(counts.lines)} lines" + (f" ({rest})" if rest else "")]
    if counts.repaired:
        how = ", ".join(f"{number(count)} {visible(what)}" for what, count in sorted(counts.repaired.items()))
        lines.append(f"put right on the way: {how}")
    if counts.fetched_earlier:
        lines.append(f"done before: {ids(counts.fetched_earlier)} fetched")
    if counts.failed_earlier:
        retried = f"{number(counts.to_retry)} of them to be tried again"
        lines.append(f"failed before: {ids(counts.failed_earlier)}, {retried}")
    if counts.fresh:
        lines.append(f"passed over: {ids(counts.fresh)} that --known holds")
    return lines


def _call_lines(plan: Plan) -> list[str]:
    counts = plan.counts
    lines = [f"calls to send: {number(plan.calls)} ({number(counts.new)} new, {number(counts.to_retry)} to try again)"]
    if plan.left_over:
        lines.append(f"left over by the limit of {number(plan.pace.max_calls or 0)} calls: {ids(plan.left_over)}")
    if plan.cost is not None:
        lines.append(f"cost: {money(plan.cost)} at {money(plan.pace.price or 0.0)} a call, without retries")
    return lines


def _time_lines(plan: Plan, finish: str) -> list[str]:
    if not plan.calls:
        return ["time: none, everything is done"] if not plan.left_over else []
    pace = plan.pace
    unused = f" less {pace.headroom * 100:.1f} % headroom" if pace.headroom else ""
    lines = [f"time: {duration(plan.duration_s)} at {rate(plan.rate_per_s)}, done at {finish}"]
    if plan.limited_by == "concurrency" and pace.latency_s:
        lines.append(
            f"limited by --concurrency {pace.concurrency} at {latency(pace.latency_s)} a call; "
            f"the cap of {rate(pace.cap_per_s)} needs {plan.concurrency_needed}"
        )
    else:
        lines.append(f"limited by the cap of {rate(pace.cap_per_s)}{unused}")
    return lines
