"""The run's figures as one JSON document, for scripts. The keys are a promise: see `summary_document`.

It reads no counters: it is handed what `metrics` found. Secrets are cut out of every text on the way.
"""

from __future__ import annotations

import contextlib
import math
import os
import stat
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec

from fetcher.errors import OutputError
from fetcher.metrics import Balance, Point, Proof, Snapshot
from fetcher.report.doubts import Doubts, doubt_document
from fetcher.report.figures import iso_time
from fetcher.secret import Redactor, Secret

SCHEMA: Final = 1
"""Grows when a key changes its meaning or goes away; new keys may come at any time."""


class Finished(msgspec.Struct, frozen=True, kw_only=True):
    """A run that has ended, as its summary needs it. Times are wall clock, milliseconds since 1970 UTC."""

    exit_code: int
    reason: str
    started_wall_ms: int
    ended_wall_ms: int
    snapshot: Snapshot
    proof: Proof | None = None
    balance: Balance | None = None
    course: list[Point] = []
    settings: Mapping[str, Any] = {}
    versions: Mapping[str, str] = {}
    left_is_exact: bool = True
    """False: the input was not read to its end."""
    doubts: Doubts = Doubts()
    input: Mapping[str, Any] = {}
    """Lines of the input by what they were."""


def summary_document(run: Finished, redactor: Redactor | None = None) -> dict[str, Any]:
    """The document, in plain values.

    Keys:
        schema: 1.
        versions: of this program, Python and what it stands on.
        exit_code, reason: how it ended; `reason` is empty when it ended by itself.
        started_at, ended_at, elapsed_s: UTC, and monotonic seconds between.
        input: lines read, and how many were blank, comments, header, duplicates, known (done earlier), bad, items (to
            be done): lines is the sum of those; repaired: IDs that were put right, by what was done.
        ids: total (null: unknown), read, fetched, failed, failed_permanent, failed_by_kind, skipped_known, duplicates,
            left, left_is_exact.
        calls: sent, unsent (no byte left), results (by verdict or loss), retries, throttles, paused_s, paid_doubts.
        cost (null: no price): price of a call, total of all that left, unanswered: its part for calls never answered.
        doubts: IDs whose call may have been charged without a stored answer: earlier (of killed runs; held: kept back
            in the failed file), open (of this one); noted: calls were noted, so none is missing here.
        rates_per_s: cap, allowed_at_end, calls_mean, done_last_minute; bytes: in, out.
        windows (null: not watched): the proof of the cap: worst_1s, worst_100ms, mean_per_s and used (share of the cap)
            while busy, holds, exact.
        latency_ms: p50, p90, p99, max, mean, of answered calls.
        books (null: not kept): balanced, evidence, and the counts of IDs on both sides.
        course: [elapsed_s, calls_per_s, done_per_s] of each stretch of the run.
        settings: as they were in force, secrets as stars.
    """
    snapshot = run.snapshot
    document = {
        "schema": SCHEMA,
        "versions": dict(run.versions),
        "exit_code": run.exit_code,
        "reason": run.reason,
        "started_at": iso_time(run.started_wall_ms),
        "ended_at": iso_time(run.ended_wall_ms),
        "elapsed_s": _rounded(snapshot.elapsed_s),
        "input": dict(run.input),
        "ids": _ids(snapshot, run.left_is_exact),
        "calls": _calls(snapshot),
        "cost": _cost(snapshot),
        "doubts": doubt_document(run.doubts),
        "rates_per_s": {
            "cap": snapshot.cap_per_s,
            "allowed_at_end": _rounded(snapshot.rate_now_per_s),
            "calls_mean": _rounded(snapshot.mean_rate_per_s),
            "done_last_minute": _rounded(snapshot.done_per_s),
        },
        "bytes": {"in": snapshot.bytes_in, "out": snapshot.bytes_out},
        "windows": None if run.proof is None else _windows(run.proof),
        "latency_ms": {
            name: _rounded(getattr(snapshot, f"latency_{name}_s") * 1000)
            for name in ("p50", "p90", "p99", "max", "mean")
        },
        "books": None if run.balance is None else _books(run.balance),
        "course": [
            [_rounded(point.elapsed_s), _rounded(point.calls_per_s), _rounded(point.done_per_s)] for point in run.course
        ],
        "settings": dict(run.settings),
    }
    cleaned: dict[str, Any] = clean(document, redactor or Redactor())
    return cleaned


