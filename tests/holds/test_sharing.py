"""Several runs on one key, started apart: one cap over all the times at which they sent, wherever they meet."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from fetcher.sandbox import AppSettings
from fetcher.sharing.layout import SIZE
from tests.holds.books import check
from tests.holds.forked import Forked, finished, until
from tests.holds.runs import SandboxSettings, environment, lines, spawn, write_ids
from tests.holds.sent_times import sent_times
from tests.pacing.windows import worst_window
from tests.sharing.redis_server import RedisServer

pytestmark = pytest.mark.slow
GATEWAY = SandboxSettings(latency_ms=20, jitter_ms=5, absent=0.0)


ROOT = Path(__file__).parents[2]
CAP = 300
FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")


class Team:
    """Runs side by side in one folder, each with its own IDs and OUT."""

    def __init__(self, folder: Path, sandbox: Any, where: str) -> None:
        self.folder, self.env = folder, environment(sandbox, FETCHER_SHARE_CAP=where, FETCHER_QPS=str(CAP))
        self.ids: list[list[str]] = []
        self.runs: list[Forked] = []

    def words(self, k: int, *more: object) -> tuple[object, ...]:
        return (f"{k}.txt", "-o", f"{k}.jsonl", "--no-progress", "--summary", f"{k}.json", "--headroom", 0.5, *more)

    def start(self, count: int, *more: object) -> Forked:
        """One more."""
        k = len(self.runs)
        self.ids.append(write_ids(self.folder / f"{k}.txt", count, 610_000_000_000 + k * 1_000_000))
        self.runs.append(Forked(*self.words(k, *more), env=self.env, cwd=self.folder, sent=f"{k}.sent"))
        return self.runs[-1]

    def sent_s(self, k: int) -> list[float]:
        """When the k-th sent its calls."""
        return sent_times(self.folder / f"{k}.sent")

    def all_sent_s(self) -> list[float]:
        """When any of them did."""
        return sorted(time_s for k in range(len(self.runs)) for time_s in self.sent_s(k))

    def told(self, k: int) -> dict[str, Any]:
        """The k-th one's summary."""
        summary: dict[str, Any] = json.loads((self.folder / f"{k}.json").read_text())
        return summary


@pytest.mark.parametrize("place", ["file", "redis"])
def test_three_runs_use_one_cap_and_never_pass_it(
    tmp_path: Path, sandbox: Any, place: str, request: pytest.FixtureRequest
) -> None:
    """Most of the cap while all have work, in no second more, by few exchanges; each ID once."""
    where = str(tmp_path / "cap") if place == "file" else request.getfixturevalue("redis").url
    team = Team(tmp_path, sandbox, where)
    for _ in range(3):
        team.start(200)
    assert [run.wait() for run in team.runs] == [0, 0, 0], [run.said for run in team.runs]
    sent_s = team.all_sent_s()
    assert len(sent_s) == 600 == sandbox.stats()["calls"]
    assert worst_window(sent_s) <= CAP
    assert worst_window(sent_s) >= 0.6 * CAP  # 99 % where nothing else runs
    exchanges = sum(team.told(k)["shared_cap"]["exchanges"] for k in range(3))
    assert 0 < exchanges < 600 / 2, "60 where nothing else runs; what waits for a core lets leases lapse"
    for k, ids in enumerate(team.ids):
        assert check(tmp_path / f"{k}.jsonl", ids) == {}
        assert "hunter22" not in team.runs[k].said + (tmp_path / f"{k}.json").read_text()


def test_one_is_killed_and_one_stands_still(tmp_path: Path, sandbox: Any) -> None:
    """Neither doubles a slot nor is in anybody's way; the killed one goes on where it was."""
    team = Team(tmp_path, sandbox, str(tmp_path / "cap"))
    killed, stopped, third = (team.start(150) for _ in range(3))
    until(lambda: all(len(team.sent_s(k)) > 25 for k in range(3)))
    killed.kill()
    stopped.send(signal.SIGSTOP)
    before = len(team.sent_s(2))
    until(lambda: len(team.sent_s(2)) > before + 20 or not third.running)
    stopped.send(signal.SIGCONT)
    assert (stopped.wait(), third.wait()) == (0, 0), stopped.said + third.said
    code, said = finished(*team.words(0), env=team.env, cwd=tmp_path)
    assert code == 0, said
    assert worst_window(team.all_sent_s()) <= CAP
    for k, ids in enumerate(team.ids):
        check(tmp_path / f"{k}.jsonl", ids)


