"""IDs file → sign → fetch → check → JSONL, with no cap in the way: products a second and CPU, side by side.

    pip install -r benchmarks/requirements.txt     # and from Debian: nginx, wrk
    python -m benchmarks.pipeline                  # bodies of 1, 5 and 20 KB, about six minutes
    python -m benchmarks.pipeline --bodies 5 --rounds 1
    python -m benchmarks.pipeline --bodies 5 --only fetcher pyreqwest-best

One nginx on one core answers with a product of the asked size, each client has the other core (process start included),
and wrk says what the server gives at most. The clients take turns; medians of the rounds. A round whose file does not
hold every ID exactly once has no speed.
"""

from __future__ import annotations

import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from benchmarks.clients import CLIENTS, PACKAGES, PATH, SECRET
from benchmarks.plot import bars
from benchmarks.reports import Report, arguments, installed
from benchmarks.servers import Far, nginx, on_core

COUNTS: Final = {
    "fetcher": 80_000,
    "pyreqwest-best": 80_000,
    "requests": 2_000,
    "requests+threads": 2_000,
    "httpx+aiolimiter": 400,
    "aiohttp+uvloop": 10_000,
    "pyreqwest": 20_000,
    "scrapy": 800,
}
"""IDs a round, so that each lasts some seconds; the two fastest have the same."""
MOST_MB: Final = 600
"""Written in a round: with more the system begins to wait for the disk."""
LANE: Final = 60_000
BODIES_KB: Final = (1, 5, 20)
PRODUCT: Final = f"{PATH}?productId=610947572360"

Measured = tuple[float, float]
"""(products a second, CPU µs each)"""


def command_of(name: str, far: Far, ids: Path, out: Path, in_flight: int, *more: str) -> list[str]:
    """How a client is started."""
    url, ca_file, _ = far
    if name != "fetcher":
        return [sys.executable, "-m", "benchmarks.clients", name, url, str(ids), str(out), str(in_flight)]
    words = [sys.executable, "-m", "fetcher", "run", str(ids), "-o", str(out), "-q", "--qps", "100000"]
    words += ["--concurrency", str(in_flight), "--gateway", f"{url}/openapi", "--app-key", "1000000"]
    return [*words, "--protocol", "guide", *(["--ca-file", ca_file] if ca_file else []), *more]


