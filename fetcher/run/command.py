"""From a file of IDs to OUT: `fetcher run`, below its options. What a library user would miss is in `Fetcher`.

It opens input and output before anything is sent, runs, and says how it ended: closing words, summary, exit code.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec

from fetcher._version import __version__
from fetcher.clock import Clock, SystemClock
from fetcher.errors import FetcherError, OutputError
from fetcher.gateway import Api
from fetcher.ids import Source
from fetcher.idset import IdSet
from fetcher.output import AttemptLog, Identity, Output, open_output, unchanged_path_of
from fetcher.report import (
    Doubts,
    Screen,
    choose_mode,
    closing_words,
    configure_logging,
    exporting,
    install_hooks,
    make_progress,
)
from fetcher.run.assemble import gateway_of
from fetcher.run.closing import Done, end_of
from fetcher.run.control import not_yet
from fetcher.run.driving import Driven, Files, Learn, drive
from fetcher.run.event_loop import with_loop
from fetcher.run.job import Job, fresh_of, open_ids, reopening_of
from fetcher.run.loop import Ended
from fetcher.run.paths import look_at_paths
from fetcher.run.roles import Onlooker, Principal, Watched
from fetcher.run.tokens import TokenKeeper
from fetcher.run.treated import Treated, treatment_of
from fetcher.secret import Redactor
from fetcher.settings import CommandSettings, known_secrets, settings_of_keys

__all__ = ["Job", "run_command"]

COUNT_REST_S: Final = 2.0
"""How long a stopped run goes on reading its input, to say how many IDs are left."""

log = logging.getLogger("fetcher")


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
    install_hooks()
    not_yet()
    look_at_paths(job)
    say = _logged if settings.log_format == "json" else screen.line
    if settings.dry_run:
        from fetcher.run.dry_run import dry_run

        return dry_run(job, clock, say)
    if settings.price is not None:
        from fetcher.run.dry_run import tell_the_cost

        tell_the_cost(job, clock, screen, say)
    wish = "none" if settings.no_progress else settings.progress
    mode = choose_mode(sys.stderr, wish, quiet=settings.quiet, environ=os.environ)
    info = {"version": __version__, "api": settings.api, "out": job.out}
    ways = {"file": settings.prometheus_file, "address": settings.prometheus_port}
    with exporting(info, clock.wall_ms, **ways) as watcher:

        def watch() -> Onlooker:
            progress = make_progress(mode, screen, environ=os.environ)
            return progress if watcher is None else Watched(progress, watcher)

        done = run_job(job, clock, watch, redactor.add)
        if watcher is not None:
            watcher.ended(done.code)
    if not settings.quiet or done.code:
        for line in closing_words(end_of(job, done), redactor):
            say(line)
    if settings.summary or settings.report:
        from fetcher.run.documents import leave_documents

        leave_documents(job, done, redactor)
    return done.code


def _logged(words: str) -> None:
    """Where log lines are JSON, so are the words before and after the run; they are said however quiet it is."""
    log.log(max(logging.INFO, log.getEffectiveLevel()), "%s", words)


def run_job(
    job: Job,
    clock: Clock,
    watch: Callable[[], Onlooker],
    learn: Learn | None = None,
    principal: Principal | None = None,
) -> Done:
    """The run alone, without a word. `watch` makes whoever is shown its figures, once its files are open. `learn` is
    told the tokens that come in mid-run, so that no log shows them; `principal` has it done as a part of a larger job.

    Raises:
        FetcherError: something was wrong before anything was sent.
    """
    settings, started_ms = job.settings, clock.wall_ms()
    api = gateway_of(settings).api
    _look_at_input(job, api, clock)
    fresh = fresh_of(job, started_ms)
    treatment = treatment_of(settings, job.out)
    identity = Identity(api=api.identity, protocol=settings.protocol, gateway=settings.gateway)
    with ExitStack() as stack:
        stack.callback(treatment.close)
        output = open_output(
            job.out,
            settings.failed,
            reopening_of(settings),
            identity=identity,
            sync_interval_s=settings.sync_interval_s,
            treatment=treatment,
        )
        stack.callback(output.close)
        if fresh is not None and settings.skip_fresh_s is not None:
            output.remember_fresh(identity, settings.skip_fresh_s, fresh.since_ms)
        _warn(output.notes)
        earlier_doubts = tuple(output.doubts)
        if settings.on_doubt == "hold":
            output.hold(clock.wall_ms())
        notes = stack.enter_context(noting(output)) if settings.notes_attempts else None
        source = stack.enter_context(open_ids(job, api, output.done, clock.wall_ms, fresh and fresh.ids))
        files = Files(source, output, notes, learn, principal)
        onlooker = Treated(watch(), treatment, source, stops=settings.on_schema_change == "stop")
        driven = with_loop(drive(settings, clock, files, onlooker))
        ended = driven.ended
        _warn(source.warnings)
        if ended.error is None and settings.limit is None and source.is_read_whole:
            _tell_corrected(output, source)
        left_is_exact, unread = count_rest(source, ended, clock)
    return Done(
        code=_exit_code(ended, output.earlier.failed),
        ended=ended,
        proof=driven.proof,
        left=ended.snapshot.left + unread,
        left_is_exact=left_is_exact,
        failed_path=output.failed_path,
        failed_earlier=output.earlier.failed,
        unchanged_path=unchanged_path_of(job.out) if settings.only_changed and job.out != "-" else "",
        started_ms=started_ms,
        ended_ms=clock.wall_ms(),
        doubts=_doubts(settings, earlier_doubts, notes, driven),
        counts=msgspec.to_builtins(source.counts),
    )


def _doubts(settings: CommandSettings, earlier: tuple[str, ...], notes: AttemptLog | None, driven: Driven) -> Doubts:
    return Doubts(
        earlier=earlier,
        held=settings.on_doubt == "hold",
        open=() if notes is None else tuple(sorted({*notes.open, *driven.open_calls})),
        noted=notes is not None,
    )


def _tell_corrected(output: Output, source: Source) -> None:
    """The input was read whole: what earlier runs said of lines that have been corrected since is out of date."""
    try:
        corrected = output.forget_corrected(source.bad_ids)
    except OutputError as error:  # then it stands there still, and the next run tries again
        log.warning("%s", error)
        return
    if corrected:
        log.info(
            "%d damaged %s of the input %s corrected since: taken out of %s, kept in %s.corrected",
            *(corrected, *(("line", "was") if corrected == 1 else ("lines", "were"))),
            *(output.failed_path, output.failed_path),
        )


def _warn(words: Iterable[str]) -> None:
    for word in words:
        log.warning(word)


def _look_at_input(job: Job, api: Api, clock: Clock) -> None:
    """Raises what opening the input does, before anything else is made."""
    for _, own in settings_of_keys(job.settings) or [("", job.settings)]:
        TokenKeeper(own, clock)  # a token file that cannot be read must not leave an empty OUT behind
    if isinstance(job.ids, str) and job.ids != "-" and not Path(job.ids).is_fifo():
        # Looked at once before OUT is made: a missing file or a wrong column must not leave an empty OUT behind.
        open_ids(job, api, IdSet(), clock.wall_ms).close()


@contextmanager
def noting(output: Output) -> Iterator[AttemptLog | None]:
    """Calls are noted while inside. A journal that cannot be closed stays as it is: the next run reads it."""
    notes = output.open_attempts()
    try:
        yield notes
    finally:
        if notes is not None:
            with suppress(OutputError):
                gone = output.taken_back
                notes.calls([*gone.fetched, *gone.unchanged])  # paid for, and gone with the disk
                notes.close()


def count_rest(source: Source, ended: Ended, clock: Clock) -> tuple[bool, int]:
    """How many IDs of the input the run had not yet read: (is that exact?, how many)."""
    if ended.error is None:
        return True, 0
    if source.is_pipe or ended.abandoned:
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


def _exit_code(ended: Ended, failed_earlier: int) -> int:
    """1 also when nothing failed now, but the failed file holds what earlier runs could not fetch."""
    if ended.error is not None:
        return ended.error.exit_code
    return 1 if ended.snapshot.failed or failed_earlier else 0
