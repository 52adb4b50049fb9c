"""The plots of a run: which series, on which axes, and what is said about them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from fetcher.report import axes
from fetcher.report.document import Columns, Summary
from fetcher.report.figures import duration, latency, number, rate
from fetcher.report.markup import Markup
from fetcher.report.plots import Band, Line, Plot, Rule, figure, lanes
from fetcher.report.thinned import thinned

CALLS_A_STRETCH: Final = 2.0
"""A rate needs a second, and at a low cap a few calls: of less one call more or less would look like a burst."""


class Scale(NamedTuple):
    """Axes that several runs share, so that they can be compared side by side."""

    span_s: float
    calls_per_s: float
    in_flight: float
    latencies_ms: tuple[float, ...]
    durations_s: tuple[float, ...]
    shares: tuple[float, ...]


def scale_of(runs: Iterable[Summary]) -> Scale:
    """Wide enough for all of them."""
    runs = list(runs)
    courses = [run.course for run in runs]
    tables = [table for run in runs for table in (run.percentiles.service, run.percentiles.with_wait)]
    return Scale(
        span_s=max([run.elapsed_s for run in runs], default=1.0),
        calls_per_s=max([run.rates_per_s.cap for run in runs] + [m for c in courses for m in c.fullest_1s]),
        in_flight=max([m for c in courses for m in c.in_flight], default=1),
        latencies_ms=tuple(
            value for c in courses for column in (c.latency_p50_ms, c.latency_p99_ms) for value in column if value
        ),
        durations_s=tuple(one.duration_s for table in tables for one in table if one.duration_s > 0),
        shares=tuple(one.share for table in tables for one in table),
    )


def curves(run: Summary, scale: Scale) -> list[Markup]:
    """All plots of one run, in the order of the page."""
    course = thinned(
        run.course, least_s=max(1.0, CALLS_A_STRETCH / run.rates_per_s.cap if run.rates_per_s.cap else 0.0)
    )
    x = axes.time(scale.span_s)
    xs = [x.place(elapsed_s) for elapsed_s in course.elapsed_s]
    bands = [Band(pause.start_s, pause.end_s, "") for pause in run.pauses]
    return [
        figure(_calls(run, course, scale, x, xs, bands)),
        _troubles(run, course, x),
        figure(_latency(course, scale, x, xs, bands)),
        figure(_percentiles(run, scale)),
        figure(_in_flight(course, scale, x, xs, bands)),
    ]


def _ms(milliseconds: float) -> str:
    return latency(milliseconds / 1000) if milliseconds else "0"


def _per_s(value: float) -> str:
    return rate(value).removesuffix("/s")


def _calls(
    run: Summary, course: Columns, scale: Scale, x: axes.Axis, xs: Sequence[float], bands: Sequence[Band]
) -> Plot:
    cap = run.rates_per_s.cap
    hovers = [
        f"at {duration(at_s)}: {rate(calls or 0.0)} sent, fullest second {number(most)}, {rate(allowed or 0.0)} allowed"
        for at_s, calls, most, allowed in zip(
            course.elapsed_s, course.calls_per_s, course.fullest_1s, course.allowed_per_s, strict=True
        )
    ]
    fullest: list[float | None] = [value or None for value in course.fullest_1s]
    # No mean is above the fullest second, but for the call more that a stretch may hold at its edge.
    means = [
        calls if calls is None or not most else min(calls, most)
        for calls, most in zip(course.calls_per_s, course.fullest_1s, strict=True)
    ]
    return Plot(
        title="Calls sent per second",
        words=f"Against the cap of {rate(cap)}. The fullest second of each stretch must not rise above it.",
        x=x,
        y=axes.linear(scale.calls_per_s, _per_s),
        xs=xs,
        lines=[
            Line(name="sent", kind="sent", values=means, is_area=True, is_step=True),
            Line(name="allowed by pacing", kind="allowed", values=course.allowed_per_s, is_step=True),
            Line(name="fullest second", kind="fullest", values=fullest),
        ],
        rules=[Rule("cap", "cap", cap)],
        bands=bands,
        hovers=hovers,
        mark="paused",
    )


def _latency(course: Columns, scale: Scale, x: axes.Axis, xs: Sequence[float], bands: Sequence[Band]) -> Plot:
    hovers = [
        f"at {duration(at_s)}: no answer"
        if half is None
        else f"at {duration(at_s)}: half within {_ms(half)}, 99 % {_ms(slow or half)}"
        for at_s, half, slow in zip(course.elapsed_s, course.latency_p50_ms, course.latency_p99_ms, strict=True)
    ]
    return Plot(
        title="Latency",
        words="Of answered calls, from the first byte sent to the last received: half, 90 % and 99 % were no slower.",
        x=x,
        y=axes.fitting(list(scale.latencies_ms), _ms),
        xs=xs,
        lines=[
            Line(name="99 %", kind="p99", values=course.latency_p99_ms),
            Line(name="90 %", kind="p90", values=course.latency_p90_ms),
            Line(name="half", kind="p50", values=course.latency_p50_ms),
        ],
        bands=bands,
        hovers=hovers,
        mark="paused",
    )


def _in_flight(course: Columns, scale: Scale, x: axes.Axis, xs: Sequence[float], bands: Sequence[Band]) -> Plot:
    return Plot(
        title="In flight",
        words="IDs whose call was on its way, at the most, in each stretch.",
        x=x,
        y=axes.linear(float(scale.in_flight), lambda value: f"{value:g}"),
        xs=xs,
        lines=[Line(name="in flight", kind="flight", values=course.in_flight, is_area=True, is_step=True)],
        bands=bands,
        mark="paused",
    )


def _percentiles(run: Summary, scale: Scale) -> Plot:
    service, waited = run.percentiles.service, run.percentiles.with_wait
    if waited == service:
        waited = []  # no ID took a second call: one line says it all
    x = axes.nines(list(scale.shares))
    # Both tables on the same places: a line that has no value there is interpolated by the drawing.
    shares = sorted({one.share for one in (*service, *waited)})
    by_share = [{one.share: one.duration_s * 1000 for one in table} for table in (service, waited)]
    lines = [
        Line(name="a call", kind="p50", values=_filled(shares, by_share[0])),
        Line(name="an ID with its waits and retries", kind="waited", values=_filled(shares, by_share[1])),
    ]
    return Plot(
        title="How long, for which part of all",
        words="To the right the rare slow ones. An ID's time runs from its first call to its end.",
        x=x,
        y=axes.fitting([value * 1000 for value in scale.durations_s], _ms),
        xs=[axes.depth(share, x) for share in shares],
        lines=[line for line in lines if any(value is not None for value in line.values)],
        hovers=[
            f"{share * 100:.6g} %: " + ", ".join(_ms(table[share]) for table in by_share if share in table)
            for share in shares
        ],
    )


def _filled(shares: Sequence[float], table: dict[float, float]) -> list[float | None]:
    """Values at all shares: between two that are known the straight line, beyond the last none."""
    known = sorted(table)
    values: list[float | None] = []
    for share in shares:
        if share in table:
            values.append(table[share])
            continue
        below = max((one for one in known if one < share), default=None)
        above = min((one for one in known if one > share), default=None)
        if below is None or above is None:
            values.append(None)
        else:
            part = (share - below) / (above - below)
            values.append(table[below] + part * (table[above] - table[below]))
    return values


def _troubles(run: Summary, course: Columns, x: axes.Axis) -> Markup:
    pauses = [
        Band(
            pause.start_s,
            pause.end_s,
            f"{duration(pause.end_s - pause.start_s)} from {duration(pause.start_s)}: {pause.reason}"
            + (f" ({number(pause.count)} pauses)" if pause.count > 1 else ""),
        )
        for pause in run.pauses
    ]
    rows = [
        ("paused", "pause", pauses),
        ("over the rate", "throttle", _marks(course, course.throttles, "answers over the rate")),
        ("retries", "retry", _marks(course, course.retries, "retries")),
        ("no answer", "lost", _marks(course, course.lost, "calls without an answer")),
        ("failed", "failed", _marks(course, course.failed, "IDs failed")),
    ]
    seen = [row for row in rows if row[2]]
    words = "When the run was held up, and by what." if seen else "Nothing held the run up."
    return lanes("Retries, throttles, pauses", words, x, seen)


def _marks(course: Columns, counts: Sequence[int], what: str) -> list[Band]:
    """A mark for each stretch that had some; stretches that follow each other are one."""
    marks: list[tuple[float, float, int]] = []
    start_s = 0.0
    for end_s, count in zip(course.elapsed_s, counts, strict=True):
        if count and marks and marks[-1][1] == start_s:
            marks[-1] = (marks[-1][0], end_s, marks[-1][2] + count)
        elif count:
            marks.append((start_s, end_s, count))
        start_s = end_s
    return [
        Band(start_s, end_s, f"{duration(start_s)} to {duration(end_s)}: {number(n)} {what}")
        for start_s, end_s, n in marks
    ]
