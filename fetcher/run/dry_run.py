"""`--dry-run`: reads and checks everything, sends nothing, writes nothing, and says what a run would do."""

from __future__ import annotations

from fetcher.clock import Clock
from fetcher.gateway import chosen_api
from fetcher.idset import IdSet
from fetcher.metrics import InputCounts, Pace, make_plan
from fetcher.output import Earlier, inspect_output
from fetcher.report import Screen, plan_lines
from fetcher.run.assemble import headroom_of
from fetcher.run.job import Job, fresh_of, open_ids, reopening_of


def dry_run(job: Job, clock: Clock, screen: Screen) -> int:
    """Read and check everything, send nothing, write nothing, and say what a run would do.

    Raises:
        UsageError: what would stop the run would stop it here too.
    """
    settings = job.settings
    api = chosen_api(settings)
    known, earlier = inspect_output(job.out, settings.failed, reopening_of(settings))
    if settings.overwrite:
        known, earlier = IdSet(), Earlier()
    fresh = fresh_of(job, clock.wall_ms())
    with open_ids(job, api, known, clock.wall_ms, fresh and fresh.ids) as source:
        while source.read(8192):
            pass
        counts, warnings = source.counts, source.warnings
    plan = make_plan(
        InputCounts(
            lines=counts.lines,
            blank=counts.blank,
            comments=counts.comments,
            header=counts.header,
            duplicates=counts.duplicates,
            bad=counts.bad,
            repaired=counts.repaired,
            fetched_earlier=max(0, counts.known - earlier.failed),
            failed_earlier=min(counts.known, earlier.failed),
            fresh=counts.fresh,
            new=counts.items,
        ),
        Pace(
            cap_per_s=settings.qps,
            headroom=headroom_of(settings).share,
            max_calls=settings.calls_allowed,
            price=settings.price,
            concurrency=settings.concurrency,
            ids_per_call=api.ids_per_call(settings.batch or 0),
        ),
        clock.wall_ms(),
    )
    for line in (*warnings, *plan_lines(plan, clock.wall_ms())):
        screen.line(line)
    return 0
