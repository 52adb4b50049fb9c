"""`--processes 1`, 2 and 4: products a second, and what a product costs in CPU, all processes together.

    python -m benchmarks.processes               # about two minutes
    python -m benchmarks.processes --rounds 1

Where the server shares the client's cores (it does here, unless there are four and more), a second process finds
no idle core, and the rate cannot double. What can be seen is the price: CPU for a product should hardly rise with the
number of processes (each product crosses from one process to another, the one that writes). How much of the rise is
the machine's own, for caches and cores that several share, the same number of runs shows that have nothing to do with
each other: side by side, each with its part of the IDs and its own OUT. What starting costs is told apart, by a run of
few IDs. The server's own part of the cores is told beside it.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from functools import partial
from pathlib import Path

from benchmarks.pipeline import measured
from benchmarks.plot import bars
from benchmarks.reports import Report, arguments, installed
from benchmarks.servers import nginx

WAYS = (("1", 1), ("2", 1), ("2 runs side by side", 2), ("4", 1), ("4 runs side by side", 4))
"""What is told of it, and how many runs there are."""
COUNT, FEW = 100_000, 500


def cpu_of(pid: int) -> float:
    """Seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """The numbers take turns."""
    parser = arguments(__doc__)
    parser.add_argument("--body", type=int, default=5, help="KB of an answer")
    parser.add_argument("--in-flight", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    title = f"Processes: {COUNT:,} products of {options.body} KB, no core reserved for anyone"
    report = Report("processes", title, installed("fetcher"), keep=not options.trial)
    found: dict[str, list[tuple[float, float, float, float]]] = {way: [] for way, _ in WAYS}
    with nginx(options.body, pinned=False) as far, tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for _ in range(options.rounds):
            for way, runs in WAYS:
                words = ("--processes", way) if runs == 1 else ()
                one_of = partial(measured, "fetcher", far, folder, options.in_flight, *words, pinned=False, runs=runs)
                start = one_of(count=FEW)
                server_s, started_s = cpu_of(far.pid), time.monotonic()
                one = one_of(count=COUNT)
                if one is not None and start is not None:
                    share = (cpu_of(far.pid) - server_s) / (time.monotonic() - started_s)
                    each_us = (one[1] * COUNT - start[1] * FEW) / (COUNT - FEW)
                    found[way].append((one[0], each_us, start[1] * FEW / 1e6, share))
    report.head(
        "processes", "products/s", "÷ one", "CPU µs each", "÷ one", "to start, CPU s", "the server's part, cores"
    )
    rows = {
        way: [statistics.median(figures) for figures in zip(*rounds, strict=True)]
        for way, rounds in found.items()
        if rounds
    }
    (first_rate, first_cpu, *_), picture = rows["1"], []
    for way, (rate, cpu, start_s, share) in rows.items():
        ratios = [f"{rate / first_rate:.2f}", f"{cpu:.0f}", f"{cpu / first_cpu:.2f}"]
        report.row(way, f"{rate:,.0f}", *ratios, f"{start_s:.2f}", f"{share:.2f}")
        picture.append((way if "runs" in way else f"--processes {way}", cpu))
    report.picture(bars("CPU for a product, all processes together", picture, "µs"))
    report.save()


if __name__ == "__main__":
    main()
