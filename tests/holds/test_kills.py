"""`kill -9` at random moments, again and again: nothing lost, nothing twice, hardly a call repeated."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

import pytest

from tests.holds.books import check, glance, left_behind
from tests.holds.forked import Forked, finished
from tests.holds.runs import SandboxSettings, environment, spawn, write_ids

pytestmark = pytest.mark.slow

KILLS = 10
QPS = 2000
IN_FLIGHT = 16
FAULTS = {"error_rate": 0.03, "reset_rate": 0.02, "malformed_rate": 0.01, "absent": 0.03}

CASES = {
    "plain": ("out.jsonl", {}, ()),
    "zstd, faults": ("out.jsonl.zst", FAULTS, ()),
    "plain, paid, faults": ("out.jsonl", FAULTS, ("--price", "0.01", "--paid-retries", "9")),
    "gzip, paid, held": ("out.jsonl.gz", {"absent": 0.0}, ("--price", "0.01", "--on-doubt", "hold")),
    "plain, faults": ("out.jsonl", FAULTS, ()),
    "gzip": ("out.jsonl.gz", {}, ()),
}
CONTAINED = ("plain, faults", "gzip")
"""Each of what they join, a kind of file, faults or none, paid or not, is in one of the others."""


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=pytest.mark.long if case in CONTAINED else ()) for case in CASES]
)
def test_killed_again_and_again(tmp_path: Path, case: str) -> None:
    """Every ID stands exactly once in the end; after every kill, too, nothing stands twice or torn in the midst."""
    name, faults, options = CASES[case]
    dice, out = random.Random(case), tmp_path / name
    ids = write_ids(tmp_path / "ids.txt", 1500)
    with spawn(SandboxSettings(latency_ms=4, jitter_ms=2, **{"absent": 0.0, **faults})) as sandbox:
        arguments = ("ids.txt", "-o", name, "--qps", QPS, "--concurrency", IN_FLIGHT, "--no-progress", *options)
        env: dict[str, Any] = {"env": environment(sandbox), "cwd": tmp_path}
        killed = 0
        for _ in range(KILLS):
            run = Forked(*arguments, **env)
            time.sleep(dice.uniform(0.03, 0.18))
            killed += run.running
            run.kill()
            glance(out)
        assert killed >= KILLS // 2, "the runs ended before they could be killed"
        code, said = finished(*arguments, **env)
        assert code in (0, 1), said
        kinds = check(out, ids)
        calls = sandbox.stats()["calls"]
    faulty = round(len(ids) * sum(rate for kind, rate in faults.items() if kind != "absent") * 1.3)
    assert calls <= len(ids) + faulty + killed * (IN_FLIGHT + 0.1 * QPS), "too many calls were made twice"
    if "hold" in options:  # a call in doubt is never made again: none is paid twice
        assert calls <= len(ids)
        assert set(kinds) <= {"network"}
    assert left_behind(tmp_path) <= {f".{name}.run", f"{name}.torn", f"{name}.bad"} | {
        f"{Path(name).name.replace('.jsonl', '.failed.jsonl')}.torn"
    }
