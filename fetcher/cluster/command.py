"""One job from its input to its data set: begun or found, driven, joined, and put into words."""

from __future__ import annotations

import logging
import math
import os
import platform
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

import msgspec

from fetcher._version import __version__
from fetcher.clock import Clock, SystemClock
from fetcher.cluster.board import Briefing, Figure
from fetcher.cluster.closing import Target, conclude
from fetcher.cluster.driver import Driver, JobEngine
from fetcher.cluster.figures import JobFigures
from fetcher.cluster.job import Begun, Wanted, begin
from fetcher.cluster.keeper import name_of
from fetcher.cluster.node import plain_settings
from fetcher.cluster.progress import Holding, Noting, read_progress
from fetcher.cluster.records import Start
from fetcher.cluster.schedule import Schedule
from fetcher.cluster.store import Store, open_store, shown
from fetcher.cluster.tokens import app_keys, keep, tokens_of
from fetcher.errors import FetcherError
from fetcher.metrics import Snapshot
from fetcher.output import failed_path_of
from fetcher.report import (
    End,
    Finished,
    Screen,
    choose_mode,
    closing_words,
    configure_logging,
    install_hooks,
    iso_time,
    make_progress,
    summary_document,
    write_report,
    write_summary,
)
from fetcher.secret import Redactor
from fetcher.settings import FIELDS, CommandSettings, known_secrets

CALLS_A_WORKER_PER_S: Final = 100.0
"""Of the cap for one worker, where nobody says how many there are to be: shards then last minutes, not seconds."""

log = logging.getLogger("fetcher.cluster")

