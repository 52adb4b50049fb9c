"""A run that has ended, put into words for `report`. It decides nothing and writes nothing."""

from __future__ import annotations

from typing import Any

import msgspec

from fetcher.metrics import Proof
from fetcher.report import Doubts, End
from fetcher.run.job import Job
from fetcher.run.loop import Ended


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """A run that has ended, before it is put into words."""

    code: int
    ended: Ended
    proof: Proof
    left: int
    left_is_exact: bool
    failed_path: str
    failed_earlier: int
    unchanged_path: str
    started_ms: int
    ended_ms: int
    doubts: Doubts
    counts: dict[str, Any]


def _reason(ended: Ended) -> str:
    if ended.error is not None:
        return str(ended.error)
    return "" if ended.snapshot.read else "the input holds no IDs"


def end_of(job: Job, done: Done) -> End:
    error = done.ended.error
    return End(
        code=done.code,
        reason=_reason(done.ended),
        left=done.left,
        left_is_exact=done.left_is_exact,
        command=job.command,
        out=job.out,
        failed_path=done.failed_path,
        failed_earlier=done.failed_earlier,
        unchanged_path=done.unchanged_path,
        snapshot=done.ended.snapshot,
        keys=done.ended.keys,
        remedy="" if error is None else error.advice,
        doubts=done.doubts,
    )
