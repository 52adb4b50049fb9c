"""A run's figures for Prometheus: a text file that is always whole, an endpoint, or both (extra `prometheus`).

Names and units follow Prometheus' conventions: base units, `_total` for what only grows
(https://prometheus.io/docs/practices/naming/). It is shown snapshots and reads no counters; the file is written by a
thread of its own, so a slow disk holds nothing up.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from prometheus_client import CollectorRegistry, start_http_server, write_to_textfile
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from fetcher.errors import OutputError, UsageError
from fetcher.metrics import Snapshot, coarse_bounds_s

WRITE_EVERY_S: Final = 5.0
LOOPBACK: Final = "127.0.0.1"
BUCKETS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Prometheus' own, as far as an API's answers go."""
_BOUNDS_S: Final = coarse_bounds_s()

log = logging.getLogger("fetcher")


class RunCollector(Collector):
    """What one run has to tell.

    Args:
        info: labels that say which run it is.
        wall_ms: the clock, for the time of the last change.
    """

    def __init__(self, info: dict[str, str], wall_ms: Callable[[], int]) -> None:
        self._info, self._wall_ms = info, wall_ms
        self._snapshot = Snapshot()
        self._fullest_1s = self._changed_ms = 0
        self._exit_code: int | None = None

    def show(self, snapshot: Snapshot) -> None:
        """The figures from now on."""
        self._fullest_1s = max(self._fullest_1s, snapshot.fullest_1s)
        self._snapshot, self._changed_ms = snapshot, self._wall_ms()

    def ended(self, exit_code: int) -> None:
        """The run is over."""
        self._exit_code = exit_code

    def collect(self) -> Iterator[Metric]:
        """All of it, as of the last snapshot."""
        snapshot = self._snapshot
        yield InfoMetricFamily("fetcher_run", "Which run this is", self._info)
        yield from self._of_the_run()
        yield from _of_ids(snapshot)
        yield from _of_calls(snapshot)
        yield from _of_money(snapshot)

    def _of_the_run(self) -> Iterator[Metric]:
        snapshot, over = self._snapshot, self._exit_code is not None
        yield _gauge("fetcher_run_running", "1 while the run goes on", float(not over))
        if self._exit_code is not None:
            yield _gauge("fetcher_run_exit_code", "Exit code of the run", self._exit_code)
        yield _gauge("fetcher_run_elapsed_seconds", "Time since the beginning", snapshot.elapsed_s)
        yield _gauge("fetcher_run_changed_timestamp_seconds", "When these figures were true", self._changed_ms / 1000)
        if snapshot.eta_s is not None:
            yield _gauge("fetcher_run_left_seconds", "Time until all is done, as things go", snapshot.eta_s)
        yield _gauge(
            "fetcher_waiting", "1 while nothing is sent: a pause, an outage", float(bool(snapshot.wait_reason))
        )
        yield _gauge("fetcher_cap_calls_per_second", "The cap", snapshot.cap_per_s)
        yield _gauge("fetcher_allowed_calls_per_second", "What pacing allows at present", snapshot.rate_now_per_s)
        yield _gauge("fetcher_fullest_second_calls", "Calls in the fullest second so far", self._fullest_1s)


def _of_ids(snapshot: Snapshot) -> Iterator[Metric]:
    ends = ("fetched", "failed", "skipped_known", "skipped_fresh", "duplicates", "left")
    yield _counter(
        "fetcher_ids", "IDs by where they ended", "outcome", {name: getattr(snapshot, name) for name in ends}
    )
    yield _counter("fetcher_failures", "IDs without a product, by kind", "kind", snapshot.failed_by_kind)
    places = GaugeMetricFamily("fetcher_ids_unfinished", "IDs on their way, by place", labels=["place"])
    for name in ("queued", "in_flight", "waiting"):
        places.add_metric([name], getattr(snapshot, name))
    yield places
    if snapshot.total is not None:
        yield _gauge("fetcher_ids_expected", "Distinct IDs of the input", snapshot.total)


def _of_calls(snapshot: Snapshot) -> Iterator[Metric]:
    yield _counter("fetcher_calls", "Calls by what came of them, unsent ones included", "result", snapshot.results)
    for name, words, value in (
        ("fetcher_calls_sent", "Calls that left this machine and have come to an end", snapshot.attempts),
        ("fetcher_calls_unanswered", "Calls sent and never answered", snapshot.paid_doubts),
        ("fetcher_retries", "Attempts after the first one of an ID", snapshot.retries),
        ("fetcher_throttles", "Answers that said: over the rate", snapshot.throttles),
        ("fetcher_pause_seconds", "Pauses ordered after such answers", snapshot.paused_s),
        ("fetcher_received_bytes", "Bodies of answers, inflated", snapshot.bytes_in),
        ("fetcher_stored_bytes", "Products stored", snapshot.bytes_out),
    ):
        yield CounterMetricFamily(name, words, value)
    yield _durations(snapshot)


