"""The plan of a run in words, and in one line. It reckons nothing: see `fetcher.metrics.make_plan`."""

from __future__ import annotations

from datetime import tzinfo
from typing import Final

from fetcher.metrics import InputCounts, Plan
from fetcher.report.escaping import visible
from fetcher.report.figures import clock_time, counted, duration, ids, latency, money, number, rate, size

WORTH_A_WORD_S: Final = 1.0


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
        *_disk_lines(plan),
        "nothing was sent",
    ]


def plan_line(plan: Plan, now_wall_ms: int, zone: tzinfo | None = None) -> str:
    """The same in one line, for a run that is about to start."""
    if not plan.calls:
        return "plan: no calls, everything is done"
    about = "about " if plan.counts.is_estimate else ""
    parts = [f"plan: {about}{number(plan.calls)} {'call' if plan.calls == 1 else 'calls'}"]
    if plan.cost is not None:
        parts.append(f"about {money(plan.cost)} at {money(plan.pace.price or 0.0)} a call")
    parts.append(f"{duration(plan.duration_s)}, done at {clock_time(plan.finish_wall_ms, now_wall_ms, zone)}")
    parts.append(f"limited by {_limit(plan)}")
    parts += [f"waits {wait}" for wait in _waits(plan)]
    if plan.left_over:
        parts.append(f"{ids(plan.left_over)} left over by the limit")
    return "; ".join(parts)


def _input_lines(counts: InputCounts) -> list[str]:
    aside = [
        (counts.blank, "blank"),
        (counts.comments, "comments"),
        (counts.header, "header"),
        (counts.duplicates, "duplicates"),
        (counts.bad, "damaged"),
    ]
    rest = ", ".join(counted(count, what) for count, what in aside if count)
    lines = [f"input: {counted(counts.lines, 'lines')}" + (f" ({rest})" if rest else "")]
    if counts.repaired:
        how = ", ".join(f"{number(count)} {visible(what)}" for what, count in sorted(counts.repaired.items()))
        lines.append(f"put right on the way: {how}")
    if counts.fetched_earlier:
        lines.append(f"done before: {ids(counts.fetched_earlier)} fetched")
    if counts.fresh:
        lines.append(f"passed over: {ids(counts.fresh)} that --known holds")
    if counts.failed_earlier or counts.to_retry:
        kinds = ", ".join(f"{number(count)} {visible(kind)}" for kind, count in counts.failed_by_kind.items())
        shown = f" ({kinds})" if kinds else ""
        failed = ids(counts.failed_earlier + counts.to_retry)
        lines.append(f"failed before: {failed}{shown}, {number(counts.to_retry)} of them to be tried again")
    return lines


def _call_lines(plan: Plan) -> list[str]:
    counts, pace = plan.counts, plan.pace
    in_batches = f" of {pace.ids_per_call} IDs" if pace.ids_per_call > 1 else ""
    whose = f"{number(counts.new)} new, {number(counts.to_retry)} to try again"
    lines = [f"calls to send: {number(plan.calls)}{in_batches} ({whose})"]
    if plan.calls:
        basis = "assumed, OUT is empty" if pace.attempts is None else "as in OUT so far"
        lines.append(f"retries to expect: {number(plan.retries)} ({basis})")
    if plan.left_over:
        lines.append(f"left over by the limit of {number(pace.max_calls or 0)} calls: {ids(plan.left_over)}")
    if plan.cost is not None and plan.cost_without_retries is not None:
        least = f", {money(plan.cost_without_retries)} without retries" if plan.retries else ""
        lines.append(f"cost: {money(plan.cost)} at {money(pace.price or 0.0)} a call{least}")
    return lines


def _time_lines(plan: Plan, finish: str) -> list[str]:
    if not plan.calls:
        return ["time: none, everything is done"] if not plan.left_over else []
    lines = [f"time: {duration(plan.duration_s)} at {rate(plan.rate_per_s)}, done at {finish}"]
    if waits := _waits(plan):
        lines.append(f"of that, nothing may be sent for {', for '.join(waits)}")
    lines += [
        f"used already of --cap {visible(text)}: {number(used)} calls"
        for text, used in plan.pace.quotas_used.items()
        if used
    ]
    lines.append(f"limited by {_limit(plan)}")
    if plan.limited_by == "cap" and plan.concurrency_needed and plan.pace.latency_s:
        each = latency(plan.pace.latency_s)
        lines.append(f"in flight: about {plan.concurrency_needed} at {each} a call, as in OUT so far")
    return lines


def _waits(plan: Plan) -> list[str]:
    """Times in which nothing may start, and why."""
    waits = [(plan.hours_wait_s, f"outside the hours {', '.join(plan.pace.hours)}")]
    waits += [(wait_s, f"until --cap {visible(text)} has calls again") for text, wait_s in plan.quota_waits_s.items()]
    return [f"{duration(wait_s)} {why}" for wait_s, why in waits if wait_s >= WORTH_A_WORD_S]


def _limit(plan: Plan) -> str:
    """What keeps it from being faster, and what that would take."""
    pace = plan.pace
    if plan.limited_by == "concurrency" and pace.latency_s:
        return (
            f"--concurrency {pace.concurrency} at {latency(pace.latency_s)} a call; "
            f"the cap of {rate(pace.cap_per_s)} needs {plan.concurrency_needed}"
        )
    if plan.limited_by == "core":
        return f"what {pace.processes} process{'es' if pace.processes > 1 else ''} can carry; --processes adds more"
    if plan.quota is not None:
        return f"--cap {visible(plan.quota)}"
    unused = f" less {pace.headroom * 100:.1f} % headroom" if pace.headroom else ""
    return f"the cap of {rate(pace.cap_per_s)}{unused}"


def _disk_lines(plan: Plan) -> list[str]:
    if not plan.ids:
        return []
    pace = plan.pace
    basis = "as in OUT so far" if pace.line_bytes else "assumed, OUT is empty"
    each = size(round(plan.disk_bytes / plan.ids))
    line = f"disk: {size(plan.disk_bytes)} more ({each} a product, {basis})"
    if pace.free_bytes is not None:
        line += f"; {size(pace.free_bytes)} free" + (": NOT ENOUGH" if plan.disk_is_short else "")
    return [line]
