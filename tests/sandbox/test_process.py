"""A sandbox in a process of its own, over real sockets."""

from __future__ import annotations

import http.client
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from fetcher.errors import Defect
from fetcher.sandbox import Change, SandboxHandle, SandboxSettings, Scenario, example_ids, spawn
from fetcher.sandbox import process as process_module
from fetcher.sandbox.process import decode, encode
from fetcher.secret import Secret
from tests.sandbox.calls import SITE, signed, url_path

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def handle() -> Iterator[SandboxHandle]:
    """One sandbox for all tests here: half the products reset the connection or cut the answer, once."""
    with spawn(SandboxSettings(app_secret=Secret("a secret of its own"), reset_rate=0.25, cut_rate=0.25)) as running:
        yield running


def ask(connection: http.client.HTTPConnection, product_id: str, secret: Secret) -> tuple[int, bytes]:
    """One signed call."""
    form = urlencode(signed({"productID": product_id, **SITE}, url_path(), secret.reveal()))
    headers = {"content-type": "application/x-www-form-urlencoded"}
    connection.request("POST", f"/openapi/{url_path()}", form, headers)
    response = connection.getresponse()
    return response.status, response.read()


def connect(handle: SandboxHandle) -> http.client.HTTPConnection:
    """A connection to it."""
    return http.client.HTTPConnection(urlsplit(handle.url).netloc, timeout=10)


def test_it_answers_breaks_and_counts(handle: SandboxHandle) -> None:
    """Whole answers, resets and cut ones, each ID well on the second call; and all of it in the ledger."""
    handle.reset()
    ends = {"whole": 0, "reset": 0, "cut": 0}
    for product_id in example_ids(20):
        for attempt in range(2):
            with closing(connect(handle)) as connection:
                try:
                    status, body = ask(connection, product_id, handle.app_secret)
                    assert status == 200 and product_id.encode() in body
                    ends["whole"] += 1
                    break
                except http.client.IncompleteRead as error:
                    assert attempt == 0 and error.partial
                    ends["cut"] += 1
                except ConnectionResetError:
                    assert attempt == 0
                    ends["reset"] += 1
    assert ends["whole"] == 20 and ends["cut"] > 0 and ends["reset"] > 0
    stats = handle.stats()
    assert stats["calls"] == sum(ends.values())
    assert (stats["answers"]["fault:cut"], stats["answers"]["fault:reset"]) == (ends["cut"], ends["reset"])
    assert stats["ids"] == 20 and stats["ids_repeated"] == ends["cut"] + ends["reset"]


def test_connections_are_kept(handle: SandboxHandle) -> None:
    """Two calls over one connection; the gateway's date is in the answer, its make is not."""
    with closing(connect(handle)) as connection:
        for _ in range(2):
            connection.request("GET", "/_sandbox/stats")
            response = connection.getresponse()
            assert response.read() and response.getheader("date") and not response.getheader("server")
            assert response.getheader("connection") is None


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs /proc")
def test_no_secret_is_among_its_arguments(handle: SandboxHandle) -> None:
    """Anyone on the machine can read those."""
    shown = Path(f"/proc/{handle.pid}/cmdline").read_bytes() + Path(f"/proc/{handle.pid}/environ").read_bytes()
    assert b"a secret of its own" not in shown


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_an_interrupt_does_not_end_it(handle: SandboxHandle) -> None:
    """It is in a session of its own, and does not listen to SIGINT even when it is sent to it alone."""
    assert os.getsid(handle.pid) == handle.pid
    os.kill(handle.pid, signal.SIGINT)
    assert handle.stats()["window_s"] == 1.0


def test_settings_travel_whole() -> None:
    """Secrets too."""
    settings = SandboxSettings(app_secret=Secret("x"), denied_apis=("a/b",), qps=2.5, fault_repeats=None, xml=True)
    scenario = Scenario(settings, (Change(at_call=3, set={"qps": 1.0}), Change(at_s=0.5, expire_tokens=True)))
    assert decode(encode(scenario)) == scenario


@pytest.mark.skipif(os.name != "posix" or not hasattr(os, "pidfd_open"), reason="needs a descriptor for a process")
def test_it_ends_with_the_block() -> None:
    """Without a process left over."""
    with spawn() as running:
        descriptor = os.pidfd_open(running.pid)
    ended, _, _ = select.select([descriptor], [], [], 0)
    os.close(descriptor)
    assert ended


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs a descriptor for a process")
def test_it_ends_with_its_parent() -> None:
    """However that went: here it is killed."""
    code = (
        "from fetcher.sandbox import spawn\nwith spawn() as running:\n    print(running.pid, flush=True)\n    input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as parent:
        assert parent.stdout is not None
        descriptor = os.pidfd_open(int(parent.stdout.readline()))
        parent.kill()
        ended, _, _ = select.select([descriptor], [], [], 10)
        os.close(descriptor)
    assert ended


def test_a_child_that_does_not_start_is_a_defect(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not waited for."""
    monkeypatch.setattr(process_module, "_START", "raise SystemExit(3)")
    with pytest.raises(Defect, match="did not start"), spawn():
        raise AssertionError("no sandbox to use")
