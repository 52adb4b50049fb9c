"""Where a run's socket is, and signals that come too early or too late. Whole runs: tests/holds/test_control.py."""

from __future__ import annotations

import os
import signal
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from fetcher.metrics import Snapshot
from fetcher.run.control import LONGEST_PATH_BYTES, controlled, not_yet, socket_paths
from fetcher.run.steering import Overseen

pytestmark = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="unix sockets are what it is about")


@pytest.fixture(autouse=True)
def _signal() -> Iterator[None]:
    before = signal.getsignal(signal.SIGUSR1)
    yield
    signal.signal(signal.SIGUSR1, before)


def overseen() -> Overseen:
    """Something that can be asked."""
    return Overseen(Snapshot, lambda error: None, 1)


@pytest.mark.parametrize("out", ["/a/out.jsonl", "/" + "x" * 95, "/" + "商" * 80 + "/out.jsonl"])
def test_a_sockets_path_is_short_enough_for_every_system(out: str) -> None:
    """Beside OUT where that fits, else apart; always the same for the same OUT, and another's is another."""
    paths = socket_paths(out)
    assert paths == socket_paths(out) and paths[-1] != socket_paths(out + "x")[-1]
    assert all(len(os.fsencode(path)) <= LONGEST_PATH_BYTES for path in paths)
    assert (paths[0].parent == Path(out).parent) == (len(os.fsencode(out)) < 90)


async def test_a_dead_ones_socket_is_replaced_and_the_runs_own_is_private(tmp_path: Path) -> None:
    """And gone at the end."""
    out = str(tmp_path / "o.jsonl")
    path = socket_paths(out)[0]
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    async with controlled(out, overseen()):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not path.exists()


async def test_a_file_of_that_name_is_left_alone(tmp_path: Path) -> None:
    """Somebody else's, whatever it is: the socket is then elsewhere."""
    out = str(tmp_path / "o.jsonl")
    beside, apart = socket_paths(out)
    beside.write_text("kept")
    async with controlled(out, overseen()):
        assert apart.is_socket() and stat.S_IMODE(apart.parent.stat().st_mode) == 0o700
    assert beside.read_text() == "kept" and not apart.exists()


async def test_where_no_socket_can_be_the_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It hears the signal still."""
    monkeypatch.setattr("fetcher.run.control.socket_paths", lambda out: [tmp_path / "none" / "o.ctl"])
    async with controlled(str(tmp_path / "o.jsonl"), overseen()):
        os.kill(os.getpid(), signal.SIGUSR1)
    async with controlled(None, overseen()):
        pass


def test_a_signal_that_comes_too_early_does_not_end_the_run() -> None:
    """While a large OUT is taken in there is nothing to tell as yet."""
    not_yet()
    os.kill(os.getpid(), signal.SIGUSR1)
