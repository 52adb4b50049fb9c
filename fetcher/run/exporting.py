"""A run that Prometheus watches: the onlooker that shows it the figures. It knows nothing of how they are told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

from fetcher._version import __version__
from fetcher.clock import Clock
from fetcher.errors import FetcherError, UsageError
from fetcher.metrics import Snapshot
from fetcher.run.job import Job
from fetcher.run.roles import Onlooker

if TYPE_CHECKING:
    from fetcher.report.prometheus import RunCollector


class Watched:
    """An onlooker beside another one."""

    def __init__(self, onlooker: Onlooker, collector: RunCollector) -> None:
        self._onlooker, self._collector = onlooker, collector

    def update(self, snapshot: Snapshot) -> FetcherError | None:
        """See `Onlooker`."""
        self._collector.show(snapshot)
        return self._onlooker.update(snapshot)

    def close(self, snapshot: Snapshot) -> None:
        """See `Onlooker`."""
        self._collector.show(snapshot)
        self._onlooker.close(snapshot)


@contextmanager
def exporting(job: Job, clock: Clock) -> Iterator[RunCollector | None]:
    """Open the file and the endpoint that the settings name, for as long as the run goes on.

    Raises:
        UsageError: the library is not there, or the address cannot be had.
        OutputError: the file cannot be written.
    """
    settings = job.settings
    if settings.prometheus_file is None and settings.prometheus_port is None:
        yield None
        return
    if find_spec("prometheus_client") is None:
        raise UsageError("Prometheus needs a library that is not installed", "pip install 'fetcher[prometheus]'")
    from fetcher.report import prometheus

    info = {"version": __version__, "api": settings.api, "out": job.out}
    collector = prometheus.RunCollector(info, clock.wall_ms)
    exporter = prometheus.Exporter(collector, file=settings.prometheus_file, address=settings.prometheus_port)
    try:
        yield collector
    finally:
        exporter.close()
