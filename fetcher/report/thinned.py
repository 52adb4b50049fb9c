"""A run's course as few stretches as a page can show: sums are added, extremes kept, rates averaged by time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from fetcher.report.document import Columns

MOST: Final = 200


def thinned(course: Columns, most: int = MOST, least_s: float = 0.0) -> Columns:
    """At most `most` stretches, none but the last shorter than `least_s`; the same object where it is so already."""
    lots = list(_lots(course.elapsed_s, most, least_s))
    if len(lots) == len(course.elapsed_s):
        return course
    starts_s = [0.0, *course.elapsed_s]
    spans_s = [end_s - start_s for start_s, end_s in zip(starts_s, course.elapsed_s, strict=False)]
    columns: dict[str, list[Any]] = {}
    for name in Columns.__struct_fields__:
        column, join = getattr(course, name), _JOINS[name]
        columns[name] = [join(column[lot], spans_s[lot]) for lot in lots]
    return Columns(**columns)


def _lots(ends_s: Sequence[float], most: int, least_s: float) -> Iterator[slice]:
    """Which stretches become one."""
    size = -(-len(ends_s) // most)
    first, start_s = 0, 0.0
    for place, end_s in enumerate(ends_s):
        if place + 1 == len(ends_s) or (place + 1 - first >= size and end_s - start_s >= least_s):
            yield slice(first, place + 1)
            first, start_s = place + 1, end_s


def _last(values: Sequence[Any], _: Sequence[float]) -> Any:
    return values[-1]


def _total(values: Sequence[Any], _: Sequence[float]) -> Any:
    return sum(values)


def _known(pick: Callable[[list[Any]], Any]) -> Callable[[Sequence[Any], Sequence[float]], Any]:
    def join(values: Sequence[Any], _: Sequence[float]) -> Any:
        known = [value for value in values if value is not None]
        return pick(known) if known else None

    return join


def _mean(values: Sequence[Any], spans_s: Sequence[float]) -> Any:
    known = [(value, span_s) for value, span_s in zip(values, spans_s, strict=True) if value is not None]
    total_s = sum(span_s for _, span_s in known)
    return sum(value * span_s for value, span_s in known) / total_s if total_s else None


def _middle(values: list[Any]) -> Any:
    return sorted(values)[len(values) // 2]


_JOINS: Final[dict[str, Callable[[Sequence[Any], Sequence[float]], Any]]] = {
    "elapsed_s": _last,
    "calls_per_s": _mean,
    "done_per_s": _mean,
    "fullest_1s": _known(max),
    "allowed_per_s": _known(min),
    "in_flight": _known(max),
    "failed": _total,
    "retries": _total,
    "throttles": _total,
    "lost": _total,
    "latency_p50_ms": _known(_middle),
    "latency_p90_ms": _known(_middle),
    "latency_p99_ms": _known(max),
}
assert set(_JOINS) == set(Columns.__struct_fields__), "every column has its way of being joined"
