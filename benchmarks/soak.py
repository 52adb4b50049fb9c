"""Half an hour at 2 000 calls a second: does memory stay where it is?

    python -m benchmarks.soak                          # 30 minutes
    python -m benchmarks.soak --minutes 2 --qps 500 --trial

Samples the process's resident memory every five seconds and draws the line. Every ID is a new one, so the set of IDs
seen must grow (about 11 bytes an ID, in steps); the slope is told with what that makes.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from benchmarks.clients import SECRET
from benchmarks.far_end import slow_server
from benchmarks.pipeline import children_cpu_s
from benchmarks.plot import Points, line
from benchmarks.reports import Report, installed

EVERY_S: Final = 5.0
WARM_S: Final = 120.0
LATENCY_S: Final = 0.02
SET_BYTES: Final = 11
"""What the set of IDs takes for each."""


def rss_mb(pid: int) -> float:
    """Resident memory now; 0 when the process has just ended."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def slope_mb_per_h(points: Points) -> float:
    """By least squares; (minutes, MB)."""
    mean_x, mean_y = statistics.fmean(x for x, _ in points), statistics.fmean(y for _, y in points)
    over = sum((x - mean_x) * (y - mean_y) for x, y in points)
    return over / sum((x - mean_x) ** 2 for x, _ in points) * 60


def run(folder: Path, url: str, qps: int, wanted: int) -> tuple[list[tuple[float, float]], dict[str, Any], float]:
    """(minutes and MB, the summary, CPU µs a call)."""
    with (folder / "ids.txt").open("w") as file:
        file.writelines(f"{610_000_000_000 + k}\n" for k in range(wanted))
    words = ["run", "ids.txt", "-o", "out.jsonl.zst", "--summary", "s.json", "--qps", str(qps), "-q"]
    words += ["--gateway", f"{url}/openapi", "--app-key", "1000000", "--protocol", "guide"]
    env = os.environ | {"FETCHER_APP_SECRET": SECRET.decode()}
    points: list[tuple[float, float]] = []
    cpu_s, started_s = children_cpu_s(), time.monotonic()
    process = subprocess.Popen([sys.executable, "-m", "fetcher", *words], env=env, cwd=folder)
    while process.poll() is None:
        time.sleep(EVERY_S)
        if (now_mb := rss_mb(process.pid)) > 0:
            points.append(((time.monotonic() - started_s) / 60, now_mb))
    if process.returncode:
        raise SystemExit(f"fetcher ended with {process.returncode}")
    summary: dict[str, Any] = json.loads((folder / "s.json").read_text())
    return points, summary, (children_cpu_s() - cpu_s) / wanted * 1e6


def main() -> None:
    """Run, sample, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--qps", type=int, default=2000)
    parser.add_argument("--note", default="", help="said with the figures, as: others worked on this machine meanwhile")
    parser.add_argument("--trial", action="store_true", help="leave the files in results/ as they are")
    options = parser.parse_args()
    title = f"A soak: {options.minutes:g} minutes at a cap of {options.qps:,} a second"
    report = Report("soak", title, installed("fetcher", "uvloop"), keep=not options.trial)
    with slow_server(LATENCY_S, core=1 % (os.cpu_count() or 1)) as server, tempfile.TemporaryDirectory() as place:
        wanted = int(options.minutes * 60 * options.qps)
        points, summary, cpu_us = run(Path(place), server.url, options.qps, wanted)
    windows, sent = summary["windows"], summary["calls"]["sent"]
    late = [point for point in points if point[0] * 60 >= min(WARM_S, points[-1][0] * 30)]
    slope, of_ids = slope_mb_per_h(late), windows["mean_per_s"] * 3600 * SET_BYTES / 1e6
    report.head("what", "figure")
    report.row("calls", f"{sent:,}")
    report.row(
        "mean while busy", f"{windows['mean_per_s']:,.0f}/s, {windows['mean_per_s'] / options.qps:.2%} of the cap"
    )
    report.row("fullest second", windows["worst_1s"])
    report.row("CPU a call", f"{cpu_us:.0f} µs")
    report.row("memory two minutes after the start", f"{late[0][1]:.0f} MB")
    report.row("memory at the end; at the most", f"{late[-1][1]:.0f} MB; {max(y for _, y in points):.0f} MB")
    report.row("slope", f"{slope:.1f} MB an hour, of which the set of IDs takes about {of_ids:.0f}")
    if options.note:
        report.note(options.note)
    report.picture(line(f"Resident memory at {options.qps:,} calls a second ({sent:,} calls)", points, "minutes", "MB"))
    report.save()


if __name__ == "__main__":
    main()
