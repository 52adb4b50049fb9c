"""A thousand calls in flight at 200 ms: of the 5 000 a second that are possible, how many come?

    python -m benchmarks.latency                 # about two minutes
    python -m benchmarks.latency --in-flight 200 1000 --rounds 3

A server that answers after 200 ms, on the other core; clients as in the pipeline. `steady` is the rate of arrivals from
a fifth of the calls on to nine tenths, `whole` from the first to the last, connecting included. What one core cannot
carry at all (the pipeline says how much that is) it cannot carry here: then the core is the limit, not the latency.
"""

from __future__ import annotations

import os
import statistics
import tempfile
from pathlib import Path
from typing import Final

from benchmarks.clients import PACKAGES
from benchmarks.far_end import SlowServer, slow_server
from benchmarks.pipeline import measured
from benchmarks.plot import bars
from benchmarks.reports import Report, arguments, installed
from benchmarks.servers import Far

LATENCY_S: Final = 0.2
CLIENTS: Final = ("fetcher", "pyreqwest-best", "pyreqwest", "aiohttp+uvloop", "requests+threads")
ROUND_S: Final = 8.0
SLOW: Final = {"requests+threads": 5}
"""Clients that are given so many times fewer IDs."""


def rates_of(name: str, server: SlowServer, folder: Path, in_flight: int) -> tuple[float, float, float] | None:
    """(steady and whole products a second, CPU µs each)."""
    count = int(in_flight / LATENCY_S * ROUND_S) // SLOW.get(name, 1)
    server.arrivals_s()
    one = measured(name, Far(server.url, "", 0), folder, in_flight, count=count)
    if one is None:
        return None
    times_s = server.arrivals_s()
    middle_s = times_s[len(times_s) // 5 : len(times_s) * 9 // 10]
    return per_s(middle_s), per_s(times_s), one[1]


def per_s(times_s: list[float]) -> float:
    """Events a second."""
    return (len(times_s) - 1) / (times_s[-1] - times_s[0])


def main() -> None:
    """Take turns, print medians."""
    parser = arguments(__doc__)
    parser.add_argument("--in-flight", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    names = [name for name in CLIENTS if name == "fetcher" or installed(PACKAGES[name])]
    versions = installed("fetcher", *dict.fromkeys(PACKAGES[name] for name in names if name in PACKAGES))
    title = "A latency of 200 ms: products a second, one core for the client"
    report = Report("latency", title, versions, keep=not options.trial)
    report.head("in flight", "client", "steady, products/s", "of the ideal", "whole", "CPU µs each")
    picture: list[tuple[str, float]] = []
    with slow_server(LATENCY_S, core=1 % (os.cpu_count() or 1)) as server, tempfile.TemporaryDirectory() as place:
        for in_flight in options.in_flight:
            found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in names}
            for _ in range(options.rounds):
                for name in names:
                    if (one := rates_of(name, server, Path(place), in_flight)) is not None:
                        found[name].append(one)
            for name, rounds in found.items():
                if not rounds:
                    continue
                rate, whole, cpu = (statistics.median(figures) for figures in zip(*rounds, strict=True))
                ideal = f"{rate * LATENCY_S / in_flight:.1%}"
                report.row(in_flight, name, f"{rate:,.0f}", ideal, f"{whole:,.0f}", f"{cpu:,.0f}")
                picture.append((f"{name}, {in_flight}", rate))
    report.picture(bars("Products a second at 200 ms, by number in flight", picture, "/s", mark="fetcher"))
    report.save()


if __name__ == "__main__":
    main()
