"""Signals and other ends in mid-run: drained, files whole, locks free, and the words that say how to go on."""

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

from tests.holds.books import check, records
from tests.holds.forked import Forked, finished, until
from tests.holds.runs import SandboxSettings, command, environment, lines, write_ids
from tests.holds.sent_times import sent_times
from tests.pacing.windows import worst_window

pytestmark = pytest.mark.slow
GATEWAY = SandboxSettings(latency_ms=150, absent=0.0)


@pytest.mark.parametrize(("which", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_drains(tmp_path: Path, sandbox: Any, which: signal.Signals, code: int) -> None:
    """Nothing new starts, what was sent is stored, the lock is free, and the same command finishes the job."""
    ids = write_ids(tmp_path / "ids.txt", 300)
    arguments = ("ids.txt", "-o", "out.jsonl.gz", "--qps", 150)
    env: dict[str, Any] = {"env": environment(sandbox), "cwd": tmp_path}
    run = Forked(*arguments, **env)
    until(lambda: sandbox.stats()["calls"] >= 40)
    run.send(which)
    asked = sandbox.stats()["calls"]
    assert run.wait() == code, run.said
    calls = sandbox.stats()["calls"]
    assert calls <= asked + 0.5 * 150, "it went on after the signal"
    check(tmp_path / "out.jsonl.gz", ids, left=300 - calls)
    assert f"left to be done: {300 - calls} IDs" in run.said and "fetcher run ids.txt" in run.said
    done, said = finished(*arguments, "--qps", 2000, **env)
    assert done == 0, said
    check(tmp_path / "out.jsonl.gz", ids)
    assert sandbox.stats()["calls"] == 300


def test_stopped_and_continued(tmp_path: Path, sandbox: Any) -> None:
    """Longer than the stall timeout in mid-run: no burst makes up for it, nothing is lost, nobody calls it a stall."""
    ids = write_ids(tmp_path / "ids.txt", 120)
    arguments = ("ids.txt", "-o", "out.jsonl", "--qps", 90, "--stall-timeout", 1, "--summary", "s.json")
    run = Forked(*arguments, env=environment(sandbox), cwd=tmp_path, sent="sent")
    until(lambda: sandbox.stats()["calls"] >= 30)
    run.send(signal.SIGSTOP)
    time.sleep(1.5)
    run.send(signal.SIGCONT)
    assert run.wait() == 0, run.said
    check(tmp_path / "out.jsonl", ids)
    windows = json.loads((tmp_path / "s.json").read_text())["windows"]
    assert windows["exact"] and windows["worst_1s"] <= 90
    assert worst_window(sorted(sent_times(tmp_path / "sent"))) <= 90


def test_a_pipe_that_nobody_fills_does_not_hold_up_the_end(tmp_path: Path, sandbox: Any) -> None:
    """`(…; sleep 100) | fetcher run -` and Ctrl-C: ends at once, with what was fetched."""
    process = subprocess.Popen(
        command("-", "-o", "out.jsonl", "--qps", 50, "--stall-timeout", 1),
        env=environment(sandbox),
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None and process.stderr is not None
    process.stdin.write("610000000000\n610000000001\n")
    process.stdin.flush()
    until(lambda: len(lines(tmp_path / "out.jsonl")) == 2)
    time.sleep(1.5)  # longer than the stall timeout: waiting for the input is no stall
    assert process.poll() is None
    asked_s = time.monotonic()
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) == 130
    assert time.monotonic() - asked_s < 10.0
    said = process.stderr.read()
    process.stdin.close()
    process.stderr.close()
    assert "feed the same IDs again" in said


@pytest.mark.parametrize("closed", [0, 1, 2])
def test_closed_descriptors(tmp_path: Path, sandbox: Any, closed: int) -> None:
    """Started with stdin, stdout or stderr closed, as daemons are: OUT must not end up on their numbers."""
    ids = write_ids(tmp_path / "ids.txt", 20)
    line = " ".join(command("ids.txt", "-o", "out.jsonl", "--qps", 200))
    shell = f"{line} {'<' if closed == 0 else str(closed) + '>'}&-"
    done = subprocess.run(["sh", "-c", shell], env=environment(sandbox), cwd=tmp_path, timeout=30, capture_output=True)
    assert done.returncode == 0, done.stderr
    check(tmp_path / "out.jsonl", ids)


LEFT_EARLY = """
import asyncio, sys
from fetcher import Fetcher, Settings

async def main(how):
    settings = Settings(app_key="1000000", app_secret=sys.argv[2], gateway=sys.argv[1], qps=200)
    async with Fetcher(settings) as fetcher:
        async def some():
            async for outcome in fetcher.stream(range(610000000000, 610000100000)):
                if how == "break":
                    break
                if how == "raise":
                    raise KeyError(outcome.id)
        task = asyncio.create_task(some())
        if how == "cancel":
            await asyncio.sleep(0.6)
            task.cancel()
        await asyncio.wait_for(asyncio.gather(task, return_exceptions=True), 20)
        # The same Fetcher goes on afterwards: nothing of the first stream holds it up.
        assert (await fetcher.fetch(610000000007)).ok
    left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    assert not left, left
    print("whole", how)

for how in ("break", "raise", "cancel"):
    asyncio.run(main(how))
"""


def test_a_library_user_who_leaves_early(tmp_path: Path, sandbox: Any) -> None:
    """By break, by an exception, by cancelling: the stream ends, no task is left, the Fetcher can be used again."""
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", LEFT_EARLY, sandbox.url, sandbox.app_secret.reveal()],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["whole", "break", "whole", "raise", "whole", "cancel"]
    assert sandbox.stats()["calls"] < 1500


def test_two_runs_race_for_one_output(tmp_path: Path, sandbox: Any) -> None:
    """Started in the same moment, again and again: one works, the others end with 6 and touch nothing."""
    ids = write_ids(tmp_path / "ids.txt", 60)
    env: dict[str, Any] = {"env": environment(sandbox), "cwd": tmp_path}
    (tmp_path / "out.failed.jsonl").write_text('{"id":"610000000000","error":{"kind":"server","permanent":false}}\n')
    runs = [Forked("ids.txt", "-o", "out.jsonl", "--qps", 100, **env) for _ in range(4)]
    codes = [run.wait() for run in runs]
    assert sorted(codes) == [0, 6, 6, 6], [run.said for run in runs]
    assert all("another run holds" in run.said for run, code in zip(runs, codes, strict=True) if code == 6)
    check(tmp_path / "out.jsonl", ids)
    assert sandbox.stats()["calls"] == 60


def test_one_failed_file_for_two_outputs(tmp_path: Path, sandbox: Any) -> None:
    """The second run is turned away before it can spoil the first one's failures."""
    write_ids(tmp_path / "ids.txt", 200)
    (tmp_path / "failed.jsonl").touch()
    env: dict[str, Any] = {"env": environment(sandbox), "cwd": tmp_path}
    first = Forked("ids.txt", "-o", "a.jsonl", "--failed", "failed.jsonl", "--qps", 200, **env)
    until(lambda: sandbox.stats()["calls"] >= 5)
    code, said = finished("ids.txt", "-o", "b.jsonl", "--failed", "failed.jsonl", **env)
    assert code == 6 and "another run holds" in said, said
    assert first.wait() == 0, first.said
    assert len(records(tmp_path / "a.jsonl")) == 200


def test_a_dead_holder_is_no_obstacle(tmp_path: Path, sandbox: Any) -> None:
    """Killed while it held the lock: the next run takes over at once, though the note still names the dead."""
    write_ids(tmp_path / "ids.txt", 100)
    env: dict[str, Any] = {"env": environment(sandbox), "cwd": tmp_path}
    run = Forked("ids.txt", "-o", "out.jsonl", "--qps", 100, **env)
    until(lambda: sandbox.stats()["calls"] >= 5)
    run.kill()
    assert json.loads((tmp_path / ".out.jsonl.run").read_text())["pid"] == run.pid
    code, said = finished("ids.txt", "-o", "out.jsonl", "--qps", 2000, **env)
    assert code == 0, said
    assert os.stat(tmp_path / "out.jsonl").st_size > 0
