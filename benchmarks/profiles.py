"""Where the CPU of a product goes, room by room: the pipeline's command under py-spy.

    pip install py-spy
    python -m benchmarks.profiles                # about twenty seconds

A sample belongs to the innermost frame of fetcher's own that is on the stack: what httptools, msgspec or orjson do is
booked on the room that calls them, what uvloop does by itself (epoll, reading and writing sockets) on the event loop.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Final

from benchmarks.clients import SECRET
from benchmarks.pipeline import children_cpu_s, command_of
from benchmarks.plot import bars
from benchmarks.reports import Report, arguments, installed
from benchmarks.servers import nginx, on_core

COUNT: Final = 150_000
LOOP: Final = "the event loop itself"
RATE_HZ: Final = 500
SHOWN: Final = 16
WAITS: Final = "run/thread.py"


def place_of(stack: str) -> tuple[str, str]:
    """(room, function) of a stack as py-spy's raw format writes it, the innermost frame last."""
    for frame in reversed(stack.split(";")):
        name, _, file = frame.partition(" (")
        parts = Path(file.partition(":")[0]).parts
        if "fetcher" not in parts:
            continue
        inside = parts[len(parts) - parts[::-1].index("fetcher") :]
        if inside[-1] == "event_loop.py" or len(inside) < 1:
            return LOOP, LOOP
        return (inside[0] if len(inside) > 1 else inside[0].removesuffix(".py")), f"{'/'.join(inside)}: {name}"
    return LOOP, LOOP


def main() -> None:
    """Record, add up, print."""
    parser = arguments(__doc__)
    parser.add_argument("--body", type=int, default=5, help="KB of an answer")
    parser.add_argument("--in-flight", type=int, default=64)
    options = parser.parse_args()
    title = f"Where the CPU of a product goes: bodies of {options.body} KB, {options.in_flight} in flight"
    report = Report("profile", title, installed("fetcher", "uvloop", "py-spy"), keep=not options.trial)
    with nginx(options.body) as far, tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "ids.txt").write_text("".join(f"{610_000_000_000 + k}\n" for k in range(COUNT)))
        words = command_of("fetcher", far, folder / "ids.txt", folder / "out.jsonl", options.in_flight)
        spy = ["py-spy", "record", "--format", "raw", "-r", str(RATE_HZ), "-o", str(folder / "stacks"), "--"]
        env = os.environ | {
            "FETCHER_APP_SECRET": SECRET.decode(),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }
        subprocess.run([*spy, *on_core(0), *words], env=env, check=True, capture_output=True, timeout=300)
        stacks = (folder / "stacks").read_text().splitlines()
        (folder / "out.jsonl").unlink()
        cpu_s = children_cpu_s()
        subprocess.run([*on_core(0), *words, "--overwrite"], env=env, check=True, timeout=300)
        cpu_us = (children_cpu_s() - cpu_s) / COUNT * 1e6  # without the spy
    rooms, functions = Counter[str](), Counter[str]()
    for row in stacks:
        stack, _, counted = row.rpartition(" ")
        if WAITS in stack.rpartition(";")[2]:
            continue  # the thread of the files waits for its next piece of work
        room, function = place_of(stack)
        rooms[room] += int(counted)
        functions[function] += int(counted)
    whole = sum(rooms.values())
    report.note(f"A product costs {cpu_us:.0f} µs, start included; {whole:,} samples.\n")
    report.head("room", "part", "µs")
    for room, samples in rooms.most_common():
        if samples > whole / 200:
            report.row(room, f"{samples / whole:.1%}", f"{samples / whole * cpu_us:.1f}")
    report.note("The functions that were found most often, with what they call outside of fetcher:\n")
    report.head("function", "part", "µs")
    for function, samples in functions.most_common(SHOWN):
        report.row(function, f"{samples / whole:.1%}", f"{samples / whole * cpu_us:.1f}")
    figures = [(room, samples / whole * cpu_us) for room, samples in rooms.most_common(8)]
    report.picture(bars("CPU of a product by room, µs", figures, "µs"))
    report.save()


if __name__ == "__main__":
    main()
