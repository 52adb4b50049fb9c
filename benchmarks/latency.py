"""A thousand calls in flight at 200 ms: of the 5 000 a second that are possible, how many come?

    python -m benchmarks.latency                 # about a minute

The project's sandbox answers after 200 ms, on the other core. Clients as in the pipeline; the time runs from the first
call's arrival to the last's.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.clients import SECRET
from benchmarks.pipeline import command_of, on_core, versions
from fetcher.sandbox import SandboxHandle, SandboxSettings, spawn
from fetcher.secret import Secret

COUNTS = {"fetcher": 40_000, "aiohttp+uvloop": 20_000, "pyreqwest": 20_000, "requests+threads": 4_000}


def measured(name: str, gateway: SandboxHandle, folder: Path, in_flight: int) -> float:
    """Products a second, from the first call's arrival to the last's."""
    for old in folder.glob("*out*"):
        old.unlink()
    ids, out = folder / "ids.txt", folder / "out.jsonl"
    wanted = [str(610_000_000_000 + k) for k in range(COUNTS[name])]
    ids.write_text("\n".join(wanted) + "\n")
    gateway.reset()
    far = (gateway.url.removesuffix("/openapi"), "")
    env = os.environ | {"FETCHER_APP_SECRET": SECRET.decode()}
    started_s = time.monotonic()
    subprocess.run([*on_core(0), *command_of(name, far, ids, out, in_flight)], env=env, check=True)
    seconds = time.monotonic() - started_s
    with out.open(encoding="utf-8") as file:
        if sorted(json.loads(line)["id"] for line in file) != wanted:
            raise SystemExit(f"{name}: the file is not right, so it has no speed")
    stats = gateway.stats()
    return float(stats["calls"] / min(seconds, stats["span_s"] + 0.2))


def main() -> None:
    """Take turns, print medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--in-flight", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    found: dict[str, list[float]] = {name: [] for name in COUNTS}
    settings = SandboxSettings(absent=0.0, latency_ms=200, app_secret=Secret(SECRET.decode()))
    with spawn(settings) as gateway, tempfile.TemporaryDirectory() as place:
        os.sched_setaffinity(gateway.pid, {1 % (os.cpu_count() or 1)})
        for _ in range(options.rounds):
            for name in COUNTS:
                found[name].append(measured(name, gateway, Path(place), options.in_flight))
    ideal = options.in_flight / 0.2
    print(versions(list(COUNTS)))
    print("| client | products/s | of the ideal |\n|---|---|---|")
    for name, rates in found.items():
        rate = statistics.median(rates)
        print(f"| {name} | {rate:,.0f} | {rate / ideal:.1%} |")


if __name__ == "__main__":
    main()
