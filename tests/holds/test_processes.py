"""`--processes N`: one run in several processes keeps every promise that it keeps in one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.holds.books import check
from tests.holds.forked import Forked, finished, until
from tests.holds.runs import SandboxSettings, command, environment, spawn, write_ids

pytestmark = pytest.mark.slow
GATEWAY = SandboxSettings(latency_ms=20, jitter_ms=10, absent=0.0)


def words(name: str, *more: object) -> tuple[object, ...]:
    return ("ids.txt", "-o", name, "--processes", 2, "--no-progress", "--summary", "s.json", *more)


def summary(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "s.json").read_text())
    return found


def workers_of(pid: int) -> list[int]:
    """The worker processes of a run."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(child) for child in (task / "children").read_text().split()]
    return [child for child in found if b"-m\0fetcher.run\0" in Path(f"/proc/{child}/cmdline").read_bytes()]


def test_one_job_for_two(tmp_path: Path, sandbox: Any) -> None:
    """Every ID once, bad lines and duplicates accounted for, one cap over both that is never passed."""
    ids = write_ids(tmp_path / "ids.txt", 700)
    with open(tmp_path / "ids.txt", "a") as file:
        file.write(f"not-an-id\n{ids[0]}\n")
    code, said = finished(*words("out.jsonl.gz", "--qps", 301), env=environment(sandbox), cwd=tmp_path)
    assert code == 1, said
    kinds = check(tmp_path / "out.jsonl.gz", [*ids, "not-an-id"])
    assert kinds == {"bad_id": 1}
    told = summary(tmp_path)
    assert told["ids"] | {"total": 0} == told["ids"] | {"total": 0, "read": 702, "fetched": 700, "duplicates": 1}
    assert told["books"]["balanced"] and told["windows"]["exact"]
    assert 151 < told["windows"]["worst_1s"] <= 301  # more than one worker's share of it
    assert told["calls"]["sent"] == sandbox.stats()["calls"] == 700
    assert told["latency_ms"]["p50"] > 15


def test_files_in_the_folder_are_not_taken_for_modules(tmp_path: Path, sandbox: Any) -> None:
    """The installed command does not look for Python's modules where the user works, nor do its workers."""
    write_ids(tmp_path / "ids.txt", 20)
    (tmp_path / "random.py").write_text("raise SystemExit('of the user')")
    started = [sys.executable, "-P", *command(*words("out.jsonl", "--qps", 200))[1:]]
    done = subprocess.run(started, env=environment(sandbox), cwd=tmp_path, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr


def test_a_wrong_secret_costs_one_call(tmp_path: Path, sandbox: Any) -> None:
    """The second worker waits until the first has been taken."""
    write_ids(tmp_path / "ids.txt", 500)
    env = environment(sandbox, FETCHER_APP_SECRET="wr0ng-Secret/42")
    code, said = finished(*words("out.jsonl", "--qps", 200), env=env, cwd=tmp_path)
    assert code == 3 and "FETCHER_APP_SECRET" in said, said
    assert sandbox.stats()["calls"] == 1
    assert "wr0ng-Secret" not in said


def test_limits_are_shared(tmp_path: Path, sandbox: Any) -> None:
    """--max-calls is one limit for all; the same command goes on, and --max-errors counts all failures."""
    ids = write_ids(tmp_path / "ids.txt", 300)
    env: dict[str, Any] = {"env": environment(sandbox), "cwd": tmp_path}
    code, said = finished(*words("out.jsonl", "--qps", 300, "--max-calls", 101), **env)
    assert code == 4 and "--max-calls 101 is reached" in said, said
    assert sandbox.stats()["calls"] == 101
    check(tmp_path / "out.jsonl", ids, left=199)
    assert "left to be done: 199 IDs" in said
    code, said = finished(*words("out.jsonl", "--qps", 600), **env)
    assert code == 0, said
    check(tmp_path / "out.jsonl", ids)
    assert sandbox.stats()["calls"] == 300


@pytest.mark.parametrize(("which", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_ended_in_mid_run(tmp_path: Path, sandbox: Any, which: signal.Signals, code: int) -> None:
    """Drained, or killed together with its workers: either way the same command gets there."""
    ids = write_ids(tmp_path / "ids.txt", 900)
    env: dict[str, Any] = {"env": environment(sandbox), "cwd": tmp_path}
    arguments = words("out.jsonl", "--qps", 300, "--price", 0.01)
    run = Forked(*arguments, **env)
    until(lambda: sandbox.stats()["calls"] >= 200)
    workers = workers_of(run.pid)
    assert len(workers) == 2
    run.send(which)
    assert run.wait() == code, run.said
    until(lambda: not any(Path(f"/proc/{worker}/cmdline").exists() for worker in workers), 5)
    calls = sandbox.stats()["calls"]
    time.sleep(0.2)
    assert sandbox.stats()["calls"] == calls, "a worker goes on without its parent"
    check(tmp_path / "out.jsonl", ids, left=900 - calls if which == signal.SIGINT else None, torn=True)
    done, said = finished(*arguments, "--qps", 2000, **env)
    assert done == 0, said
    check(tmp_path / "out.jsonl", ids)
    doubts = summary(tmp_path)["doubts"]["earlier"]
    assert sandbox.stats()["calls"] - 900 <= len(doubts) <= 300 * 0.2
    assert {path.name for path in tmp_path.iterdir() if path.name.startswith(".")} == {".out.jsonl.run"}


def test_a_worker_that_is_killed(tmp_path: Path, sandbox: Any) -> None:
    """Exit 70 and the number of IDs left; what was stored stands, and the same command gets there."""
    ids = write_ids(tmp_path / "ids.txt", 900)
    env: dict[str, Any] = {"env": environment(sandbox), "cwd": tmp_path}
    run = Forked(*words("out.jsonl", "--qps", 300), **env)
    until(lambda: sandbox.stats()["calls"] >= 200)
    os.kill(workers_of(run.pid)[0], signal.SIGKILL)
    assert run.wait() == 70, run.said
    assert "has died" in run.said
    stored = 900 - summary(tmp_path)["ids"]["left"]
    check(tmp_path / "out.jsonl", ids, left=900 - stored)
    code, said = finished(*words("out.jsonl", "--qps", 2000), **env)
    assert code == 0, said
    check(tmp_path / "out.jsonl", ids)


def test_a_throttle_slows_all(tmp_path: Path) -> None:
    """A gateway that takes 60 % of the cap: found together, with few refusals."""
    with spawn(SandboxSettings(latency_ms=20, jitter_ms=5, absent=0.0, qps=120)) as sandbox:
        ids = write_ids(tmp_path / "ids.txt", 450)
        code, said = finished(*words("out.jsonl", "--qps", 200), env=environment(sandbox), cwd=tmp_path)
        stats = sandbox.stats()
    assert code == 0, said
    check(tmp_path / "out.jsonl", ids)
    assert stats["throttled"] <= 0.12 * stats["calls"]


def test_more_processes_than_calls(tmp_path: Path, sandbox: Any) -> None:
    """Each needs a call a second: said before anything is sent."""
    write_ids(tmp_path / "ids.txt", 5)
    code, said = finished(*words("out.jsonl", "--qps", 1), env=environment(sandbox), cwd=tmp_path)
    assert code == 2 and "cannot share" in said, said
