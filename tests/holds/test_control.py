"""A run that is asked while it goes: over its socket, and by a signal."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from fetcher.errors import UsageError
from fetcher.run.control import Question, ask
from fetcher.run.steering import State
from tests.holds.forked import until
from tests.holds.runs import SandboxSettings, command, environment, lines, spawn, write_ids

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="unix sockets are what it is about"),
]


@pytest.fixture
def going(tmp_path: Path) -> Iterator[Any]:
    """Starts runs of 20 000 IDs at 40/s; whatever is left of them is ended."""
    started: list[subprocess.Popen[str]] = []
    with spawn(SandboxSettings(latency_ms=5, jitter_ms=0, absent=0.0)) as sandbox:

        def start(*words: object, out: str = "out.jsonl") -> subprocess.Popen[str]:
            write_ids(tmp_path / "ids.txt", 20_000)
            line = command("ids.txt", "-o", out, "--qps", 40, "--no-progress", *words)
            process = subprocess.Popen(line, cwd=tmp_path, env=environment(sandbox), stderr=subprocess.PIPE, text=True)
            started.append(process)
            until_s = time.monotonic() + 20
            while time.monotonic() < until_s:
                with suppress(UsageError):
                    ask(str(tmp_path / out), Question("status"))
                    break
                time.sleep(0.02)
            return process

        yield start
        for process in started:
            process.kill()
            if process.stderr is not None and not process.stderr.closed:
                process.communicate()


def ctl(folder: Path, out: str, *words: str) -> subprocess.CompletedProcess[str]:
    """`fetcher ctl` to its end."""
    line = [sys.executable, "-m", "fetcher", "ctl", out, *words]
    return subprocess.run(line, cwd=folder, capture_output=True, text=True, timeout=20)


def state(folder: Path, do: str, setting: str = "") -> State:
    """What it answers."""
    name, _, value = setting.partition("=")
    return ask(str(folder / "out.jsonl"), Question(do, name, value))


def test_a_run_is_paused_hurried_and_ended(tmp_path: Path, going: Any) -> None:
    """A pause outlasts the stall timeout and costs nothing; a higher cap is kept and proven; the rest is resumable."""
    run = going("--stall-timeout", 1, "--summary", "s.json")
    there = tmp_path / ".out.jsonl.ctl"
    assert stat.S_IMODE(there.stat().st_mode) == 0o600
    assert state(tmp_path, "status").state == "running"
    paused = state(tmp_path, "pause")
    time.sleep(1.3)
    still = state(tmp_path, "status")
    assert still.state == "paused" and "asked for a pause" in still.wait_reason
    assert still.calls <= paused.calls + paused.in_flight and run.poll() is None
    assert state(tmp_path, "set", "qps=400").cap_per_s == 400
    assert state(tmp_path, "set", "concurrency=7").concurrency == 7
    before = state(tmp_path, "resume").done
    until(lambda: state(tmp_path, "status").done - before > 160)
    refused = ctl(tmp_path, "out.jsonl", "set", "qps=0")
    assert refused.returncode == 2 and "must be a number above 0" in refused.stderr
    assert json.loads(ctl(tmp_path, "out.jsonl", "stop", "--json").stdout)["state"] == "stopping"
    said = run.communicate(timeout=20)[1]
    assert run.returncode == 130 and "stopped by fetcher ctl" in said and "the cap is 400/s now, it was 40/s" in said
    assert not there.exists()
    summary = json.loads((tmp_path / "s.json").read_text())
    assert summary["windows"]["holds"] and summary["books"]["balanced"]
    assert 40 < summary["windows"]["worst_1s"] <= 400
    ids = [line["id"] for line in lines(tmp_path / "out.jsonl")]
    assert len(ids) == len(set(ids)) == summary["ids"]["fetched"]


def test_a_signal_makes_it_tell_and_a_dead_ones_socket_is_no_obstacle(tmp_path: Path, going: Any) -> None:
    """On stderr, quiet or not; after `kill -9` the next run takes the place; odd lines are answered."""
    killed = going("-q")
    killed.send_signal(signal.SIGUSR1)
    killed.send_signal(signal.SIGUSR1)
    time.sleep(0.3)
    killed.kill()
    said = killed.communicate()[1]
    assert "IDs done" in said and "dispatcher: " in said
    assert (tmp_path / ".out.jsonl.ctl").exists()
    with pytest.raises(UsageError, match="no run is working"):
        state(tmp_path, "status")
    run = going()
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(os.path.relpath(tmp_path / ".out.jsonl.ctl"))
        for line, answer in ((b"hello\n", b"no question"), (b'{"do":"dance"}\n', b"cannot be asked")):
            sock.sendall(line)
            assert answer in sock.recv(65536)
        sock.sendall(b'{"do":"stop"}\n')
        assert b'"state":"stopping"' in sock.recv(65536)
    run.communicate(timeout=20)
    assert run.returncode == 130


def test_a_long_path_and_several_processes(tmp_path: Path, going: Any) -> None:
    """The socket is then elsewhere; what several processes cannot do they refuse."""
    folder = tmp_path / ("x" * 120)
    folder.mkdir()
    out = f"{folder.name}/out.jsonl"
    run = going("--processes", 2, out=out)
    told = ctl(tmp_path, out)
    assert told.returncode == 0 and "2 processes share the work" in told.stdout, told.stderr
    with pytest.raises(UsageError, match="--processes cannot be paused"):
        ask(str(tmp_path / out), Question("pause"))
    ask(str(tmp_path / out), Question("stop"))
    run.communicate(timeout=20)
    assert run.returncode == 130
