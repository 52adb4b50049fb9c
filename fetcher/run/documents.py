"""What a run leaves beside OUT where it is asked for: the summary, and the page that is drawn from it."""

from __future__ import annotations

import platform
from pathlib import Path

import msgspec

from fetcher._version import __version__
from fetcher.report import Finished, summary_document, write_report, write_summary
from fetcher.run.closing import Done
from fetcher.run.job import Job
from fetcher.secret import Redactor
from fetcher.settings import FIELDS, CommandSettings


def leave_documents(job: Job, done: Done, redactor: Redactor) -> None:
    """Write those that were asked for.

    Raises:
        OutputError: one cannot be written.
    """
    document = summary_document(finished_of(job, done), redactor)
    if job.settings.summary:
        write_summary(document, job.settings.summary)
    if job.settings.report:
        write_report(document, Path(job.out).name, job.settings.report)


def finished_of(job: Job, done: Done) -> Finished:
    """What the summary is made of."""
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
