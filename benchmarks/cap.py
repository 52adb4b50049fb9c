"""The cap, exactly: how much of it is used, and the fullest second, at caps from 1 to 10 000 a second.

    python -m benchmarks.cap                     # about eight minutes
    python -m benchmarks.cap --caps 20 1000 --seconds 5
    python -m benchmarks.cap --only trouble      # kills, a stopped process, refusals, two processes

`fetcher` is the command, its far end an nginx on the other core: what its summary says of the times at which calls were
sent, while there was work (at 1/s for half a minute, longer than elsewhere); once with `--headroom auto` (2.5 % at the
start, less on a steady way) and once with 0.5. Its CPU is what a call costs beyond the start of the process, which is
told below the table.
The limiters are alone in an event loop, 200 tasks waiting as usually written. `fullest` is the fullest second over the
cap: above 1.000 the cap was passed.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from benchmarks.clients import SECRET
from benchmarks.limiters import OTHERS, PACER, Figures, tried
from benchmarks.pipeline import children_cpu_s
from benchmarks.plot import lines
from benchmarks.reports import Report, arguments, installed
from benchmarks.servers import nginx, on_core
from fetcher.sandbox import SandboxHandle, SandboxSettings, spawn

CAPS: Final = (1, 5, 20, 100, 500, 2000, 5000, 10000)
WAYS: Final = {"fetcher, --headroom auto": "auto", "fetcher, --headroom 0.5": "0.5"}
AT_LEAST: Final = 8
"""Calls of a run at a low cap."""
GAPS: Final = 30
"""Of a row at least: the first two or three are wider by 2.5 %, whatever comes after."""
TOLD_CALLS: Final = 100
"""With fewer the start's own CPU varies by more than all of its calls take."""


class Command:
    """`fetcher run` over so many IDs in a folder of its own."""

    def __init__(self, folder: Path, count: int, *words: str, secret: str = SECRET.decode()) -> None:
        self._folder = folder
        (folder / "ids.txt").write_text("".join(f"{610_000_000_000 + k}\n" for k in range(count)))
        files = [str(folder / "ids.txt"), "-o", str(folder / "out.jsonl"), "--summary", str(folder / "s.json"), "-q"]
        self._words = [*on_core(0), sys.executable, "-m", "fetcher", "run", *files, *words]
        self._env = os.environ | {"FETCHER_APP_SECRET": secret}

    def start(self) -> subprocess.Popen[bytes]:
        """Now."""
        return subprocess.Popen(self._words, env=self._env)

    def finish(self, process: subprocess.Popen[bytes]) -> dict[str, Any]:
        """Wait for its end: its summary."""
        if (code := process.wait(timeout=300)) != 0:
            raise SystemExit(f"fetcher ended with {code}")
        summary: dict[str, Any] = json.loads((self._folder / "s.json").read_text())
        return summary


def calls_of(cap: int, seconds: float) -> int:
    """How many calls a run has."""
    return int(cap * max(seconds, AT_LEAST / cap)) + 1


def with_fetcher(far: str, cap: int, seconds: float, headroom: str, *more: str) -> Figures:
    """The command at one cap; its CPU with that of its start."""
    count = calls_of(cap, seconds)
    words = ["--qps", str(cap), "--headroom", headroom, "--protocol", "guide"]
    words += ["--gateway", f"{far}/openapi", "--app-key", "1000000", *more]
    with tempfile.TemporaryDirectory() as place:
        command, cpu_s = Command(Path(place), count, *words), children_cpu_s()
        windows = command.finish(command.start())["windows"]
    cpu_us = (children_cpu_s() - cpu_s) / count * 1e6
    return Figures(windows["mean_per_s"] / cap, windows["worst_1s"] / cap, cpu_us)


def table(caps: list[int], seconds: float, *, keep: bool) -> None:
    """A row a cap and limiter."""
    names = [name for name in OTHERS if installed(name)]
    title = "The cap: how much of it is used, and its fullest second"
    report = Report("cap", title, installed("fetcher", *names), keep=keep)
    report.head("cap", "limiter", "mean ÷ cap", "fullest ÷ cap", "CPU µs")
    found: dict[str, list[tuple[float, float]]] = {}
    with nginx(1) as far:
        start_us = with_fetcher(far.url, 100, 0.0, "0.5").cpu_us * calls_of(100, 0.0)
        for cap in caps:
            length_s = max(seconds, GAPS / cap)
            rows = {name: with_fetcher(far.url, cap, length_s, headroom) for name, headroom in WAYS.items()}
            each_us = start_us / calls_of(cap, length_s)
            rows = {name: figures._replace(cpu_us=figures.cpu_us - each_us) for name, figures in rows.items()}
            rows |= {name: tried(name, cap, seconds / 2) for name in (PACER, *names)}
            for name, figures in rows.items():
                told = name not in WAYS or calls_of(cap, length_s) >= TOLD_CALLS
                cpu = f"{figures.cpu_us:,.0f}" if told else "–"
                report.row(cap, name, f"{figures.mean:.4f}", f"{figures.worst:.3f}", cpu)
                found.setdefault(name, []).append((cap, figures.worst if name in names else figures.mean))
        used = [with_fetcher(far.url, 1, length, "0.5").cpu_us * (length + 1) / 1e6 for length in (8.0, 28.0)]
    report.note(f"The start of a run takes {start_us / 1e6:.2f} s of CPU.")
    report.note(f"At one call a second a run takes {(used[1] - used[0]) / 20:.2%} of a core, beyond its start.")
    title = "fetcher: mean ÷ cap; the others: fullest second ÷ cap"
    report.picture(lines(title, found, "cap, calls a second", "÷ cap", log_x=True, most_y=2.0))
    report.save()