def children_cpu_s() -> float:
    """Of all that were started from here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measured(
    name: str,
    far: Far,
    folder: Path,
    in_flight: int,
    *more: str,
    count: int = 0,
    pinned: bool = True,
    runs: int = 1,
) -> Measured | None:
    """One round, or None where the file does not hold every ID once.

    Args:
        more: further words of fetcher's command.
        runs: so many commands side by side share the IDs and the calls in flight, each with a file of its own.
    """
    wanted = [str(610_000_000_000 + k) for k in range(count or COUNTS[name])]
    for old in folder.glob("*out*"):
        old.unlink()
    outs, commands = [folder / f"out{run}.jsonl" for run in range(runs)], []
    for run, out in enumerate(outs):
        ids = folder / f"ids{run}.txt"
        ids.write_text("\n".join(wanted[run::runs]) + "\n")
        commands.append([*(on_core(0) if pinned else []), *command_of(name, far, ids, out, in_flight // runs, *more)])
    env = os.environ | {"FETCHER_APP_SECRET": SECRET.decode()}
    cpu_s, started_s = children_cpu_s(), time.monotonic()
    processes = [subprocess.Popen(words, env=env) for words in commands]
    try:
        codes = [process.wait(timeout=120) for process in processes]
    finally:
        for process in processes:
            process.kill()  # one that has ended does not feel it
    if any(codes):
        raise RuntimeError(f"{name} ended with {codes}")
    seconds = time.monotonic() - started_s
    cpu_s = children_cpu_s() - cpu_s
    found = sorted(one for out in outs for one in ids_in(out))
    if found != wanted:
        print(f"{name}: {len(found)} lines for {len(wanted)} IDs, so this round has no speed")
        return None
    return len(wanted) / seconds, cpu_s / len(wanted) * 1e6


def ids_in(out: Path) -> Iterator[str]:
    """Of its lines, one after the other: a round leaves up to 600 MB of them."""
    with out.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)["id"]


def with_wrk(url: str, in_flight: int) -> Measured:
    """The same call again and again, nothing looked at."""
    words = ["wrk", "-t1", f"-c{in_flight}", "-d3s", f"{url}{PRODUCT}"]
    cpu_s = children_cpu_s()
    said = subprocess.run([*on_core(0), *words], capture_output=True, text=True, check=True, timeout=60).stdout
    cpu_s = children_cpu_s() - cpu_s
    rate, count = float(re.findall(r"Requests/sec: +([\d.]+)", said)[0]), int(re.findall(r"(\d+) requests in", said)[0])
    return rate, cpu_s / count * 1e6


def with_lane(far: Far, in_flight: int) -> Measured:
    """The fast lane alone, answers not looked at."""
    url, ca_file, _ = far
    words = [sys.executable, "-m", "benchmarks.lane", f"{url}{PRODUCT}", str(LANE), str(in_flight), ca_file]
    said = subprocess.run([*on_core(0), *filter(None, words)], capture_output=True, text=True, check=True, timeout=60)
    rate, cpu_us = map(float, said.stdout.split())
    return rate, cpu_us


def medians(rounds: Sequence[Measured]) -> Measured:
    """Of each figure for itself."""
    return statistics.median(rate for rate, _ in rounds), statistics.median(cpu for _, cpu in rounds)


def compare(body_kb: int, names: Sequence[str], in_flight: int, rounds: int) -> dict[str, Measured]:
    """All of them, taking turns, against one server."""
    found: dict[str, list[Measured]] = {}
    with nginx(body_kb) as far, tempfile.TemporaryDirectory() as place:
        for _ in range(rounds):
            found.setdefault("wrk", []).append(with_wrk(far[0], in_flight))
            found.setdefault("fetcher's lane alone", []).append(with_lane(far, in_flight))
            for name in names:
                count = min(COUNTS[name], MOST_MB * 1000 // body_kb)
                if (one := measured(name, far, Path(place), in_flight, count=count)) is not None:
                    found.setdefault(name, []).append(one)
    return {name: medians(each) for name, each in found.items()}


def main() -> None:
    """A table and a picture for each size of body."""
    parser = arguments(__doc__)
    parser.add_argument("--bodies", type=int, nargs="+", default=BODIES_KB, help="KB of an answer")
    parser.add_argument("--in-flight", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", default=["fetcher", *CLIENTS], choices=["fetcher", *CLIENTS])
    options = parser.parse_args()
    names = [name for name in options.only if name == "fetcher" or installed(PACKAGES[name])]
    versions = installed("fetcher", *dict.fromkeys(PACKAGES[name] for name in names if name in PACKAGES))
    for body_kb in options.bodies:
        title = f"Products a second: bodies of {body_kb} KB, {options.in_flight} in flight, one core for the client"
        report = Report(f"pipeline-{body_kb}kb", title, versions, keep=not options.trial)
        report.note(f"Medians of {options.rounds} rounds, clients taking turns; nginx has the other core.\n")
        rows = compare(body_kb, names, options.in_flight, options.rounds)
        ours, limit = rows.get("fetcher", (0.0, 0.0))[0], rows["wrk"][0]
        report.head("client", "products/s", "CPU µs each", "÷ wrk", "fetcher ÷ it")
        for name, (rate, cpu) in sorted(rows.items(), key=lambda row: -row[1][0]):
            report.row(name, f"{rate:,.0f}", f"{cpu:,.0f}", f"{rate / limit:.4f}", f"{ours / rate:.2f}")
        ordered = sorted(((name, rate) for name, (rate, _) in rows.items()), key=lambda row: -row[1])
        report.picture(
            bars(f"Products a second, {body_kb} KB, one core (log scale)", ordered, "/s", mark="f", log=True)
        )
        report.save()


if __name__ == "__main__":
    main()
