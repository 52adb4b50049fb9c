"""What the command line asks of a run, and the input that it names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

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


def open_ids(job: Job, api: Api, known: IdSet, wall_ms: Callable[[], int], fresh: IdSet | None = None) -> Source:
    """The input, with what earlier runs have done left out, and what other files hold (`fresh`).

    Raises:
        InputError: it is missing, a directory, or not what its name says.
    """
    settings = job.settings
    options: dict[str, Any] = {
        "numeric": api.numeric_ids,
        "known": known,
        "fresh": fresh,
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


class Fresh(NamedTuple):
    """What is passed over, since other files hold it."""

    ids: IdSet
    since_ms: int
    """Fetched at this time or later, milliseconds since 1970 UTC; 0: whenever."""


def fresh_of(job: Job, wall_ms: int) -> Fresh | None:
    """What `--known` and `--skip-fresh` say; None without them.

    Raises:
        UsageError: a file is missing, or holds no product of ours.
    """
    settings = job.settings
    if not settings.known:
        return None
    from fetcher.output import fresh_since_ms, read_known
    from fetcher.report import iso_time

    age_s, since_ms = settings.skip_fresh_s, 0
    if age_s is not None:
        since_ms = fresh_since_ms(job.out, age_s, wall_ms, overwrite=settings.overwrite)
    return Fresh(read_known(settings.known, iso_time(since_ms) if since_ms else ""), since_ms)
