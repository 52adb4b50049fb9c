"""`fetcher cluster run` on a Ray cluster of two nodes: workers and drivers are killed, the sandbox sees all senders."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.holds.runs import SandboxSettings, environment, spawn, write_ids

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(150),
    pytest.mark.skipif(find_spec("ray") is None, reason="needs the extra ray"),
]

QPS = 250


class Nodes(NamedTuple):
    """A cluster that runs."""

    address: str
    session: Path
    """Ray's logs."""


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    """Two of them, with one CPU each."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.holds.nodes"],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        line = process.stdout.readline().split()
        assert len(line) == 2, "Ray did not start"
        yield Nodes(line[0], Path(line[1]))
        process.stdin.close()
        process.wait(30)


def start(folder: Path, env: dict[str, str], *more: object) -> subprocess.Popen[str]:
    """`fetcher cluster run`."""
    words = [sys.executable, "-m", "fetcher", "cluster", "run", *more, "--qps", QPS, "--no-progress"]
    return subprocess.Popen(
        list(map(str, words)), cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def until(true: Callable[[], bool], timeout_s: float = 60.0) -> None:
    """Wait for it."""
    until_s = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < until_s, "it did not happen"
        time.sleep(0.05)


def progress(out: Path) -> dict[str, Any]:
    """The driver's note."""
    try:
        found: dict[str, Any] = json.loads((out / "_job" / "progress.json").read_text())
    except FileNotFoundError:
        return {"at": [], "done": 0}
    return found


def test_killed_workers_and_a_killed_driver(nodes: Nodes, tmp_path: Path) -> None:
    """Every ID exactly once, the cap held over all senders, books balanced, no secret in Ray's logs."""
    ids = write_ids(tmp_path / "ids.txt", 1500)
    with open(tmp_path / "ids.txt", "a") as file:
        file.write(f"no-id\n{ids[0]}\n")
    out = tmp_path / "data"
    arguments = ("ids.txt", "-o", "data", "--address", nodes.address, "--workers", 2, "--shard-ids", 250)
    with spawn(SandboxSettings(qps=10_000, latency_ms=20, absent=0.02)) as sandbox:
        env = environment(sandbox, RAY_AUTH_MODE="disabled")
        driver = start(tmp_path, env, *arguments)
        until(lambda: len(progress(out)["at"]) == 2 and sandbox.stats()["calls"] > 250)
        victim = max(progress(out)["at"], key=lambda one: one["shard"])  # the first shard may be over any moment
        os.kill(victim["pid"], signal.SIGKILL)  # a worker in mid-shard
        until(
            lambda: (note := progress(out))["done"] >= 2 and victim not in note["at"] and sandbox.stats()["calls"] > 600
        )
        driver.kill()
        _, said = driver.communicate()
        assert "its worker was lost (WorkerCrashedError); it goes on elsewhere" in said
        finished = {path.name: path.stat().st_mtime_ns for path in out.glob("part-*")}
        assert len([name for name in finished if ".failed." not in name]) >= 2
        last = start(tmp_path, env, *arguments, "--summary", "s.json")
        told_stdout, said = last.communicate()
        assert (last.returncode, told_stdout) == (1, ""), said
        stats = sandbox.stats()
    stored = Counter(json.loads(line)["id"] for path in out.glob("part-*") for line in path.read_text().splitlines())
    assert stored == Counter([*ids, "no-id"])
    for name, changed_ns in finished.items():
        assert (out / name).stat().st_mtime_ns == changed_ns, f"{name} was fetched again"
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["complete"]
    assert (manifest["ids"], manifest["left"]) == (1501, 0)
    told = json.loads((tmp_path / "s.json").read_text())
    assert told["books"]["balanced"]
    assert told["ids"]["skipped_known"] >= 500
    both = [*manifest["starts"], told["windows"]]
    assert [(start["exact"], start["worst_1s"] <= QPS) for start in both] == [(False, True), (True, True), (True, True)]
    assert all(0 < start["clock_error_ms"] < 50 for start in both)
    assert manifest["starts"][1]["calls"] == told["calls"]["sent"]
    # A killed worker's calls in flight are made again, those of the killed driver's workers too.
    assert 1500 <= stats["calls"] <= 1500 + 3 * 16
    assert stats["worst_window"] <= QPS * 1.08, "sent evenly, they arrive bunched where a busy machine reads them late"
    told_twice = subprocess.run(
        [sys.executable, "-m", "fetcher", "cluster", "status", "data", "--check"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "every file is what was committed" in told_twice.stdout
    secret = sandbox.app_secret.reveal().encode()
    for path in (*nodes.session.rglob("*"), *out.rglob("*"), tmp_path / "s.json"):
        with suppress(FileNotFoundError):  # Ray removes what it needs no more
            assert not path.is_file() or secret not in path.read_bytes(), path
