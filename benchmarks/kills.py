"""A thousand `kill -9`: what is lost, what stands twice, and how many calls were paid twice.

    python -m benchmarks.kills              # about four minutes
    python -m benchmarks.kills --kills 100

The command is started, killed at a random moment, started again … and in the end left to finish. The gateway counts
the calls; the files are read by standard readers.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.plot import bars
from benchmarks.reports import Report, installed
from tests.holds.books import check, failed_of, records
from tests.holds.forked import Forked, finished
from tests.holds.runs import SandboxSettings, environment, spawn, write_ids

QPS = 1000
IN_FLIGHT = 16
NAMES = ("out.jsonl", "out.jsonl.gz", "out.jsonl.zst")


def killed_often(name: str, kills: int, dice: random.Random) -> dict[str, Any]:
    """One file, so many kills: its line of the table."""
    with tempfile.TemporaryDirectory() as place, spawn(SandboxSettings(latency_ms=8, jitter_ms=4)) as gateway:
        folder = Path(place)
        ids = write_ids(folder / "ids.txt", kills * 120)
        words = ("ids.txt", "-o", name, "--qps", QPS, "--concurrency", IN_FLIGHT, "--no-progress")
        env: dict[str, Any] = {"env": environment(gateway), "cwd": folder}
        killed = 0
        for _ in range(kills):
            run = Forked(*words, **env)
            time.sleep(dice.uniform(0.05, 0.25))
            killed += run.running
            run.kill()
        code, said = finished(*words, **env, wait_s=600)
        assert code in (0, 1), said
        check(folder / name, ids, left=None)  # raises where a line is torn, foreign, or another ID's product
        stored = [record["id"] for path in (folder / name, failed_of(folder / name)) for record in records(path)]
        calls = gateway.stats()["calls"]
        return {
            "kills": killed,
            "IDs": len(ids),
            "lost": len(set(ids) - set(stored)),
            "twice": len(stored) - len(set(stored)),
            "calls": calls,
            "repeated a kill": round((calls - len(ids)) / max(1, killed), 1),
            "allowed": IN_FLIGHT + 0.1 * QPS,
        }


def main() -> None:
    """The kills are shared out among the formats."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    report = Report("kills", f"{options.kills} kills: what is lost, and what is paid twice", installed("fetcher"))
    dice, repeated = random.Random(options.seed), list[tuple[str, float]]()
    for name in NAMES:
        row = {"file": name} | killed_often(name, options.kills // len(NAMES) + 1, dice)
        if not repeated:
            report.head(*row)
        report.row(*row.values())
        repeated.append((name, row["repeated a kill"]))
    report.picture(bars("Calls repeated a kill (allowed: 116)", repeated, ""))
    report.save()


if __name__ == "__main__":
    main()
