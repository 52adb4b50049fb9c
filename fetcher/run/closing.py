"""A run that has ended, put into words and figures for `report`. It decides nothing and writes nothing."""

from __future__ import annotations

import platform
from typing import Any

import msgspec

from fetcher._version import __version__
from fetcher.metrics import Proof
from fetcher.report import Doubts, End, Finished
from fetcher.run.job import Job
from fetcher.run.loop import Ended
from fetcher.settings import FIELDS, CommandSettings


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


def finished_of(job: Job, done: Done) -> Finished:
    error = done.ended.error
    return Finished(
        exit_code=done.code,
        reason="" if error is None else str(error),
        started_wall_ms=done.started_ms,
        ended_wall_ms=done.ended_ms,
        snapshot=msgspec.structs.replace(done.ended.snapshot, left=done.left),
        out=job.out,
        proof=done.proof,
        keys=done.ended.keys,
        balance=done.ended.balance,
        story=done.ended.story,
        settings=shown(job.settings),
        versions={"fetcher": __version__, "python": platform.python_version()},
        left_is_exact=done.left_is_exact,
        doubts=done.doubts,
        input=done.counts,
    )


def shown(settings: CommandSettings) -> dict[str, object]:
    """The settings in force for the summary: secrets as stars, the rest as JSON has it."""
    values = {field.name: getattr(settings, field.name) for field in FIELDS}
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: object) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, tuple) and all(isinstance(each, str) for each in value):
        return list(value)
    return str(value)