def _rounded(value: float) -> float:
    return round(value, 3)


def _ids(snapshot: Snapshot, left_is_exact: bool) -> dict[str, Any]:
    names = (
        "total",
        "read",
        "fetched",
        "failed",
        "failed_permanent",
        "failed_by_kind",
        "skipped_known",
        "duplicates",
        "left",
    )
    return {name: getattr(snapshot, name) for name in names} | {"left_is_exact": left_is_exact}


def _calls(snapshot: Snapshot) -> dict[str, Any]:
    names = ("unsent", "results", "retries", "throttles", "paused_s", "paid_doubts")
    return {"sent": snapshot.attempts} | {name: getattr(snapshot, name) for name in names}


def _cost(snapshot: Snapshot) -> dict[str, Any] | None:
    if snapshot.price is None or snapshot.cost is None:
        return None
    unanswered = snapshot.paid_doubts * snapshot.price
    return {"price": snapshot.price, "total": round(snapshot.cost, 6), "unanswered": round(unanswered, 6)}


def _windows(proof: Proof) -> dict[str, Any]:
    return {
        "worst_1s": proof.worst_1s,
        "worst_100ms": proof.worst_100ms,
        "mean_per_s": _rounded(proof.mean_per_s),
        "used": _rounded(proof.used),
        "holds": proof.holds,
        "exact": proof.exact,
    }


def _books(balance: Balance) -> dict[str, Any]:
    counts: dict[str, Any] = msgspec.to_builtins(balance)
    return {"balanced": bool(balance)} | counts


def clean(value: Any, redactor: Redactor) -> Any:
    """Plain JSON values, every text redacted; what JSON does not know becomes text, NaN and infinity null."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Secret):
        return str(value)
    if isinstance(value, Mapping):
        return {_sound(redactor.redact(str(key))): clean(inner, redactor) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [clean(inner, redactor) for inner in value]
    return _sound(redactor.redact(str(value)))


def _sound(text: str) -> str:
    """Text that UTF-8 can write. A file's name that is not in the locale's encoding has its bytes as surrogates."""
    if text.isascii():
        return text
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    except UnicodeEncodeError:  # half an emoji
        return text.encode("utf-8", "replace").decode("utf-8")


def write_summary(document: Mapping[str, Any], path: str, stdout: BinaryIO | None = None) -> None:
    """Write it, indented, with a newline at the end; `-` is standard output.

    A file appears whole or not at all: it is written beside its place and then moved there.

    Raises:
        OutputError: it cannot be written.
    """
    text = msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"
    try:
        if path == "-":
            out = stdout or sys.stdout.buffer
            out.write(text)
            out.flush()
        elif _is_special(path):
            Path(path).write_bytes(text)  # a pipe or a device: there is nothing to move into its place
        else:
            _replace(Path(path), text)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise OutputError(f"the summary could not be written to {path}: {why}") from error


def _is_special(path: str) -> bool:
    try:
        return not stat.S_ISREG(os.stat(path).st_mode)  # noqa: PTH116 - follows links and raises what we look for
    except FileNotFoundError:
        return False


def _replace(path: Path, text: bytes) -> None:
    descriptor, beside = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)  # noqa: PTH105 - both names are at hand as texts
    except BaseException:
        with contextlib.suppress(OSError):
            Path(beside).unlink()
        raise