def _durations(snapshot: Snapshot) -> Metric:
    family = HistogramMetricFamily("fetcher_call_duration_seconds", "Answered calls, first byte sent to last received")
    counts = snapshot.latency_counts
    total = sum(counts)
    buckets = [
        (f"{bound_s:g}", float(sum(n for n, upper_s in zip(counts, _BOUNDS_S, strict=False) if upper_s <= bound_s)))
        for bound_s in BUCKETS_S
    ]
    family.add_metric([], [*buckets, ("+Inf", float(total))], sum_value=snapshot.latency_mean_s * total)
    return family


def _of_money(snapshot: Snapshot) -> Iterator[Metric]:
    if snapshot.cost is None or snapshot.price is None:
        return
    yield CounterMetricFamily("fetcher_cost", "Calls so far times price, as if each were charged", snapshot.cost)
    wasted = snapshot.stored_nothing * snapshot.price
    yield CounterMetricFamily("fetcher_cost_stored_nothing", "Its part that brought nothing to store", wasted)
    if snapshot.cost_expected is not None:
        yield _gauge("fetcher_cost_expected", "Of the whole run, as things go", snapshot.cost_expected)


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(name, words, value)


def _counter(name: str, words: str, label: str, values: dict[str, int]) -> Metric:
    family = CounterMetricFamily(name, words, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family


class Exporter:
    """Shows a run to Prometheus while it is open.

    Args:
        collector: of this run.
        file: where the text goes; None: nowhere.
        address: `PORT` or `ADDRESS:PORT` of the endpoint; None: none. Without an address it is this machine's alone.

    Raises:
        UsageError: no such address, or somebody else listens there.
        OutputError: the file cannot be written.
    """

    def __init__(self, collector: RunCollector, *, file: str | None, address: str | None) -> None:
        self._collector, self._file = collector, file
        self._registry = CollectorRegistry()
        self._registry.register(collector)
        self._over = threading.Event()
        self._server: Any = None
        self._writer: threading.Thread | None = None
        self._failing = False
        if file is not None:
            self._first_write(file)
        if address is not None:
            self._serve(*address_of(address))

    def _first_write(self, file: str) -> None:
        try:
            write_to_textfile(file, self._registry)
        except OSError as error:
            raise OutputError(f"{file} cannot be written: {error.strerror}", "give --prometheus-file a place") from None
        self._writer = threading.Thread(target=self._write_on, args=(file,), name="fetcher-prometheus", daemon=True)
        self._writer.start()

    def _serve(self, host: str, port: int) -> None:
        try:
            self._server, _ = start_http_server(port, host, self._registry)
        except OSError as error:
            self.close()
            raise UsageError(f"--prometheus-port {host}:{port}: {error.strerror}", "choose another port") from None

    @property
    def port(self) -> int | None:
        """Of the endpoint."""
        return None if self._server is None else self._server.server_port

    def _write_on(self, file: str) -> None:
        while not self._over.wait(WRITE_EVERY_S):
            self._write(file)
        self._write(file)

    def _write(self, file: str) -> None:
        try:
            write_to_textfile(file, self._registry)
            self._failing = False
        except OSError as error:
            if not self._failing:  # once: the run is worth more than its picture
                log.warning("%s cannot be written: %s", Path(file).name, error.strerror)
            self._failing = True

    def close(self) -> None:
        """Write once more, and let go of the port."""
        self._over.set()
        if self._writer is not None:
            self._writer.join(WRITE_EVERY_S)
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


def address_of(text: str) -> tuple[str, int]:
    """`9100`, `0.0.0.0:9100`, `[::1]:9100` as host and port.

    Raises:
        UsageError: it is none.
    """
    host, _, port = text.rpartition(":")
    try:
        number = int(port)
        if not 0 <= number <= 65_535:
            raise ValueError
    except ValueError:
        raise UsageError(
            f"--prometheus-port {text} is no port", "such as 9464, or 0.0.0.0:9464 for others too"
        ) from None
    return host.strip("[]") or LOOPBACK, number