def test_redis_is_killed_and_comes_back(tmp_path: Path, sandbox: Any, redis: RedisServer) -> None:
    """The runs stop at the end of what they have leased, say so, and go on: never over the cap, no ID lost."""
    team = Team(tmp_path, sandbox, redis.url)
    for _ in range(2):
        team.start(5000)
    until(lambda: all(len(team.sent_s(k)) > 40 for k in range(2)))
    redis.kill()
    killed_s = time.monotonic()
    until(lambda: all("cannot be reached" in run.said for run in team.runs))
    time.sleep(max(0.0, killed_s + 1.5 - time.monotonic()))
    quiet = len(team.all_sent_s())
    time.sleep(0.3)
    assert len(team.all_sent_s()) == quiet
    redis.start()
    until(lambda: all("is back" in run.said for run in team.runs) and len(team.all_sent_s()) > quiet + 50)
    for run in team.runs:
        run.send(signal.SIGINT)
    assert [run.wait() for run in team.runs] == [130, 130], [run.said for run in team.runs]
    assert not any("hunter22" in run.said for run in team.runs)
    assert worst_window(team.all_sent_s()) <= CAP
    for k, ids in enumerate(team.ids):
        assert check(tmp_path / f"{k}.jsonl", ids, left=len(ids) - len(team.sent_s(k))) == {}


