"""What the command line asks of a run, and the input that it names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from fetcher.gateway import Api
from fetcher.ids import Source, open_source, source_of
from fetcher.idset import IdSet
from fetcher.output import Reopening
from fetcher.settings import CommandSettings


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line asks for."""

    settings: CommandSettings
    ids: str | tuple[str, ...]
    """A path, `-`, or the IDs themselves."""
    out: str
    command: tuple[str, ...] = ()
    """The arguments of this run, for the words that say how to go on."""


def open_ids(job: Job, api: Api, known: IdSet, wall_ms: Callable[[], int]) -> Source:
    """The input, with what earlier runs have done left out.

    Raises:
        InputError: it is missing, a directory, or not what its name says.
    """
    settings = job.settings
    options: dict[str, Any] = {
        "numeric": api.numeric_ids,
        "known": known,
        "limit": settings.limit,
        "wall_ms": wall_ms,
    }
    if not isinstance(job.ids, str):
        return source_of(job.ids, **options)
    return open_source(
        job.ids,
        id_parameter=api.id_parameter,
        column=settings.ids_column,
        field=settings.ids_field,
        encoding=settings.encoding,
        **options,
    )


def reopening_of(settings: CommandSettings) -> Reopening:
    """What the settings say of what earlier runs have left."""
    return Reopening(settings.overwrite, settings.retry_failed, settings.on_doubt == "hold")
