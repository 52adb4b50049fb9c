"""What the files of earlier runs tell of the next one: how long a line is, how many attempts and how much time it took.

A look at the last lines of OUT, and one pass over the failed file. Nothing is changed, no lock is taken.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Final

import msgspec

from fetcher.output.compress import lines_in
from fetcher.output.disk import Disk
from fetcher.output.journal import Journal
from fetcher.output.line import kind_of

TAIL_BYTES: Final = 1 << 20


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """Means of the last lines of OUT; None: there were none to look at."""

    line_bytes: float | None = None
    """As it lies on the disk, compressed where OUT is."""
    attempts: float | None = None
    latency_s: float | None = None
    failed_by_kind: dict[str, int] = {}
    """Of the failed file, whole."""


class _Head(msgspec.Struct):
    attempts: int
    latency_ms: float


def sample_of(out: str, failed: str, fetched: int) -> Sample:
    """Look at both; files that are not there or cannot be read tell nothing.

    Args:
        out: OUT, or `-`.
        failed: the failed file.
        fetched: how many IDs OUT holds.
    """
    try:
        return _sample(out, failed, fetched)
    except OSError:  # the run itself will say what is wrong with them
        return Sample()


def _sample(out: str, failed: str, fetched: int) -> Sample:
    kinds = dict(Counter(_kinds(failed)).most_common()) if Path(failed).is_file() else {}
    if out == "-" or not fetched or not Path(out).is_file():
        return Sample(failed_by_kind=kinds)
    heads = [] if Journal(out, Disk()).is_packed else _heads(out)
    return Sample(
        line_bytes=Path(out).stat().st_size / fetched,
        attempts=_mean([head.attempts for head in heads]),
        latency_s=_mean([head.latency_ms / 1000 for head in heads]),
        failed_by_kind=kinds,
    )


def _mean(values: list[float] | list[int]) -> float | None:
    return sum(values) / len(values) if values else None


def _kinds(path: str) -> list[str]:
    return [kind_of(line) for region, _ in Journal(path, Disk()).regions() for line in lines_in(region)]


def _heads(path: str) -> list[_Head]:
    with open(path, "rb") as file:
        file.seek(max(0, Path(path).stat().st_size - TAIL_BYTES))
        lines = file.read(TAIL_BYTES).split(b"\n")[1:-1]
    found = []
    for line in lines:
        try:
            found.append(msgspec.json.decode(line, type=_Head))
        except msgspec.DecodeError:  # torn, or none of ours: the run mends it
            continue
    return found
