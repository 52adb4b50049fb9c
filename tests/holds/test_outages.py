"""Outages: waited out, knocked at gently, given up after --max-outage; no ID is ever marked failed for one."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from tests.holds.books import check, failed_of
from tests.holds.fault_server import Fault, FaultServer, fault_server, http
from tests.holds.forked import Forked, finished, until
from tests.holds.runs import write_ids
from tests.holds.test_gateway_faults import environment

pytestmark = pytest.mark.slow

BUSY = Fault("busy", lambda *_: http(b"busy", status="503 Service Unavailable"))
SILENT = Fault("silent", end="silent")
CLOSED = Fault("closed", end="close")


@pytest.fixture
def gateway() -> Iterator[FaultServer]:
    with fault_server() as server:
        yield server


def words(*more: object) -> tuple[object, ...]:
    return ("ids.txt", "-o", "out.jsonl", "--qps", 150, "--timeout", 0.5, "--no-progress", *more)


def ids_of(folder: Path) -> list[str]:
    return (folder / "ids.txt").read_text().split()


def falls_ill(gateway: FaultServer, how: str) -> Callable[[], None]:
    """An outage begins; call what is returned to end it."""
    if how == "port":
        gateway.hang_up()
        return gateway.listen
    gateway.sick = {"busy": BUSY, "silent": SILENT, "closed": CLOSED}[how]

    def recover() -> None:
        gateway.sick = None

    return recover


Ill = tuple[str, FaultServer, Path, Forked]
"""A way to be ill, who has it, and whose run in which folder meets it."""


@contextmanager
def runs_side_by_side(place: Path, ways: Sequence[str], count: int, *more: object) -> Iterator[list[Ill]]:
    """For each way a gateway and a run of `count` IDs, in a folder of its own: most of the time they only wait."""
    with ExitStack() as gateways:
        started = []
        for how in ways:
            gateway, folder = gateways.enter_context(fault_server()), place / how
            folder.mkdir()
            write_ids(folder / "ids.txt", count)
            started.append((how, gateway, folder, Forked(*words(*more), env=environment(gateway), cwd=folder)))
        yield started


def test_an_outage_is_waited_out(tmp_path: Path) -> None:
    """Two seconds in mid-run: few calls meanwhile, then every ID is fetched, and none failed."""
    with runs_side_by_side(tmp_path, ("port", "busy", "silent", "closed"), 250) as started:
        began_s = {}
        for how, gateway, _, _ in started:
            until(lambda gateway=gateway: len(gateway.arrived_s) >= 60)
            recover, began_s[how] = falls_ill(gateway, how), time.monotonic()
            threading.Timer(2.5, recover).start()
        for how, gateway, folder, run in started:
            assert run.wait() == 0, f"{how}: {run.said}"
            check(folder / "out.jsonl", ids_of(folder))
            assert not failed_of(folder / "out.jsonl").exists(), how
            late = [each_s for each_s in gateway.arrived_s if began_s[how] + 1.8 < each_s < began_s[how] + 2.4]
            assert len(late) <= 15, f"{how}: an open breaker knocks once a step, not at the cap"
            # What fails before it is known for an outage: twenty in a row, what was in flight, and a probe a step.
            assert sum(gateway.calls.values()) <= 1.1 * 250 + 150 * 0.5 + 30, how


def test_an_outage_that_does_not_end(tmp_path: Path) -> None:
    """After --max-outage: exit 4, nothing marked failed; when it is back, the same command finishes."""
    with runs_side_by_side(tmp_path, ("port", "busy"), 300, "--max-outage", 1.5) as started:
        recoveries = []
        for how, gateway, _, _ in started:
            until(lambda gateway=gateway: len(gateway.arrived_s) >= 60)
            recoveries.append(falls_ill(gateway, how))
        for how, _, folder, run in started:
            assert run.wait() == 4, f"{how}: {run.said}"
            assert "has not answered" in run.said and "fetcher run ids.txt" in run.said, how
            assert "left to be done" in run.said, how
            check(folder / "out.jsonl", ids_of(folder), left=None)
            assert not failed_of(folder / "out.jsonl").exists(), how
        for recover in recoveries:
            recover()
        for how, gateway, folder, _ in started:
            code, said = finished(*words("--qps", 600), env=environment(gateway), cwd=folder)
            assert code == 0, f"{how}: {said}"
            check(folder / "out.jsonl", ids_of(folder))


def test_sickness_short_of_an_outage_is_not_amplified(tmp_path: Path, gateway: FaultServer) -> None:
    """A third of the IDs meet a 503 or two: hardly more calls than those faults and the IDs themselves."""
    ids = write_ids(tmp_path / "ids.txt", 300)
    gateway.faults = {one: (BUSY, 1 + k % 2) for k, one in enumerate(ids[::3])}
    code, said = finished(*words("--qps", 600), env=environment(gateway), cwd=tmp_path)
    assert code == 0, said
    check(tmp_path / "out.jsonl", ids)
    assert sum(gateway.calls.values()) == 300 + 50 + 100


@contextmanager
def self_signed(folder: Path) -> Iterator[tuple[str, list[bytes]]]:
    """An https server that nobody vouches for: its origin, and what it was sent."""
    names = ["-keyout", folder / "key.pem", "-out", folder / "cert.pem", "-subj", "/CN=localhost"]
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"]
    subprocess.run(["openssl", "req", "-x509", *curve, *names], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    listening, heard = socket.create_server(("127.0.0.1", 0)), list[bytes]()

    def serve() -> None:
        while True:
            try:
                near, _ = listening.accept()
                with context.wrap_socket(near, server_side=True) as secured:
                    heard.append(secured.recv(65536))
            except ssl.SSLError:
                continue
            except OSError:
                return

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"https://127.0.0.1:{listening.getsockname()[1]}", heard
    finally:
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        listening.close()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_a_certificate_that_does_not_verify(tmp_path: Path, gateway: FaultServer) -> None:
    """Nothing is sent and nothing is tried for long: exit 2, the reason, what to do."""
    write_ids(tmp_path / "ids.txt", 10)
    with self_signed(tmp_path) as (origin, heard):
        env = environment(gateway) | {"FETCHER_GATEWAY": f"{origin}/openapi"}
        started_s = time.monotonic()
        code, said = finished(*words(), env=env, cwd=tmp_path)
        assert code == 2 and "certificate" in said and "what to do" in said, said
        assert time.monotonic() - started_s < 8
        assert heard == []
