"""Disks that are full, broken, slow, read-only, taken away or meddled with: exit 6, whole files, and a way on."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.holds.books import check, failed_of, records
from tests.holds.forked import Forked, finished, until
from tests.holds.runs import SandboxSettings, command, environment, write_ids

pytestmark = pytest.mark.slow
GATEWAY = SandboxSettings(latency_ms=3, absent=0.0)

ROOT = pytest.mark.skipif(os.geteuid() != 0 or shutil.which("mount") is None, reason="mounting needs root")
STRACE = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
IN_FLIGHT = 8
OFTEN = {"FETCHER_SYNC_INTERVAL": "0.15"}
"""What a sync finds out is found out soon."""


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A file system of its own; `remount` changes it."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def remount(folder: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", folder], check=True)


def words(name: object, *more: object) -> tuple[object, ...]:
    return ("ids.txt", "-o", name, "--qps", 2000, "--concurrency", IN_FLIGHT, "--no-progress", *more)


@ROOT
@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.gz"])
def test_a_full_disk(tmp_path: Path, sandbox: Any, name: str) -> None:
    """Exit 6, few calls in vain, files that end on a record; with room made, the same command gets there."""
    ids = write_ids(tmp_path / "ids.txt", 1500)
    with small_disk(tmp_path / "disk", "512k") as disk:
        env: dict[str, Any] = {"env": environment(sandbox), "cwd": tmp_path}
        code, said = finished(*words(disk / name), **env)
        assert code == 6, said
        assert "No space left" in said and "make room" in said and "left to be done" in said
        check(disk / name, ids, left=None)
        calls, stored = sandbox.stats()["calls"], len(records(disk / name))
        assert calls < 1500
        again, _ = finished(*words(disk / name), **env)  # still full: no better, and no worse
        assert again == 6
        assert len(records(disk / name)) >= stored
        remount(disk, "size=64m")
        code, said = finished(*words(disk / name), **env)
        assert code == 0, said
        check(disk / name, ids)
        # In vain: what was in flight, and what 20 ms of answers had gathered when the disk refused them.
        assert sandbox.stats()["calls"] <= 1500 + 2 * (IN_FLIGHT + 0.1 * 2000)


def test_a_limit_of_file_size(tmp_path: Path, sandbox: Any) -> None:
    """`ulimit -f`: no signal kills the run; it says what it is, and goes on without the limit."""
    ids = write_ids(tmp_path / "ids.txt", 600)
    env: dict[str, Any] = {"env": environment(sandbox), "cwd": tmp_path}
    code, said = finished(*words("out.jsonl"), **env, limits={"FSIZE": 300_000})
    assert code == 6, said
    assert "File too large" in said and "Traceback" not in said
    check(tmp_path / "out.jsonl", ids, left=None)
    code, said = finished(*words("out.jsonl"), **env)
    assert code == 0, said
    check(tmp_path / "out.jsonl", ids)


def traced(inject: str, path: Path, *arguments: object, env: Any, cwd: Path) -> subprocess.Popen[str]:
    """The command under strace, which changes one kind of system call on one file."""
    call = inject.partition(":")[0]
    strace = ["strace", "-f", "-qq", "-o", "/dev/null", f"-P{path}", f"-etrace={call}", f"-einject={inject}"]
    return subprocess.Popen(
        [*strace, *command(*arguments)], env=env, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def child_of(run: subprocess.Popen[str]) -> int:
    """The process that strace watches."""
    return int(Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()[0])


def said_until(run: subprocess.Popen[str], last: str) -> tuple[str, float]:
    """What it says up to its last words, and when that was; then it is killed: strace holds the thread that hangs."""
    said, deadline_s = "", time.monotonic() + 30
    assert run.stdout is not None
    for line in run.stdout:
        said += line
        if line.startswith(last) or time.monotonic() > deadline_s:
            break
    ended_s = time.monotonic()
    os.kill(child_of(run), signal.SIGKILL)
    run.kill()
    run.wait(timeout=10)
    run.stdout.close()
    return said, ended_s


@STRACE
@pytest.mark.parametrize(
    "inject", ["fdatasync:error=EIO:when=2", "write:error=EIO:when=4", "write:error=EDQUOT:when=2+"]
)
def test_an_input_output_error(tmp_path: Path, sandbox: Any, inject: str) -> None:
    """At a sync, at a write: never tried again, cut back to what is sure, counted as left, and resumed."""
    ids, out = write_ids(tmp_path / "ids.txt", 600), tmp_path / "out.jsonl"
    out.touch()
    env: dict[str, Any] = {"env": environment(sandbox, **OFTEN), "cwd": tmp_path}
    run = traced(inject, out, *words("out.jsonl", "--qps", 300), **env)
    said, _ = run.communicate(timeout=30)
    assert run.returncode == 6, said
    stored = len(records(out))
    assert f"fetched {stored} IDs" in said, said
    assert f"left to be done: {600 - stored} IDs" in said, said
    code, said = finished(*words("out.jsonl"), **env)
    assert code == 0, said
    check(out, ids)


@STRACE
def test_a_disk_that_hangs(tmp_path: Path, sandbox: Any) -> None:
    """A sync that does not come back: exit 70 after --stall-timeout, and the words say who waits for what."""
    ids, out = write_ids(tmp_path / "ids.txt", 300), tmp_path / "out.jsonl"
    out.touch()
    env: dict[str, Any] = {"env": environment(sandbox, **OFTEN), "cwd": tmp_path}
    arguments = words("out.jsonl", "--qps", 300, "--stall-timeout", 1, "--timeout", 1)
    run = traced("fdatasync:delay_enter=30000000:when=1", out, *arguments, **env)
    said, _ = said_until(run, "  fetcher run")
    assert "defect" in said and "nothing moved for 1 s" in said and "writer: " in said
    assert "left to be done" in said
    check(out, ids, left=None)
    code, said = finished(*words("out.jsonl"), **env)
    assert code == 0, said
    check(out, ids)


@ROOT
def test_a_read_only_disk(tmp_path: Path, sandbox: Any) -> None:
    """Exit 6 before anything is sent."""
    write_ids(tmp_path / "ids.txt", 10)
    with small_disk(tmp_path / "disk", "1m") as disk:
        remount(disk, "ro")
        code, said = finished(*words(disk / "out.jsonl"), env=environment(sandbox), cwd=tmp_path)
    assert code == 6 and "Read-only file system" in said, said
    assert sandbox.stats()["calls"] == 0


def test_no_folder(tmp_path: Path, sandbox: Any) -> None:
    """Exit 2 before anything is sent, with the command that makes it."""
    write_ids(tmp_path / "ids.txt", 10)
    code, said = finished(*words("there/out.jsonl"), env=environment(sandbox), cwd=tmp_path)
    assert code == 2 and "mkdir -p" in said, said
    assert sandbox.stats()["calls"] == 0


@pytest.mark.parametrize("how", ["folder removed", "file removed", "replaced", "cut", "written to"])
def test_somebody_meddles(tmp_path: Path, sandbox: Any, how: str) -> None:
    """OUT is taken away, exchanged, cut or written to by others in mid-run: noticed at the next sync, exit 6."""
    ids, folder = write_ids(tmp_path / "ids.txt", 600), tmp_path / "there"
    folder.mkdir()
    out = folder / "out.jsonl"
    env: dict[str, Any] = {"env": environment(sandbox, **OFTEN), "cwd": tmp_path}
    run = Forked(*words(out, "--qps", 300), **env)
    until(lambda: out.exists() and out.stat().st_size > 100_000)
    if how == "folder removed":
        shutil.rmtree(folder)
    elif how == "file removed":
        out.unlink()
    elif how == "replaced":
        copy = out.with_suffix(".copy")
        shutil.copy(out, copy)
        copy.rename(out)
    elif how == "cut":
        os.truncate(out, 50_000)
    else:
        with open(out, "ab") as file:
            file.write(b"dear diary\n")
    code = run.wait()
    assert code == 6, run.said
    assert sandbox.stats()["calls"] < 600, "noticed in mid-run"
    assert "replaced or removed" in run.said or "another program" in run.said
    folder.mkdir(exist_ok=True)
    code, said = finished(*words(out), **env)
    assert code == 0, said
    check(out, ids)


def test_what_fails_at_the_failed_file_stops_the_run_too(tmp_path: Path, sandbox: Any) -> None:
    """The failed file is as much a promise as OUT: where it cannot be made, exit 6."""
    (tmp_path / "ids.txt").write_text("not-an-id\n610000000001\n")
    (tmp_path / "out.failed.jsonl").mkdir()
    code, said = finished(*words("out.jsonl"), env=environment(sandbox), cwd=tmp_path)
    assert code in (2, 6) and "out.failed.jsonl is a folder" in said, said
    assert "Traceback" not in said
    assert not failed_of(tmp_path / "out.jsonl").is_file()


@STRACE
def test_a_second_signal_does_not_wait_for_a_disk_that_hangs(tmp_path: Path, sandbox: Any) -> None:
    """Exit 130 long before the disk answers, what was written stands."""
    ids, out = write_ids(tmp_path / "ids.txt", 3000), tmp_path / "out.jsonl"
    out.touch()
    env: dict[str, Any] = {"env": environment(sandbox, **OFTEN), "cwd": tmp_path}
    run = traced("fdatasync:delay_enter=30000000:when=1", out, *words("out.jsonl", "--qps", 300), **env)
    until(lambda: sandbox.stats()["calls"] > 150)  # half a second of it: the sync hangs
    os.kill(child_of(run), signal.SIGINT)
    time.sleep(0.3)
    asked_s = time.monotonic()
    os.kill(child_of(run), signal.SIGINT)
    said, ended_s = said_until(run, "  fetcher run")
    assert "interrupted" in said
    assert ended_s - asked_s < 12.0, f"{ended_s - asked_s:.1f} s; it said:\n{said}"
    check(out, ids, left=None, torn=True)