@pytest.mark.skipif(not FAKETIME.exists(), reason="libfaketime is not installed")
def test_hosts_whose_clocks_differ(tmp_path: Path, sandbox: Any, redis: RedisServer) -> None:
    """An hour ahead and a day behind, by every clock that the process can read: Redis's time is what counts."""
    team = Team(tmp_path, sandbox, redis.url)
    skews_s, runs = (3600, -86_400), []
    for k, skew_s in enumerate(skews_s):
        write_ids(tmp_path / f"{k}.txt", 150, 610_000_000_000 + k * 1_000_000)
        faked = team.env | {"LD_PRELOAD": str(FAKETIME), "FAKETIME": f"{skew_s:+d}s", "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "tests.holds.sent_times", f"{k}.sent", "run", *map(str, team.words(k))]
        runs.append(subprocess.Popen(command, env=faked, cwd=tmp_path, stderr=subprocess.PIPE, text=True))
    said = [run.communicate(timeout=40)[1] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], said
    started_s = [sent_times(tmp_path / f"{k}.sent") for k in range(2)]
    true_s = sorted(time_s - skew_s for times, skew_s in zip(started_s, skews_s, strict=True) for time_s in times)
    assert abs(true_s[0] - time.time()) < 60  # faked, and by so much (the library turns both clocks into the wall's)
    assert worst_window(true_s) <= CAP
    assert len(true_s) == 300


def test_a_limit_of_calls_for_all(tmp_path: Path, sandbox: Any) -> None:
    """--share-limits: two runs and a third later make as many calls together as one may, and say that it is used up."""
    team = Team(tmp_path, sandbox, str(tmp_path / "cap"))
    limits = ("--max-calls", 120, "--share-limits")
    for _ in range(2):
        team.start(100, *limits)
    codes = sorted(run.wait() for run in team.runs)
    assert codes[1] == 4, [run.said for run in team.runs]
    assert 100 <= sandbox.stats()["calls"] <= 120
    third = team.start(50, *limits)
    assert third.wait() == 4
    assert "120 calls that all runs" in third.said
    assert sandbox.stats()["calls"] <= 120


def test_worker_processes_of_one_run_share_it_too(tmp_path: Path, sandbox: Any) -> None:
    """`--processes 2` beside another run: one cap over all three."""
    team = Team(tmp_path, sandbox, str(tmp_path / "cap"))
    team.start(150, "--processes", 2)
    team.start(150)
    assert [run.wait() for run in team.runs] == [0, 0], [run.said for run in team.runs]
    told = team.told(0)
    assert told["windows"]["worst_1s"] <= CAP
    assert told["shared_cap"]["exchanges"] > 0
    check(tmp_path / "0.jsonl", team.ids[0])


POOL = """
[[keys]]
name = "one"
app_key = "{key}"
app_secret = "{secret}"
[[keys]]
name = "two"
app_key = "7770002"
app_secret = "another-secret-of-the-second"
"""


def test_a_pool_of_keys_and_a_run_with_one_of_them_meet(tmp_path: Path) -> None:
    """At one file, each key for itself: no second of either key's calls passes its cap, and both are used."""
    second = AppSettings(app_key="7770002", app_secret="another-secret-of-the-second")
    with spawn(SandboxSettings(absent=0.0, latency_ms=5, qps=60, apps=(second,))) as sandbox:
        env = environment(sandbox, FETCHER_SHARE_CAP=str(tmp_path / "cap"), FETCHER_QPS="60", FETCHER_HEADROOM="5")
        (tmp_path / "pool").mkdir()
        toml = tmp_path / "pool" / "fetcher.toml"
        toml.write_text(POOL.format(key=sandbox.app_key, secret=sandbox.app_secret.reveal()))
        toml.chmod(0o600)
        pool_ids = write_ids(tmp_path / "pool" / "ids.txt", 150)
        ids = write_ids(tmp_path / "ids.txt", 60, 620_000_000_000)
        words = ("ids.txt", "-o", "o.jsonl", "--no-progress", "--summary", "s.json")
        without = {name: text for name, text in env.items() if not name.startswith("FETCHER_APP_")}
        runs = [Forked(*words, env=without, cwd=tmp_path / "pool"), Forked(*words, env=env, cwd=tmp_path)]
        assert [run.wait() for run in runs] == [0, 0], [run.said for run in runs]
        seen = sandbox.stats()
    assert (tmp_path / "cap").stat().st_size == 2 * SIZE
    assert seen["throttled"] == 0, "the gateway refuses what is over a key's cap"
    assert all(50 < key["calls"] < 160 for key in seen["keys"].values()), seen["keys"]
    check(tmp_path / "pool" / "o.jsonl", pool_ids)
    check(tmp_path / "o.jsonl", ids)


@pytest.mark.parametrize("processes", [1, 2])
def test_a_place_that_cannot_be_used_is_said_at_once(tmp_path: Path, sandbox: Any, processes: int) -> None:
    """Exit 2 with a sentence, and nothing is sent."""
    write_ids(tmp_path / "ids.txt", 3)
    places = {
        str(tmp_path): "directory",
        str(tmp_path / "no" / "cap"): "mkdir",
        str(tmp_path / "ids.txt"): "not a file",
    }
    if shutil.which("redis-server"):
        places["redis://:hunter22@127.0.0.1:1"] = "cannot be reached"
    for where, words in places.items():
        env = environment(sandbox, FETCHER_SHARE_CAP=where)
        code, said = finished("ids.txt", "-o", "o.jsonl", "--processes", processes, env=env, cwd=tmp_path)
        assert (code, words in said, "hunter22" in said) == (2, True, False), said
    assert sandbox.stats()["calls"] == 0
    assert lines(tmp_path / "o.jsonl") == []
    assert os.stat(tmp_path / "ids.txt").st_size == 39


def test_a_check_asks_for_its_turn_too(tmp_path: Path, sandbox: Any) -> None:
    """The one call of `fetcher check` is under the shared cap like any other."""
    env = environment(sandbox, FETCHER_SHARE_CAP=str(tmp_path / "cap"))
    command = [sys.executable, "-m", "fetcher", "check"]
    found = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=40)
    assert sandbox.stats()["calls"] > 0, found.stdout + found.stderr
    assert (tmp_path / "cap").stat().st_size > 0
