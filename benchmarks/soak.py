"""Half an hour at 2 000 calls a second: does memory stay where it is?

    python -m benchmarks.soak                          # 30 minutes
    python -m benchmarks.soak --minutes 2 --qps 500

Samples the process's resident memory every five seconds and draws the line. Every ID is a new one, so the set of IDs
seen must grow (11 to 17 bytes an ID); the slope is told with what that makes.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.plot import line
from fetcher.sandbox import SandboxSettings, spawn

RESULTS = Path(__file__).parent / "results"
EVERY_S = 5.0
WARM_S = 120.0


def rss_mb(pid: int) -> float:
    """Resident memory now."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def slope_mb_per_h(points: list[tuple[float, float]]) -> float:
    """By least squares; (minutes, MB)."""
    mean_x, mean_y = statistics.fmean(x for x, _ in points), statistics.fmean(y for _, y in points)
    over = sum((x - mean_x) * (y - mean_y) for x, y in points)
    return over / sum((x - mean_x) ** 2 for x, _ in points) * 60


def main() -> None:
    """Run, sample, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--qps", type=int, default=2000)
    options = parser.parse_args()
    wanted = int(options.minutes * 60 * options.qps)
    points: list[tuple[float, float]] = []
    with spawn(SandboxSettings(latency_ms=20, jitter_ms=5)) as gateway, tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        with (folder / "ids.txt").open("w") as file:
            file.writelines(f"{610_000_000_000 + k}\n" for k in range(wanted))
        env = os.environ | {"FETCHER_APP_SECRET": gateway.app_secret.reveal()}
        words = [
            "run",
            str(folder / "ids.txt"),
            "-o",
            str(folder / "out.jsonl.zst"),
            "--summary",
            str(folder / "s.json"),
        ]
        words += ["--qps", str(options.qps), "--gateway", gateway.url, "--app-key", gateway.app_key, "-q"]
        started_s = time.monotonic()
        run = subprocess.Popen([sys.executable, "-m", "fetcher", *words], env=env)
        while run.poll() is None:
            points.append(((time.monotonic() - started_s) / 60, rss_mb(run.pid)))
            time.sleep(EVERY_S)
        summary = json.loads((folder / "s.json").read_text())
    late = [point for point in points if point[0] * 60 >= min(WARM_S, points[-1][0] * 30) and point[1] > 0]
    slope = slope_mb_per_h(late)
    of_ids = options.qps * 3600 * 14 / 1e6
    print(f"{datetime.date.today()}, Python {platform.python_version()}, {os.cpu_count()} cores")
    print(
        f"exit code {run.returncode}, {summary['calls']['sent']} calls, worst second {summary['windows']['worst_1s']}"
    )
    print(f"mean {summary['windows']['mean_per_s']:.0f}/s = {summary['windows']['used']:.1%} of the cap")
    most = max(y for _, y in points)
    print(f"memory: {late[0][1]:.0f} MB after the start, {late[-1][1]:.0f} MB at the end, at most {most:.0f}")
    print(f"slope {slope:.1f} MB an hour, of which the set of IDs takes about {of_ids:.0f}")
    RESULTS.mkdir(exist_ok=True)
    title = f"Resident memory at {options.qps} calls a second ({summary['calls']['sent']:,} calls)"
    (RESULTS / "soak.svg").write_text(line(title, points, "minutes", "MB"))


if __name__ == "__main__":
    main()
