"""Freshness and change in whole runs: what is passed over, what is marked, what a resumed run makes of it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.holds.runs import SandboxSettings, command, environment, lines, run, spawn, write_ids

pytestmark = pytest.mark.slow


def test_a_week_of_two_runs(tmp_path: Path) -> None:
    """Passed over by age, compared, only the changed stored; stopped and resumed; proven by verify; few calls."""
    with spawn(SandboxSettings(latency_ms=2, jitter_ms=0, absent=0.0)) as sandbox:
        env = environment(sandbox)
        ids = write_ids(tmp_path / "ids.txt", 120)
        first = run("ids.txt", "-o", "old.jsonl", "--qps", 2000, "--limit", 90, "-q", env=env, cwd=tmp_path)
        assert first.returncode == 0, first.stderr
        old = (tmp_path / "old.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
        aged = [line.replace('"fetched_at":"2', '"fetched_at":"1') for line in old[:60]]
        changed = [line.replace('"data":{', '"data":{"gone":1,') for line in aged[:20]]
        (tmp_path / "old.jsonl").write_text("".join([*changed, *aged[20:], *old[60:]]), encoding="utf-8")
        words = ("ids.txt", "-o", "new.jsonl", "--qps", 2000, "--known", "old.jsonl", "--skip-fresh", "7d")
        words += ("--diff", "old.jsonl", "--only-changed", "--summary", "-")
        plan = run(*words, "--dry-run", env=env, cwd=tmp_path)
        counts = json.loads(plan.stdout)["counts"]
        assert (counts["fresh"], counts["new"]) == (30, 90)
        stopped = run(*words, "--max-calls", 40, env=env, cwd=tmp_path)
        assert stopped.returncode == 4, stopped.stderr
        ended = run(*words, "-v", env=env, cwd=tmp_path)
        assert ended.returncode == 0, ended.stderr
        assert sandbox.stats()["calls"] == 90 + 90
    parts = [json.loads(each.stdout) for each in (stopped, ended)]
    changes = [sum(part["changes"][what] for part in parts) for what in ("new", "changed", "same")]
    assert changes == [30, 20, 40]
    assert parts[1]["ids"]["skipped_fresh"] == 30 and "30 passed over" in ended.stderr
    stand = [line["id"] for name in ("new.jsonl", "new.unchanged.jsonl") for line in lines(tmp_path / name)]
    assert sorted(stand) == sorted([json.loads(line)["id"] for line in aged] + ids[90:])
    assert {line["change"] for line in lines(tmp_path / "new.jsonl")} == {"new", "changed"}
    verify = [*command()[:-1], "verify", "new.jsonl", "--ids", "ids.txt"]
    assert _code(verify, tmp_path) == 1
    assert _code([*verify, "--known", "old.jsonl", "--skip-fresh", "7d"], tmp_path) == 0


def _code(words: list[str], folder: Path) -> int:
    return subprocess.run(words, cwd=folder, capture_output=True, timeout=30).returncode
