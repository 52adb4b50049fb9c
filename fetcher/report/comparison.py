"""Several runs in one table: headline figures, what has changed, and the settings in which they differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from fetcher.report.advice import head_of
from fetcher.report.document import Summary
from fetcher.report.figures import duration, latency, money, number, rate
from fetcher.report.markup import Child, Markup, el, table
from fetcher.report.sections import is_unset, when


def comparison(runs: Sequence[Summary], names: Sequence[str]) -> Markup:
    """Headline figures of several runs, and the settings in which they differ."""
    rows: list[list[Child]] = [
        ["ended", *(head_of(run.exit_code) for run in runs)],
        ["started", *(when(run.started_at) for run in runs)],
    ]
    for label, value_of, words in _COMPARED:
        values = [value_of(run) for run in runs]
        rows.append([label, *("–" if value is None else words(value) for value in values), _change(values)])
    differing = _differing(runs)
    columns = tuple(range(1, len(runs) + 2))
    heads = ["", *names, "change"] if len(runs) == 2 else ["", *names]
    parts: list[Child] = [table(heads, [[*row, ""][: len(heads)] for row in rows], numbers=columns)]
    if differing:
        parts += [el("h3", "Settings that differ"), table(["", *names], differing, numbers=columns)]
    return el("section", *parts)


def _differing(runs: Sequence[Summary]) -> list[list[Child]]:
    """Settings with their value in each run. One that is not set is the same as one that was not yet known."""
    keys = sorted({key for run in runs for key in run.settings})
    rows: list[list[Child]] = []
    for key in keys:
        values = ["–" if is_unset(value) else str(value) for value in (run.settings.get(key) for run in runs)]
        if len(set(values)) > 1:
            rows.append([el("code", key), *values])
    return rows


def _change(values: Sequence[float | None]) -> str:
    """From the first to the second, in per cent; nothing where that says nothing."""
    if len(values) != 2 or not values[0] or values[1] is None:
        return ""
    change = (values[1] / values[0] - 1.0) * 100
    return "same" if abs(change) < 0.05 else f"{change:+.1f} %".replace("-", "−")


def _seconds(value: float) -> str:
    return latency(value / 1000)


def _count(value: float) -> str:
    return number(int(value))


_Compared: TypeAlias = tuple[str, Callable[[Summary], float | None], Callable[[float], str]]
_COMPARED: Final[tuple[_Compared, ...]] = (
    ("duration", lambda run: run.elapsed_s, duration),
    ("IDs fetched", lambda run: run.ids.fetched, _count),
    ("IDs failed", lambda run: run.ids.failed, _count),
    ("IDs left", lambda run: run.ids.left, _count),
    ("calls", lambda run: run.calls.sent, _count),
    ("retries", lambda run: run.calls.retries, _count),
    ("answers over the rate", lambda run: run.calls.throttles, _count),
    ("cap", lambda run: run.rates_per_s.cap, rate),
    ("calls per second while busy", lambda run: run.windows.mean_per_s if run.windows else None, rate),
    ("fullest second", lambda run: run.windows.worst_1s if run.windows else None, _count),
    ("half of the calls within", lambda run: run.latency_ms.p50, _seconds),
    ("99 % of the calls within", lambda run: run.latency_ms.p99, _seconds),
    ("cost at most", lambda run: run.cost.total if run.cost else None, money),
)
"""What is compared: label, figure (None: not known), how it is written."""
