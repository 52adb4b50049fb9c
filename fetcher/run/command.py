"""From a file of IDs to OUT: `fetcher run`, below its options. What a library user would miss is in `Fetcher`.

It opens input and output before anything is sent, runs, and says how it ended: closing words, summary, exit code.
"""

from __future__ import annotations

import asyncio
import logging
import platform
import sys
import time
from collections.abc import Iterable
from contextlib import ExitStack
from typing import Final

import msgspec

from fetcher._version import __version__
from fetcher.clock import Clock, SystemClock
from fetcher.errors import Defect, FetcherError, OutputError
from fetcher.gateway import Api, find_api
from fetcher.ids import Source, open_source, source_of
from fetcher.metrics import Snapshot
from fetcher.model import Item, Outcome
from fetcher.output import Identity, Output, open_output
from fetcher.report import (
    End,
    Finished,
    Progress,
    Screen,
    choose_mode,
    closing_words,
    configure_logging,
    loop_exception_handler,
    make_progress,
    summary_document,
    write_summary,
)
from fetcher.run.assemble import Parts, assemble, gateway_of, new_tally
from fetcher.run.desk import Interrupted
from fetcher.run.drain import listening
from fetcher.run.feed import SourceFeed
from fetcher.run.loop import Ended, Run
from fetcher.run.thread import BlockingThread
from fetcher.secret import Redactor
from fetcher.settings import CommandSettings, known_secrets

COUNT_REST_S: Final = 2.0
"""How long a stopped run goes on reading its input, to say how many IDs are left."""

log = logging.getLogger("fetcher")


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line asks for."""

    settings: CommandSettings
    ids: str | tuple[str, ...]
    """A path, `-`, or the IDs themselves."""
    out: str
    command: tuple[str, ...] = ()
    """The arguments of this run, for the words that say how to go on."""


class FileSink:
    """The output files, written in a thread of their own so that a slow disk holds up no answer."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._thread = BlockingThread("fetcher-writer")

    async def put(self, outcomes: list[Outcome]) -> None:
        """See `loop.Sink`. Raises `OutputError`; what was written before stands."""
        await self._thread.call(self._output.append, outcomes)

    async def close(self) -> None:
        """Make all of it durable and let go of the files. Raises `OutputError`."""
        try:
            await self._thread.call(self._output.close)
        finally:
            self._thread.stop()


def run_command(job: Job, clock: Clock | None = None) -> int:
    """Run the job and say how it ended, on stderr and in the summary.

    Returns:
        The exit code.

    Raises:
        FetcherError: something was wrong before anything was sent.
    """
    settings, clock = job.settings, clock or SystemClock()
    redactor = Redactor(known_secrets(settings))
    screen = Screen(sys.stderr)
    level = logging.DEBUG if settings.verbose else logging.ERROR if settings.quiet else logging.INFO
    configure_logging(level, "json" if settings.log_format == "json" else "text", screen, redactor)
    api = gateway_of(settings).api
    if settings.dry_run:
        from fetcher.run.dry_run import dry_run

        return dry_run(job, api, clock)
    started_ms = clock.wall_ms()
    with ExitStack() as stack:
        output = open_output(job.out, settings.failed, **_output_options(settings, api, clock))
        stack.callback(output.close)
        for note in output.notes:
            log.warning(note)
        source = stack.enter_context(open_ids(job, api, output, clock))
        mode = choose_mode(sys.stderr, quiet=settings.quiet or settings.no_progress)
        ended, parts = _with_loop(_drive(settings, clock, source, output, make_progress(mode, screen)))
        for warning in source.warnings:
            log.warning(warning)
        left_exact, unread = _count_rest(source, ended, clock)
    code = _exit_code(ended)
    reason = str(ended.error) if ended.error is not None else ""
    if not settings.quiet or code:
        end = End(
            code=code,
            reason=reason,
            left=ended.snapshot.left + unread,
            left_is_exact=left_exact,
            command=job.command,
            out=job.out,
            failed_path=output.failed_path,
            snapshot=ended.snapshot,
            remedy=ended.error.advice if ended.error is not None else "",
        )
        for line in closing_words(end, redactor):
            screen.line(line)
    if settings.summary:
        finished = Finished(
            exit_code=code,
            reason=reason,
            started_wall_ms=started_ms,
            ended_wall_ms=clock.wall_ms(),
            snapshot=msgspec.structs.replace(ended.snapshot, left=ended.snapshot.left + unread),
            proof=parts.cap_proof.proof(),
            balance=ended.balance,
            settings=_shown(settings),
            versions={"fetcher": __version__, "python": platform.python_version()},
            left_is_exact=left_exact,
        )
        write_summary(summary_document(finished, redactor), settings.summary)
    return code


def _output_options(settings: CommandSettings, api: Api, clock: Clock) -> dict[str, object]:
    return {
        "overwrite": settings.overwrite,
        "retry_failed": settings.retry_failed,
        "identity": Identity(api=api.path, protocol=settings.protocol, gateway=settings.gateway),
        "sync_interval_s": settings.sync_interval_s,
        "wall_ms": clock.wall_ms,
    }


def open_ids(job: Job, api: Api, output: Output, clock: Clock) -> Source:
    """The input, with what earlier runs have done left out.

    Raises:
        InputError: it is missing, a directory, or not what its name says.
    """
    settings = job.settings
    options = {"numeric": api.numeric_ids, "known": output.done, "limit": settings.limit, "wall_ms": clock.wall_ms}
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


async def _drive(
    settings: CommandSettings, clock: Clock, source: Source, output: Output, progress: Progress
) -> tuple[Ended, Parts]:
    asyncio.get_running_loop().set_exception_handler(loop_exception_handler())
    parts = assemble(settings, clock=clock)
    sink, feed = FileSink(output), SourceFeed(source)
    run = Run(parts, feed, sink, new_tally(parts), progress.update)
    try:
        with listening(lambda which: run.stop(Interrupted(which, which.name)), run.abandon):
            ended = await run.run()
            ended = await _close(sink, ended)
    finally:
        feed.close()
        await parts.transport.aclose()
    progress.close(ended.snapshot)
    return ended, parts


async def _close(sink: FileSink, ended: Ended) -> Ended:
    """A disk that fails at the very last sync is still a disk that failed."""
    try:
        await sink.close()
    except OutputError as error:
        return msgspec.structs.replace(ended, error=error)
    return ended


def _with_loop(main: object) -> tuple[Ended, Parts]:
    """Run it on uvloop where that is installed."""
    factory = None
    try:
        import uvloop

        factory = uvloop.new_event_loop
    except ImportError:
        pass
    with asyncio.Runner(loop_factory=factory) as runner:
        result: tuple[Ended, Parts] = runner.run(main)  # type: ignore[arg-type]
        return result


def _count_rest(source: Source, ended: Ended, clock: Clock) -> tuple[bool, int]:
    """How many IDs of the input the run had not yet read: (is that exact?, how many)."""
    if ended.error is None:
        return True, 0
    if source.is_pipe:
        return False, 0
    until_s, unread = clock.monotonic_s() + COUNT_REST_S, 0
    try:
        while clock.monotonic_s() < until_s:
            found = source.read(8192)
            if not found:
                return True, unread
            unread += len(found)
    except FetcherError:
        pass
    return False, unread


def _exit_code(ended: Ended) -> int:
    if ended.error is not None:
        return ended.error.exit_code
    return 1 if ended.snapshot.failed else 0
