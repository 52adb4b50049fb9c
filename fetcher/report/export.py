"""The way to Prometheus for whoever has its library installed; without it only the question costs an error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Protocol

from fetcher.errors import UsageError
from fetcher.metrics import Snapshot


class Watcher(Protocol):
    """Is shown a run."""

    def show(self, snapshot: Snapshot) -> None:
        """The figures from now on."""
        ...

    def ended(self, exit_code: int) -> None:
        """The run is over."""
        ...


@contextmanager
def exporting(
    info: dict[str, str], wall_ms: Callable[[], int], *, file: str | None, address: str | None
) -> Iterator[Watcher | None]:
    """Show a run to Prometheus inside the block; None where neither a file nor an address is given.

    Args:
        info: labels that say which run it is.
        wall_ms: the clock.
        file: where the text goes.
        address: `PORT` or `ADDRESS:PORT` of the endpoint.

    Raises:
        UsageError: the library is not there, or the address cannot be had.
        OutputError: the file cannot be written.
    """
    if file is None and address is None:
        yield None
        return
    if find_spec("prometheus_client") is None:
        raise UsageError("Prometheus needs a library that is not installed", "pip install 'fetcher[prometheus]'")
    from fetcher.report.prometheus import Exporter, RunCollector

    collector = RunCollector(info, wall_ms)
    exporter = Exporter(collector, file=file, address=address)
    try:
        yield collector
    finally:
        exporter.close()