@contextmanager
def watched(**settings: Any) -> Iterator[tuple[SandboxHandle, list[str]]]:
    """The project's sandbox, which counts arrivals, and the words that lead to it."""
    with spawn(SandboxSettings(absent=0.0, **settings)) as gateway:
        yield gateway, ["--gateway", gateway.url, "--app-key", gateway.app_key]


def killed_often(cap: int, folder: Path) -> tuple[float, float]:
    """Killed after 0.6 s and started again at once, eight times: only the far end sees all of its lives."""
    with watched() as (gateway, words):
        command = Command(folder, cap * 6, "--qps", str(cap), *words, secret=gateway.app_secret.reveal())
        for _ in range(8):
            process = command.start()
            time.sleep(0.6)
            process.send_signal(signal.SIGKILL)
            process.wait()
        command.finish(command.start())
        return float("nan"), gateway.stats()["worst_window"] / cap


def stopped_often(cap: int, folder: Path) -> tuple[float, float]:
    """Every second the whole process stands still for 0.4 s: as an event loop that stalls."""
    with watched() as (gateway, words):
        command = Command(folder, cap * 5, "--qps", str(cap), *words, secret=gateway.app_secret.reveal())
        process = command.start()
        while process.poll() is None:
            time.sleep(0.6)
            process.send_signal(signal.SIGSTOP)
            time.sleep(0.4)
            process.send_signal(signal.SIGCONT)
        return command.finish(process)["windows"]["worst_1s"] / cap, gateway.stats()["worst_window"] / cap


def refused_often(cap: int, folder: Path) -> tuple[float, float]:
    """The gateway takes 60 % of the cap: refusals, pauses, changing rates."""
    return watched_run(cap, folder, cap * 5, [], qps=cap * 0.6)


def in_two_processes(cap: int, folder: Path) -> tuple[float, float]:
    """One run of two processes under one cap."""
    return watched_run(cap, folder, cap * 8, ["--processes", "2"])


def watched_run(cap: int, folder: Path, count: int, more: list[str], **settings: Any) -> tuple[float, float]:
    """One run from start to end: the fullest second of sent times and of arrivals, over the cap."""
    with watched(**settings) as (gateway, words):
        command = Command(folder, count, "--qps", str(cap), *words, *more, secret=gateway.app_secret.reveal())
        windows = command.finish(command.start())["windows"]
        return windows["worst_1s"] / cap, gateway.stats()["worst_window"] / cap


TROUBLE: Final = {
    "killed and started again, eight times": killed_often,
    "stands still for 0.4 s, every second": stopped_often,
    "the gateway takes 60 %: refusals and pauses": refused_often,
    "two processes": in_two_processes,
}


def trouble(caps: list[int], *, keep: bool) -> None:
    """A row a trouble and cap."""
    report = Report("cap-trouble", "The cap when things go wrong: the fullest second", installed("fetcher"), keep=keep)
    report.note(
        "By the times at which calls were sent, and by those at which they arrived (a busy machine's jitter).\n"
    )
    report.head("what happens", "cap", "sent ÷ cap", "arrived ÷ cap")
    for name, happens in TROUBLE.items():
        for cap in caps:
            with tempfile.TemporaryDirectory() as place:
                sent, arrived = happens(cap, Path(place))
            report.row(
                name, cap, "only the far end sees all lives" if sent != sent else f"{sent:.3f}", f"{arrived:.3f}"
            )
    report.save()


def main() -> None:
    """The table, the trouble, or both."""
    parser = arguments(__doc__)
    parser.add_argument("--caps", type=int, nargs="+", default=CAPS)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--only", choices=["table", "trouble"])
    options = parser.parse_args()
    if options.only != "trouble":
        table(options.caps, options.seconds, keep=not options.trial)
    if options.only != "table":
        trouble([20, 500], keep=not options.trial)


if __name__ == "__main__":
    main()
