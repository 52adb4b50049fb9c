"""The run's figures as one JSON document, for scripts. The keys are a promise: see `fetcher.report.document`.

It reads no counters: it is handed what `metrics` found. Secrets are cut out of every text on the way.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from fetcher.metrics import Balance, KeyFigures, Percentile, Point, Proof, Snapshot, Story
from fetcher.report.clean import clean
from fetcher.report.document import (
    SCHEMA,
    BookKeeping,
    Bytes,
    Calls,
    Columns,
    Cost,
    DoubtfulIds,
    Examples,
    Ids,
    Input,
    Latency,
    Percentiles,
    Rates,
    SharedCap,
    Summary,
    Windows,
)
from fetcher.report.doubts import Doubts, doubt_document
from fetcher.report.figures import iso_time
from fetcher.secret import Redactor


class Finished(msgspec.Struct, frozen=True, kw_only=True):
    """A run that has ended, as its summary needs it. Times are wall clock, milliseconds since 1970 UTC."""

    exit_code: int
    reason: str
    started_wall_ms: int
    ended_wall_ms: int
    snapshot: Snapshot
    out: str = ""
    proof: Proof | None = None
    keys: tuple[KeyFigures, ...] = ()
    balance: Balance | None = None
    story: Story = Story()
    settings: Mapping[str, Any] = {}
    versions: Mapping[str, str] = {}
    left_is_exact: bool = True
    """False: the input was not read to its end."""
    doubts: Doubts = Doubts()
    input: Mapping[str, Any] = {}
    """Lines of the input by what they were."""


def summary_document(run: Finished, redactor: Redactor | None = None) -> dict[str, Any]:
    """The document, in plain values without secrets; `fetcher.report.document` says what each key is."""
    snapshot = run.snapshot
    summary = Summary(
        schema=SCHEMA,
        versions=dict(run.versions),
        exit_code=run.exit_code,
        reason=run.reason,
        started_at=iso_time(run.started_wall_ms),
        ended_at=iso_time(run.ended_wall_ms),
        elapsed_s=_rounded(snapshot.elapsed_s),
        out=run.out,
        input=msgspec.convert(run.input, Input),
        ids=_ids(snapshot, run.left_is_exact),
        changes=snapshot.changes or None,
        purpose=run.settings.get("purpose"),
        calls=_calls(snapshot),
        cost=_cost(snapshot, run.settings.get("max_cost")),
        doubts=msgspec.convert(doubt_document(run.doubts), DoubtfulIds),
        rates_per_s=Rates(
            cap=snapshot.cap_per_s,
            allowed_at_end=_rounded(snapshot.rate_now_per_s),
            calls_mean=_rounded(snapshot.mean_rate_per_s),
            done_last_minute=_rounded(snapshot.done_per_s),
        ),
        bytes=Bytes(in_=snapshot.bytes_in, out=snapshot.bytes_out),
        windows=None if run.proof is None else _windows(run.proof),
        shared_cap=SharedCap(exchanges=snapshot.lease_exchanges, slots_missed=snapshot.slots_missed)
        if snapshot.lease_exchanges
        else None,
        keys=list(run.keys),
        latency_ms=Latency(
            **{name: _rounded(getattr(snapshot, f"latency_{name}_s") * 1000) for name in Latency.__struct_fields__}
        ),
        books=None if run.balance is None else _books(run.balance),
        settings=dict(run.settings),
        **_told(run.story),
    )
    cleaned: dict[str, Any] = clean(msgspec.to_builtins(summary, enc_hook=str), redactor or Redactor())
    return cleaned


def _rounded(value: float) -> float:
    return round(value, 3)


def _ids(snapshot: Snapshot, left_is_exact: bool) -> Ids:
    names = [name for name in Ids.__struct_fields__ if name != "left_is_exact"]
    return Ids(**{name: getattr(snapshot, name) for name in names}, left_is_exact=left_is_exact)


def _calls(snapshot: Snapshot) -> Calls:
    names = ("own", "unsent", "results", "retries", "throttles", "paid_doubts", "stored_nothing")
    figures = {name: getattr(snapshot, name) for name in names}
    return Calls(sent=snapshot.attempts, paused_s=_rounded(snapshot.paused_s), **figures)


def _cost(snapshot: Snapshot, limit: float | None) -> Cost | None:
    if snapshot.price is None or snapshot.cost is None:
        return None
    return Cost(
        price=snapshot.price,
        total=round(snapshot.cost, 6),
        unanswered=round(snapshot.paid_doubts * snapshot.price, 6),
        stored_nothing=round(snapshot.stored_nothing * snapshot.price, 6),
        limit=limit,
    )


def _windows(proof: Proof) -> Windows:
    return Windows(
        worst_1s=proof.worst_1s,
        worst_100ms=proof.worst_100ms,
        mean_per_s=_rounded(proof.mean_per_s),
        used=_rounded(proof.used),
        holds=proof.holds,
        exact=proof.exact,
        clock_error_ms=_rounded(proof.clock_error_s * 1000) or None,
    )


def _books(balance: Balance) -> BookKeeping:
    return BookKeeping(balanced=bool(balance), **msgspec.to_builtins(balance))


def _told(story: Story) -> dict[str, Any]:
    return {
        "percentiles": Percentiles(service=_shortened(story.service), with_wait=_shortened(story.with_wait)),
        "course": _columns(story.points),
        "pauses": [
            replace(pause, start_s=_rounded(pause.start_s), end_s=_rounded(pause.end_s)) for pause in story.pauses
        ],
        "examples": Examples(
            slowest=[replace(slow, latency_ms=_rounded(slow.latency_ms)) for slow in story.slowest],
            failures=story.failures,
            answers=story.answers,
        ),
    }


def _shortened(table: list[Percentile]) -> list[Percentile]:
    return [Percentile(one.share, round(one.duration_s, 6)) for one in table]


def _columns(points: list[Point]) -> Columns:
    columns: dict[str, list[Any]] = {name: [] for name in Columns.__struct_fields__}
    for point in points:
        for name, column in columns.items():
            value = getattr(point, name.replace("_ms", "_s")) if name.endswith("_ms") else getattr(point, name)
            factor = 1000.0 if name.endswith("_ms") else 1
            column.append(_rounded(value * factor) if isinstance(value, float) else value)
    return Columns(**columns)