SIGNALS: Final = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class ClusterJob(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line asks for."""

    settings: CommandSettings
    ids: tuple[str, ...]
    """Paths or URIs."""
    out: str
    """A folder or URI for the parts, or a `.jsonl` file that they are joined into."""
    ending: str
    """Of the parts."""
    merged: bool
    """`out` is a file."""
    address: str
    workers: int | None
    shard_ids: int | None
    keep_parts: bool
    own_secrets: bool
    command: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """Of the parts."""
        return f"{self.out}.parts" if self.merged else self.out


def on_ray(job: ClusterJob) -> JobEngine:
    """The usual engine. Ray is imported here: everything that can be known before it is known by then."""
    from fetcher.cluster.on_ray import RayEngine

    return RayEngine(job.address, job.workers)


def run_cluster(
    job: ClusterJob, clock: Clock | None = None, engine_of: Callable[[ClusterJob], JobEngine] = on_ray
) -> int:
    """Run the job and say how it ended, on stderr and in the summary.

    Args:
        job: what is asked for.
        clock: for tests.
        engine_of: what runs the shards; made only if there are any.

    Returns:
        The exit code.

    Raises:
        FetcherError: something was wrong before anything was sent.
    """
    settings, clock = job.settings, clock or SystemClock()
    redactor, screen = Redactor(known_secrets(settings)), Screen(sys.stderr)
    level = logging.DEBUG if settings.verbose else logging.ERROR if settings.quiet else logging.INFO
    configure_logging(level, "json" if settings.log_format == "json" else "text", screen, redactor)
    install_hooks()
    store = open_store(job.place)
    with ExitStack() as stack:
        holding = Holding(store, clock.wall_ms())
        stack.callback(holding.release)
        begun = begin(Wanted(job.ids, store, job.ending, job.shard_ids, job.workers or 8), settings, clock.wall_ms)
        for warning in begun.warnings:
            log.warning(warning)
        run = _Run(job, store, begun, clock, level)
        if begun.left:
            engine = engine_of(job)
            stack.callback(engine.close)
            run.drive(engine, screen)
        code = run.conclude()
    if not settings.quiet or code:
        for line in closing_words(run.end(code), redactor):
            (_logged if settings.log_format == "json" else screen.line)(line)
    if settings.summary or settings.report:
        document = summary_document(run.finished(code), redactor)
        if settings.summary:
            write_summary(document, settings.summary)
        if settings.report:
            write_report(document, Path(job.out.rstrip("/")).name, settings.report)
    return code


def _logged(words: str) -> None:
    """Where log lines are JSON, so are the closing words; they are said however quiet it is."""
    log.log(max(logging.INFO, log.getEffectiveLevel()), "%s", words)


class _Run:
    """One start of the job."""

    def __init__(self, job: ClusterJob, store: Store, begun: Begun, clock: Clock, log_level: int) -> None:
        self._job, self._settings, self._store, self._begun = job, job.settings, store, begun
        self._clock, self._log_level = clock, log_level
        self._started_ms = clock.wall_ms()
        before, started_at = begun.commits if begun.resumed else (), iso_time(self._started_ms)
        self._figures = JobFigures(begun.cut, before, job.settings, started_at, earlier_starts(store, begun))
        for commit in () if begun.resumed else begun.commits:
            self._figures.committed(commit)  # the bad lines, which this start has found
        self._noting = Noting(store, clock, self._figures)
        self._error: FetcherError | None = None
        self._snapshot = self._figures.snapshot({}, 0.0, last=True)

    def drive(self, engine: JobEngine, screen: Screen) -> None:
        """Have every shard done that is not."""
        settings = self._settings
        schedule = Schedule(self._begun.left, resumed=self._begun.resumed)
        cap_per_s = self._snapshot.cap_per_s
        workers = self._job.workers or min(engine.cpus, schedule.waiting, enough_workers(cap_per_s))
        engine.brief(self._briefing())
        log.info(
            "%d shards of %d, %d at a time on %d nodes", schedule.waiting, self._figures.shards, workers, engine.nodes
        )
        wish = "none" if settings.no_progress else settings.progress
        mode = choose_mode(sys.stderr, wish, quiet=settings.quiet, environ=os.environ)
        progress = make_progress(mode, screen, environ=os.environ)

        def show(snapshot: Snapshot, at: list[Figure]) -> None:
            progress.update(snapshot)
            keep(settings, engine.tokens())
            self._noting.now(snapshot, at, workers)

        driver = Driver(engine, schedule, self._figures, settings, workers, self._clock, show)
        with _listening(driver.heard.append):
            try:
                driver.run()
                keep(settings, engine.tokens())
            except FetcherError as error:  # the engine itself
                driver.error = error
        self._error, self._snapshot = driver.error, driver.snapshot(last=True)
        progress.close(self._snapshot)

    def _briefing(self) -> Briefing:
        settings = self._settings
        return Briefing(
            version=__version__,
            job=self._begun.cut.job,
            place=str(Path(self._store.place).absolute()) if self._store.is_local else self._job.place,
            ending=self._job.ending,
            settings=plain_settings(settings, with_secrets=not self._job.own_secrets),
            own_secrets=self._job.own_secrets,
            log_level=self._log_level,
            keepers=[] if settings.share_cap else [name_of(key, settings.gateway) for key in app_keys(settings)],
            tokens={} if self._job.own_secrets else tokens_of(settings),
            calls_allowed=None if settings.share_limits else settings.calls_allowed,
        )

    def conclude(self) -> int:
        """The books, OUT, the manifest. Returns the exit code."""
        job, figures = self._job, self._figures
        failed = self._settings.failed or failed_path_of(job.out)
        target = Target(self._store, job.out if job.merged else None, failed)
        try:
            conclude(target, self._begun, figures, iso_time(self._clock.wall_ms()), keep_parts=job.keep_parts)
        except FetcherError as error:
            self._error = self._error or error
        code = 1 if any(commit.failed for commit in figures.all_commits()) else 0
        if self._error is not None:
            code = self._error.exit_code
        self._noting.ended(self._snapshot, code, "" if self._error is None else str(self._error))
        return code

    def end(self, code: int) -> End:
        """For the closing words."""
        error, job = self._error, self._job
        empty = "" if self._snapshot.read else "the input holds no IDs"
        return End(
            code=code,
            reason=empty if error is None else str(error),
            left=self._snapshot.left,
            command=job.command,
            out=shown(job.out),
            failed_path=failed_path_of(shown(job.out))
            if job.merged
            else f"{shown(job.out).rstrip('/')}/part-*.failed.{job.ending}",
            snapshot=self._snapshot,
            keys=self._figures.keys(),
            remedy="" if error is None else error.advice,
        )

    def finished(self, code: int) -> Finished:
        """For the summary."""
        return Finished(
            exit_code=code,
            reason="" if self._error is None else str(self._error),
            started_wall_ms=self._started_ms,
            ended_wall_ms=self._clock.wall_ms(),
            snapshot=self._snapshot,
            out=shown(self._job.out),
            proof=self._figures.proof.proof(),
            keys=self._figures.keys(),
            story=self._figures.story(),
            balance=self._figures.balance(),
            settings={field.name: _shown(getattr(self._settings, field.name)) for field in FIELDS},
            versions={"fetcher": __version__, "python": platform.python_version()},
            input=self._begun.cut.counts,
        )


def earlier_starts(store: Store, begun: Begun) -> list[Start]:
    """What they have sent. One that did not end in order noted it last a second before, so that is not all of it."""
    note = read_progress(store) if begun.resumed else None
    if note is None:
        return []
    if note.state == "ended" or not note.starts:
        return note.starts
    return [*note.starts[:-1], msgspec.structs.replace(note.starts[-1], exact=False)]


def enough_workers(cap_per_s: float) -> int:
    """One process carries thousands of calls a second; at least two, so that a lost one is not all that works."""
    return max(2, math.ceil(cap_per_s / CALLS_A_WORKER_PER_S))


def _shown(value: object) -> object:
    return value if value is None or isinstance(value, bool | int | float) else str(value)


@contextmanager
def _listening(heard: Callable[[signal.Signals], None]) -> Iterator[None]:
    """Signals as calls, while inside; Ray's own handlers come back.

    Also where SIGINT was ignored at the start, as a shell does for jobs in the background; `nohup` is believed.
    """

    def hear(which: int, _frame: FrameType | None) -> None:
        heard(signal.Signals(which))

    asked_for = [which for which in SIGNALS if which.name != "SIGHUP" or signal.getsignal(which) is not signal.SIG_IGN]
    before = {which: signal.signal(which, hear) for which in asked_for}
    try:
        yield
    finally:
        for which, handler in before.items():
            signal.signal(which, handler or signal.SIG_DFL)
