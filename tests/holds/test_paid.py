"""Charged calls in whole runs: a kill, then what is in doubt is named, held back or fetched again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.holds.books import check, left_behind, records
from tests.holds.forked import Forked, finished, until
from tests.holds.runs import SandboxSettings, environment, spawn, write_ids

pytestmark = pytest.mark.slow


def test_held_and_then_let_go(tmp_path: Path) -> None:
    """Exactly the calls that the gateway counted and nobody stored are in doubt; `hold` pays none twice."""
    with spawn(SandboxSettings(latency_ms=100, absent=0.0)) as sandbox:
        ids, out = write_ids(tmp_path / "ids.txt", 400), tmp_path / "out.jsonl"
        words = ("ids.txt", "-o", "out.jsonl", "--qps", 300, "--price", 0.02, "--summary", "s.json")
        env: dict[str, Any] = {"env": environment(sandbox), "cwd": tmp_path}
        run = Forked(*words, **env)
        until(lambda: out.exists() and out.stat().st_size > 100_000)
        run.kill()
        calls, stored = sandbox.stats()["calls"], len(records(out, torn=True))
        code, said = finished(*words, "--on-doubt", "hold", **env)
        summary = json.loads((tmp_path / "s.json").read_text())
        doubts = summary["doubts"]["earlier"]
        assert calls - stored <= len(doubts) <= calls - stored + 3, "noted, and killed before they left"
        assert code == 1 and f"in doubt from an earlier run: {len(doubts)} calls" in said, said
        assert check(out, ids) == {"network": len(doubts)}
        assert sandbox.stats()["ids_repeated"] == 0
        assert summary["cost"] == {
            "price": 0.02,
            "total": round(0.02 * (400 - stored - len(doubts)), 6),
            "unanswered": 0,
            "stored_nothing": 0,
            "limit": None,
        }
        code, said = finished(*words, "--on-doubt", "hold", **env)  # held they stay
        assert code == 1 and sandbox.stats()["calls"] == calls + 400 - stored - len(doubts)
        code, said = finished(*words, **env)
        assert code == 0, said
        check(out, ids)
        assert records(tmp_path / "out.failed.jsonl") == []
        assert sandbox.stats()["ids_repeated"] <= len(doubts)
        assert left_behind(tmp_path) - {"out.jsonl.torn"} == {".out.jsonl.run"}


def test_limits_hold_over_kills(tmp_path: Path) -> None:
    """`--max-cost` is a limit of one run: exit 4 at the call before, resumable, with the plan told beforehand."""
    with spawn(SandboxSettings(latency_ms=10, absent=0.0)) as sandbox:
        ids, out = write_ids(tmp_path / "ids.txt", 100), tmp_path / "out.jsonl"
        words = ("ids.txt", "-o", "out.jsonl", "--qps", 500, "--price", 0.1, "--max-cost", 4)
        env: dict[str, Any] = {"env": environment(sandbox), "cwd": tmp_path}
        code, said = finished(*words, "--dry-run", **env)
        assert code == 0 and "cost: 4.00 at 0.10 a call" in said and "left over by the limit of 40 calls: 60" in said, (
            said
        )
        for left in (60, 20):
            code, said = finished(*words, **env)
            assert code == 4 and "--max-cost 4 is reached" in said and "cost: 4.00 at most" in said, said
            check(out, ids, left=left)
        code, said = finished(*words, **env)
        assert code == 0 and "cost: 2.00 at most" in said, said
        assert sandbox.stats()["calls"] == 100
