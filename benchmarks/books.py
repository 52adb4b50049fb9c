"""What the books cost: the same job with them and without, taking turns.

    python -m benchmarks.books              # about three minutes

With: calls are noted before they leave, and every second what was written is made durable, as for a paid API. Without:
neither. The gateway is the project's own, on the same machine, and no cap is in the way.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.plot import bars
from benchmarks.reports import Report, installed
from fetcher.sandbox import SandboxHandle, SandboxSettings, spawn

WAYS = {
    "without": {"FETCHER_ATTEMPT_JOURNAL": "off", "FETCHER_SYNC_INTERVAL": "86400"},
    "with": {"FETCHER_ATTEMPT_JOURNAL": "on", "FETCHER_SYNC_INTERVAL": "1"},
}


def measured(gateway: SandboxHandle, folder: Path, name: str, way: str) -> tuple[float, float]:
    """One job: (products a second, CPU µs each)."""
    for old in folder.glob("*out*"):
        old.unlink()
    ids = folder / "ids.txt"
    env = os.environ | {"FETCHER_APP_SECRET": gateway.app_secret.reveal()} | WAYS[way]
    words = [sys.executable, "-m", "fetcher", "run", str(ids), "-o", str(folder / name), "-q", "--qps", "100000"]
    words += ["--concurrency", "50", "--gateway", gateway.url, "--app-key", gateway.app_key]
    before, started_s = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(words, env=env, check=True)
    seconds, after = time.monotonic() - started_s, resource.getrusage(resource.RUSAGE_CHILDREN)
    count = sum(1 for _ in ids.open())
    return count / seconds, (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / count * 1e6


def main() -> None:
    """Medians of the rounds, and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ids", type=int, default=30_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--out", default="out.jsonl", help="its ending says how it is compressed")
    options = parser.parse_args()
    found: dict[str, list[tuple[float, float]]] = {way: [] for way in WAYS}
    with spawn(SandboxSettings(absent=0.0)) as gateway, tempfile.TemporaryDirectory(dir=Path.cwd()) as place:
        folder = Path(place)
        (folder / "ids.txt").write_text("".join(f"{610_000_000_000 + k}\n" for k in range(options.ids)))
        for turn in range(options.rounds):
            for way in sorted(WAYS, reverse=turn % 2 == 0):
                found[way].append(measured(gateway, folder, options.out, way))
    report = Report("books", f"What the books cost: {options.ids:,} IDs, {options.out}", installed("fetcher"))
    report.head("books", "products/s", "CPU µs each")
    medians = {
        way: [statistics.median(values) for values in zip(*rounds, strict=True)] for way, rounds in found.items()
    }
    for way, (rate, cpu) in medians.items():
        report.row(way, f"{rate:,.0f}", f"{cpu:.0f}")
    report.note(f"products/s with ÷ without: {medians['with'][0] / medians['without'][0]:.3f}")
    report.note(f"CPU with ÷ without: {medians['with'][1] / medians['without'][1]:.3f}")
    report.picture(bars("CPU for a product, µs", [(way, cpu) for way, (_, cpu) in medians.items()], "µs"))
    report.save()


if __name__ == "__main__":
    main()
