"""A kill at every single operation on the output folder: by a disk that kills its process, and by strace."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from fetcher.output import verify_output
from fetcher.output.disk import Disk
from tests.holds.books import check, left_behind
from tests.holds.forked import CONTEXT
from tests.holds.output_work import IDS, STAGES, Lethal, prepare, work

pytestmark = pytest.mark.slow

NAMES = ("out.jsonl", "out.jsonl.gz", "out.jsonl.zst")


def killed(folder: Path, name: str, stage: str, disk: Disk) -> bool:
    """Work in a fork of this process. Was it killed?"""
    pid = os.fork()
    if pid == 0:
        try:
            work(folder, name, stage, disk)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) < 0


def settled(folder: Path, name: str) -> None:
    """The next run, which nobody kills, brings the books into order, and the one after it changes nothing."""
    work(folder, name, "better", Disk())
    proof = verify_output(str(folder / name), None, IDS)
    assert proof.ok and proof.foreign == 0, proof
    check(folder / name, IDS)
    extra = {one for one in left_behind(folder) if not one.endswith((".torn", ".bad"))}
    assert extra == {f".{name}.run"}, extra
    files = [folder / name, folder / name.replace("out", "out.failed")]
    before = [(path.read_bytes(), path.stat().st_mtime_ns) for path in files]
    work(folder, name, "better", Disk())
    assert [(path.read_bytes(), path.stat().st_mtime_ns) for path in files] == before


def every_point(folder: str, name: str, stage: str, answer: Any) -> None:
    """Kill after each operation, and within each write; then settle. Sends how many points there were, or the error."""
    counting, points = Lethal(), list[tuple[int, str]]()
    work(begun(Path(folder) / "counting", name, stage), name, stage, counting)
    for at, operation in enumerate(counting.operations, 1):
        points += [(at, "within"), (at, "after")] if operation == "write" else [(at, "after")]
    for at, how in points:
        place = begun(Path(folder) / f"{how}-{at}", name, stage)
        try:
            assert killed(place, name, stage, Lethal(at, how))
            # What was killed is killed again while it is being mended, a few operations later.
            killed(place, name, "better", Lethal(at % 9 + 2, "after"))
            settled(place, name)
        except BaseException as error:  # whatever it is, the test wants to know at which point
            answer.send((len(points), f"{name}, {stage}, {how} operation {at}: {error!r}"))
            return
        shutil.rmtree(place)
    answer.send((len(points), ""))


def begun(folder: Path, name: str, stage: str) -> Path:
    """A folder in which earlier runs have left what the stage is about."""
    folder.mkdir()
    prepare(folder, name, stage)
    if stage == "better":
        work(folder, name, "first", Disk())
    return folder


@pytest.mark.parametrize("name", [*NAMES[:2], pytest.param(NAMES[2], marks=pytest.mark.long)])  # as gzip, but the codec
def test_killed_at_every_operation(tmp_path: Path, name: str) -> None:
    """In a first run, while mending a damaged one, and while failures become products: over 200 points in all."""
    total = 0
    for stage in STAGES:
        folder = tmp_path / stage
        folder.mkdir()
        here, there = CONTEXT.Pipe()
        warden = CONTEXT.Process(target=every_point, args=(str(folder), name, stage, there), daemon=True)
        warden.start()
        assert here.poll(40), "the warden does not answer"
        points, error = here.recv()
        warden.join(5)
        assert not error, error
        total += points
    assert total >= 100


TRACED = "openat,write,fsync,fdatasync,ftruncate,rename,renameat,renameat2,unlink,unlinkat"
OPERATIONS = {"openat": "open", "fdatasync": "sync", "ftruncate": "truncate", "rename": "replace", "unlink": "remove"}
PROGRAM = Path(__file__).with_name("output_work.py")


def traced(folder: Path, name: str, stage: str, *options: str) -> subprocess.CompletedProcess[str]:
    """The work as a program under strace, watched on the output folder only."""
    paths = [f"-P{folder / one}" for one in names_of(name)]
    # Once as a path for the first import: the package lies two folders up.
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(PROGRAM.parents[2]), "PYTHONDONTWRITEBYTECODE": "1"}
    command = ["strace", "-f", "-qq", *paths, *options, sys.executable, str(PROGRAM), str(folder), name, stage]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=30)


def names_of(name: str) -> list[str]:
    """Every file that the program may make for this OUT."""
    both = (name, name.replace("out", "out.failed"))
    return [
        *(one + ending for one in both for ending in ("", ".new", ".torn", ".bad")),
        *(f".{one}.{ending}" for one in both for ending in ("pending", "run", "run.new", "attempts", "attempts.new")),
    ]


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.gz"])
def test_no_operation_is_missed(tmp_path: Path, name: str) -> None:
    """What strace sees of changes to the folder is what the disk's seam was asked for: no other door leads there."""
    prepare(tmp_path, name, "mend")
    copy = tmp_path / "copy"
    shutil.copytree(tmp_path, copy, ignore=shutil.ignore_patterns("copy"))
    counting = Lethal()
    work(copy, name, "mend", counting)
    seen = traced(tmp_path, name, "mend", f"-etrace={TRACED}")
    assert seen.returncode == 0, seen.stderr
    calls = Counter(
        OPERATIONS.get(call, call)
        for call, rest in re.findall(r"^(?:\[pid +\d+\] )?(\w+)\((.*)", seen.stderr, re.MULTILINE)
        if call != "openat" or "O_WRONLY" in rest or "O_RDWR" in rest
    )
    assert calls == Counter(counting.operations)


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
@pytest.mark.parametrize("call", ["openat", "write", "fdatasync", "ftruncate", "rename", "unlink"])
def test_killed_by_strace(tmp_path: Path, call: str) -> None:
    """The real system calls of a real process: killed at the first, the third and the fifth of each kind."""
    for at in (1, 3, 5):
        folder = tmp_path / str(at)
        folder.mkdir()
        prepare(folder, "out.jsonl", "mend")
        done = traced(folder, "out.jsonl", "mend", f"-etrace={call}", f"-einject={call}:signal=KILL:when={at}")
        assert at > 1 or done.returncode != 0, f"no {call} was made"
        settled(folder, "out.jsonl")
