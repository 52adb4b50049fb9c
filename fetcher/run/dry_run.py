"""What a run would do, before anything is sent: the plan of `--dry-run`, and the line before a run that costs money."""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final

from fetcher.clock import Clock
from fetcher.errors import UsageError
from fetcher.gateway import Api, chosen_api
from fetcher.ids import Source, SourceCounts
from fetcher.idset import IdSet
from fetcher.metrics import InputCounts, Pace, Plan, Sending, make_plan
from fetcher.output import Earlier, Sample, SideFile, failed_path_of, inspect_output, sample_of
from fetcher.pacing import Lane, OpenHours, Quotas, forecast
from fetcher.report import Screen, plan_line, plan_lines, write_summary
from fetcher.run.assemble import headroom_of, quotas_of, zone_of
from fetcher.run.job import Job, fresh_of, open_ids, reopening_of
from fetcher.run.keys import moment
from fetcher.run.quota_book import restore
from fetcher.settings import settings_of_keys

LOOK_S: Final = 2.0
"""How long a run that costs money reads ahead, to say what it will cost; then it goes by the share that it has read."""
READ: Final = 8192


def dry_run(job: Job, clock: Clock, say: Callable[[str], None]) -> int:
    """Read and check everything, send nothing, write nothing, and say what a run would do.

    Raises:
        UsageError: what would stop the run would stop it here too.
    """
    plan, warnings = plan_of(job, clock)
    where = job.settings.summary
    for line in (*warnings, *([] if where == "-" else plan_lines(plan, clock.wall_ms()))):
        say(line)
    if where:
        write_summary(plan.as_dict(), where)
    return 0


def tell_the_cost(job: Job, clock: Clock, screen: Screen, say: Callable[[str], None]) -> None:
    """Say in one line what a run that costs money will cost and, where somebody sits at a terminal, ask.

    An input that can be read only once (a pipe) is not looked at.

    Raises:
        UsageError: the answer was no; or what would stop the run anyway.
    """
    settings = job.settings
    if settings.sandbox or _is_pipe(job):
        return
    asks = not settings.yes and screen.is_terminal and sys.stdin.isatty()
    if settings.quiet and not asks:
        return
    plan, _ = plan_of(job, clock, LOOK_S)
    say(plan_line(plan, clock.wall_ms()))
    if asks and plan.calls and not _agreed(screen):
        raise UsageError("not started, nothing was sent", "--yes starts it without asking; --dry-run says more")


def _is_pipe(job: Job) -> bool:
    return isinstance(job.ids, str) and (job.ids == "-" or Path(job.ids).is_fifo())


def _agreed(screen: Screen) -> bool:
    screen.ask("start it? [y/N] ")
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def plan_of(job: Job, clock: Clock, look_s: float | None = None) -> tuple[Plan, list[str]]:
    """The plan, and what was odd about the input.

    Args:
        job: the run.
        clock: for now.
        look_s: for how long the input may be read; None: to its end.
    """
    settings = job.settings
    api = chosen_api(settings)
    known, earlier = inspect_output(job.out, settings.failed, reopening_of(settings))
    sample = sample_of(job.out, settings.failed or failed_path_of(job.out), earlier.fetched)
    if settings.overwrite:
        known, earlier, sample = IdSet(), Earlier(), Sample()
    fresh = fresh_of(job, clock.wall_ms())
    with open_ids(job, api, known, clock.wall_ms, fresh and fresh.ids) as source:
        share = _read(source, clock, look_s)
        counts = input_counts(source.counts, earlier, sample, share)
        warnings = list(source.warnings)
    quotas = _quotas(job, clock)
    return make_plan(
        counts, _pace(job, api, sample, quotas, clock), clock.wall_ms(), _sending(job, quotas, clock)
    ), warnings


def _quotas(job: Job, clock: Clock) -> list[tuple[float, Quotas | None]]:
    """Of each key its cap a second and its caps over longer times, with what earlier runs have used of them."""
    own = [each for _, each in settings_of_keys(job.settings)] or [job.settings]
    found = [(each.qps, quotas_of(each)) for each in own]
    if job.settings.caps and job.out != "-":
        made = {each.app_key or "": quotas for each, (_, quotas) in zip(own, found, strict=True) if quotas}
        restore(SideFile(job.out, "quotas"), made, moment(clock))
    return found


def _sending(job: Job, keys: list[tuple[float, Quotas | None]], clock: Clock) -> Callable[[int, float], Sending] | None:
    """Plays the run's calls through; None where the rate alone decides."""
    settings = job.settings
    if not settings.caps and not settings.windows:
        return None
    hours, all_per_s = OpenHours(settings.windows, zone_of(settings)), sum([qps for qps, _ in keys])

    def sending(calls: int, rate_per_s: float) -> Sending:
        lanes = [Lane(rate_per_s * qps / all_per_s, quotas) for qps, quotas in keys]
        return Sending(*forecast(calls, lanes, hours, moment(clock)))

    return sending


def _read(source: Source, clock: Clock, look_s: float | None) -> float:
    """Read the input; returns the share of it that was read."""
    until_s = None if look_s is None else clock.monotonic_s() + look_s
    while source.read(READ):
        if until_s is not None and clock.monotonic_s() > until_s and source.total_bytes and source.position_bytes:
            return min(1.0, source.position_bytes / source.total_bytes)
    return 1.0


def input_counts(counts: SourceCounts, earlier: Earlier, sample: Sample, share: float) -> InputCounts:
    """What was read, scaled up where it was only a share."""

    def whole(count: int) -> int:
        return count if share >= 1.0 else round(count / share)

    items, known = whole(counts.items), whole(counts.known)
    to_retry = min(earlier.to_retry, items)
    return InputCounts(
        lines=whole(counts.lines),
        blank=whole(counts.blank),
        comments=whole(counts.comments),
        header=counts.header,
        duplicates=whole(counts.duplicates),
        bad=whole(counts.bad),
        repaired=counts.repaired,
        fetched_earlier=max(0, known - earlier.failed),
        failed_earlier=min(known, earlier.failed),
        failed_by_kind=sample.failed_by_kind,
        to_retry=to_retry,
        fresh=whole(counts.fresh),
        new=items - to_retry,
        is_estimate=share < 1.0,
    )


def _pace(job: Job, api: Api, sample: Sample, keys: list[tuple[float, Quotas | None]], clock: Clock) -> Pace:
    settings, used = job.settings, Counter[str]()
    for _, quotas in keys:
        used.update({} if quotas is None else quotas.used_now(moment(clock)))
    return Pace(
        cap_per_s=sum([qps for qps, _ in keys]),
        quotas=tuple(cap._replace(calls=cap.calls * len(keys)) for cap in settings.caps),  # each key has its own
        quotas_used=dict(used),
        hours=tuple(str(hours) for hours in settings.windows),
        headroom=headroom_of(settings).share,
        max_calls=settings.calls_allowed,
        price=settings.price,
        concurrency=settings.concurrency,
        processes=settings.processes,
        ids_per_call=api.ids_per_call(settings.batch or 0),
        latency_s=sample.latency_s,
        attempts=sample.attempts,
        line_bytes=sample.line_bytes,
        free_bytes=_free_bytes(job.out),
    )


def _free_bytes(out: str) -> int | None:
    if out == "-":
        return None
    try:
        return shutil.disk_usage(Path(out).resolve().parent).free
    except OSError:  # the run itself will say what is wrong with the folder
        return None
