"""Ten million IDs of which nine are done: how much memory, how long until the first call?

    python -m benchmarks.scale                   # ten million, about three minutes and 6 GB of disk
    python -m benchmarks.scale --millions 1

OUT is made beforehand: lines of 200 bytes in fetcher's own form; then the run reads it, reads the input, fetches a
thousand more from the project's sandbox and stops. Memory is what the kernel says of the process at its highest.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.plot import bars
from benchmarks.reports import Report, arguments, installed
from fetcher.idset import IdSet
from fetcher.output import Disk
from fetcher.output.journal import Journal
from fetcher.output.resume import Scan
from fetcher.sandbox import SandboxHandle, SandboxSettings, spawn

FIRST = 610_000_000_000
STEP = 7
MORE = 1000
SHORT = 200


def line(number: int, size: int) -> bytes:
    """One as fetcher writes it."""
    head = b'{"id":"%d","fetched_at":"2026-11-23T18:00:00.123Z","attempts":1,"latency_ms":42.1,"data":{"x":"' % number
    return head + b"y" * (size - len(head) - 5) + b'"}}\n'


def write(path: Path, count: int, size: int) -> None:
    """So many lines."""
    with path.open("wb") as file:
        for start in range(0, count, 10_000):
            numbers = range(start, min(count, start + 10_000))
            file.write(b"".join([line(FIRST + STEP * k, size) for k in numbers]))


def median(rounds: list[tuple[float, float]], which: int) -> float:
    """Of one of the figures."""
    return statistics.median(one[which] for one in rounds)


def scanned(path: Path) -> tuple[float, float]:
    """Taking it in alone: (seconds, MB a second)."""
    started_s, done = time.monotonic(), IdSet()
    Scan(Journal(str(path), Disk())).into(done)
    seconds = time.monotonic() - started_s
    return seconds, path.stat().st_size / seconds / 1e6


def run(gateway: SandboxHandle, ids: Path, out: Path, more: int) -> tuple[float, float]:
    """Seconds until the first call has come, highest memory in MB."""
    gateway.reset()
    env = os.environ | {"FETCHER_APP_SECRET": gateway.app_secret.reveal()}
    words = ["run", str(ids), "-o", str(out), "-q", "--qps", "2000", "--limit", str(more)]
    words += ["--gateway", gateway.url, "--app-key", gateway.app_key]
    started_s = time.monotonic()
    process = subprocess.Popen([sys.executable, "-m", "fetcher", *words], env=env)
    first_s = 0.0
    while process.poll() is None:
        if not first_s and gateway.stats()["calls"]:
            first_s = time.monotonic() - started_s
        time.sleep(0.02)
    return first_s, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def main() -> int:
    """Small first, since the highest memory of all children is what can be asked for."""
    parser = arguments(__doc__)
    parser.add_argument("--millions", type=float, default=10)
    options = parser.parse_args()
    total = int(options.millions * 1e6)
    done = total * 9 // 10
    title = "Scale: ten million IDs, memory, and what resuming takes"
    report = Report("scale", title, installed("fetcher"), keep=not options.trial)
    report.head("what", "figure", "wanted")
    speeds: list[tuple[str, float]] = []
    with spawn(SandboxSettings(absent=0.0)) as gateway, tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "few.txt").write_text("".join(f"{FIRST + k}\n" for k in range(100)))
        firsts = [run(gateway, folder / "few.txt", folder / f"few{turn}.jsonl", 100) for turn in range(5)]
        report.row("100 IDs: until the first call has come (median of 5)", f"{median(firsts, 0):.2f} s", "≤ 0.5 s")
        report.row("100 IDs: memory", f"{median(firsts, 1):.0f} MB", "")
        with (folder / "ids.txt").open("w") as file:
            file.writelines(f"{FIRST + STEP * k}\n" for k in range(total))
        write(folder / "out.jsonl", done, SHORT)
        first_s, memory = run(gateway, folder / "ids.txt", folder / "out.jsonl", MORE)
        report.row(f"{total:,} IDs, {done:,} done: until the first call", f"{first_s:.1f} s", "")
        report.row(f"{total:,} IDs, {done:,} done: memory", f"{memory:.0f} MB", "≤ 150 MB")
        (folder / "out.jsonl").unlink()
        for size, count in ((SHORT, total), (5_000, total // 50), (30_000, total // 250), (1_000_000, total // 10_000)):
            write(folder / "scan.jsonl", count, size)
            seconds, speed = scanned(folder / "scan.jsonl")
            wanted = "≤ 10 s" if size == SHORT and total == 10_000_000 else ""
            report.row(f"{count:,} lines of {size:,} bytes taken in", f"{seconds:.1f} s, {speed:,.0f} MB/s", wanted)
            speeds.append((f"lines of {size:,} bytes", speed))
    report.note(
        "Lines are in the page cache, one core; each line is looked at whole where it ends and where it begins."
    )
    report.picture(bars("Resuming: MB of OUT taken in a second", speeds, "MB/s"))
    report.save()
    return 0 if memory <= 150 else 1


if __name__ == "__main__":
    sys.exit(main())
