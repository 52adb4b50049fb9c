"""Half an hour at 2 000 calls a second: does memory stay where it is?

    python -m benchmarks.soak                          # 30 minutes
    python -m benchmarks.soak --minutes 2 --qps 500 --trial

Samples the process's resident memory every five seconds and draws the line. Every ID is a new one, and all that were
named are remembered, so that none is called twice: 11 to 17 bytes an ID, by a table that grows in steps. The second
line is without that table; it has to be flat.
"""

from __future__ import annotations

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
from benchmarks.plot import Points, lines
from benchmarks.reports import Report, arguments, installed
from fetcher.idset import IdSet

EVERY_S: Final = 5.0
WARM_S: Final = 120.0
LATENCY_S: Final = 0.02


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


def without_set(points: Points, qps: float) -> list[tuple[float, float]]:
    """The same, less the table of the set of IDs, as large as a set is that has been told as many."""
    ids, named, rest = IdSet(), 0, []
    for minutes, megabytes in points:
        upto = int(minutes * 60 * qps)
        for number in range(named, upto):
            ids.claim(str(610_000_000_000 + number))
        named = max(named, upto)
        rest.append((minutes, megabytes - ids.bytes / 1e6))
    return rest


def told(report: Report, points: Points, summary: dict[str, Any], qps: int, cpu_us: float) -> None:
    """The table and the picture."""
    windows, sent = summary["windows"], summary["calls"]["sent"]
    rest = without_set(points, windows["mean_per_s"])
    warm = min(WARM_S / 60, points[-1][0] / 2)
    late, late_rest = ([point for point in line if point[0] >= warm] for line in (points, rest))
    report.head("what", "figure")
    report.row("calls", f"{sent:,}")
    report.row("mean while busy", f"{windows['mean_per_s']:,.0f}/s, {windows['mean_per_s'] / qps:.2%} of the cap")
    report.row("fullest second", windows["worst_1s"])
    report.row("CPU a call", f"{cpu_us:.0f} µs")
    report.row("memory two minutes after the start", f"{late[0][1]:.0f} MB")
    report.row("memory at the end; at the most", f"{late[-1][1]:.0f} MB; {max(y for _, y in points):.0f} MB")
    report.row("without the set of IDs: then, at the end", f"{late_rest[0][1]:.1f} MB, {late_rest[-1][1]:.1f} MB")
    report.row("slope without it", f"{slope_mb_per_h(late_rest):+.1f} MB an hour")
    title = f"Resident memory at {qps:,} calls a second ({sent:,} calls, each of a new ID)"
    report.picture(lines(title, {"all": points, "without the set of IDs": rest}, "minutes", "MB"))
    report.save()


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
    parser = arguments(__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--qps", type=int, default=2000)
    parser.add_argument("--note", default="", help="said with the figures, as: others worked on this machine meanwhile")
    options = parser.parse_args()
    title = f"A soak: {options.minutes:g} minutes at a cap of {options.qps:,} a second"
    report = Report("soak", title, installed("fetcher", "uvloop"), keep=not options.trial)
    with slow_server(LATENCY_S, core=1 % (os.cpu_count() or 1)) as server, tempfile.TemporaryDirectory() as place:
        wanted = int(options.minutes * 60 * options.qps)
        points, summary, cpu_us = run(Path(place), server.url, options.qps, wanted)
    if options.note:
        report.say(f"{options.note}\n")
    told(report, points, summary, options.qps, cpu_us)


if __name__ == "__main__":
    main()
