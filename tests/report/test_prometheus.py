"""What Prometheus sees: names and units by its conventions, figures of the snapshot, a file that is always whole."""

from __future__ import annotations

import re
import socket
import urllib.request
from pathlib import Path

import pytest

pytest.importorskip("prometheus_client", reason="the extra prometheus is not installed")

from prometheus_client.parser import text_string_to_metric_families

from fetcher.errors import OutputError, UsageError
from fetcher.metrics import Tally
from fetcher.model import Attempt, Kind, VerdictKind
from fetcher.report.prometheus import BUCKETS_S, Exporter, RunCollector, address_of


def shown() -> RunCollector:
    """A run of three calls that took 30, 60 and 700 ms."""
    tally = Tally(10.0, 0.0, price=0.5)
    tally.read(3)
    for latency_s, result in ((0.03, VerdictKind.DONE), (0.06, VerdictKind.RETRY), (0.7, VerdictKind.ABSENT)):
        tally.started()
        tally.attempt(Attempt(0.0, latency_s, result, 100))
    tally.fetched(80)
    tally.again()
    tally.failed(Kind.NOT_FOUND, permanent=True)
    tally.fullest(3)
    collector = RunCollector({"out": 'a "quoted"\nname'}, lambda: 1_795_456_800_000)
    collector.show(tally.snapshot(2.0))
    return collector


def values(text: str) -> dict[str, float]:
    """Sample with its labels → value."""
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f"{key}={value}" for key, value in sample.labels.items())
            found[sample.name + (f"{{{labels}}}" if labels else "")] = sample.value
    return found


@pytest.fixture
def text(tmp_path: Path) -> str:
    """The file after such a run."""
    exporter = Exporter(shown(), file=str(tmp_path / "run.prom"), address=None)
    exporter.close()
    return (tmp_path / "run.prom").read_text(encoding="utf-8")


def test_figures_are_the_runs(text: str) -> None:
    """IDs by outcome, calls by result, money, and the time a call took as a histogram."""
    found = values(text)
    assert found["fetcher_ids_total{outcome=fetched}"] == found["fetcher_ids_total{outcome=failed}"] == 1
    assert found["fetcher_calls_total{result=retry}"] == 1
    assert (found["fetcher_calls_sent_total"], found["fetcher_retries_total"]) == (3, 1)
    assert (found["fetcher_cost_total"], found["fetcher_cost_stored_nothing_total"]) == (1.5, 0.5)
    assert (found["fetcher_cap_calls_per_second"], found["fetcher_fullest_second_calls"]) == (10, 3)
    buckets = [found[f"fetcher_call_duration_seconds_bucket{{le={bound_s:g}}}"] for bound_s in BUCKETS_S]
    assert buckets == sorted(buckets)
    assert found["fetcher_call_duration_seconds_bucket{le=0.05}"] == 1
    assert found["fetcher_call_duration_seconds_bucket{le=0.5}"] == 2
    assert found["fetcher_call_duration_seconds_count"] == 3
    assert found["fetcher_call_duration_seconds_sum"] == pytest.approx(0.79)
    assert found["fetcher_run_changed_timestamp_seconds"] == 1_795_456_800


def test_names_follow_the_conventions(text: str) -> None:
    """One prefix, base units, no two units in a name; counters alone end in `_total`; every family has help."""
    for family in text_string_to_metric_families(text):
        assert re.fullmatch(r"fetcher_[a-z_]+", family.name)
        assert not re.search(r"_(ms|milliseconds|minutes|kb|percent)(_|$)", family.name)
        assert family.documentation
        assert all(sample.name.endswith("_total") for sample in family.samples) == (family.type == "counter")


def test_the_end_is_told(tmp_path: Path) -> None:
    """While it runs there is no exit code; after, it is no longer running."""
    collector = shown()
    exporter = Exporter(collector, file=str(tmp_path / "run.prom"), address=None)
    before = values((tmp_path / "run.prom").read_text())
    collector.ended(1)
    exporter.close()
    after = values((tmp_path / "run.prom").read_text())
    assert (before["fetcher_run_running"], after["fetcher_run_running"]) == (1, 0)
    assert "fetcher_run_exit_code" not in before and after["fetcher_run_exit_code"] == 1
    assert [path.name for path in tmp_path.iterdir()] == ["run.prom"]


def test_the_endpoint_is_this_machines_alone() -> None:
    """A port without an address listens on loopback only, and lets go of it at the end."""
    exporter = Exporter(shown(), file=None, address="0")
    port = exporter.port
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        assert values(answer.read().decode())["fetcher_ids_total{outcome=fetched}"] == 1
    with socket.socket() as other, pytest.raises(OSError):
        other.connect(("127.0.0.2", port or 0))
    exporter.close()
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", port or 0))


@pytest.mark.parametrize(
    ("text", "address"),
    [("9464", ("127.0.0.1", 9464)), ("0.0.0.0:1", ("0.0.0.0", 1)), ("[::1]:80", ("::1", 80)), ("host:5", ("host", 5))],
)
def test_addresses(text: str, address: tuple[str, int]) -> None:
    """A port, or with whose it is."""
    assert address_of(text) == address


@pytest.mark.parametrize("text", ["", "x", "1:", "70000", "-1", "host:http"])
def test_what_is_no_address(text: str) -> None:
    """Says so, and what would be one."""
    with pytest.raises(UsageError, match="no port") as caught:
        address_of(text)
    assert "9464" in caught.value.advice


def test_what_cannot_be_had_is_said_at_once(tmp_path: Path) -> None:
    """A folder that is not there, a port that is taken: before anything is sent."""
    with pytest.raises(OutputError, match="cannot be written"):
        Exporter(shown(), file=str(tmp_path / "none" / "run.prom"), address=None)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(UsageError, match="in use"):
            Exporter(shown(), file=None, address=str(taken.getsockname()[1]))
