"""The cap, exactly: how much of it is used, and the fullest second, at caps from 1 to 10 000 a second.

    python -m benchmarks.cap                     # about six minutes
    python -m benchmarks.cap --caps 20 1000 --seconds 5

`fetcher` is the command against the project's sandbox on the same machine: what its summary says of the times at which
calls were sent. The limiters are alone in an event loop, 200 tasks waiting as usually written; looked at are the
times at which they let a task through. `worst` is the fullest second over the cap: above 1.000 the cap was passed.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from fetcher.sandbox import SandboxSettings, spawn

CAPS = [1, 5, 20, 100, 500, 2000, 5000, 10000]
WAITERS = 200


def fullest(times: list[float]) -> int:
    """The most in any half-open second of a sorted list."""
    worst = first = 0
    for last, time_s in enumerate(times):
        while times[first] <= time_s - 1.0:
            first += 1
        worst = max(worst, last - first + 1)
    return worst


def with_fetcher(cap: int, seconds: float) -> tuple[float, float, float]:
    """(mean ÷ cap while busy, worst ÷ cap, CPU µs a call)."""
    with spawn(SandboxSettings(absent=0.0)) as gateway, tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        count = int(cap * max(seconds, 6 / cap)) + 1
        (folder / "ids.txt").write_text("".join(f"{610_000_000_000 + k}\n" for k in range(count)))
        env = os.environ | {"FETCHER_APP_SECRET": gateway.app_secret.reveal()}
        words = [
            "run",
            str(folder / "ids.txt"),
            "-o",
            str(folder / "out.jsonl"),
            "--summary",
            str(folder / "s.json"),
            "-q",
        ]
        words += ["--qps", str(cap), "--gateway", gateway.url, "--app-key", gateway.app_key]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "fetcher", *words], env=env, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        windows = json.loads((folder / "s.json").read_text())["windows"]
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return windows["mean_per_s"] / cap, windows["worst_1s"] / cap, cpu_s / count * 1e6


async def let_through(acquire: Callable[[], Awaitable[object]], cap: int, seconds: float) -> list[float]:
    """The times at which 200 waiting tasks are let through."""
    times: list[float] = []
    end_s = time.monotonic() + max(seconds, 4 / cap)

    async def wait() -> None:
        while time.monotonic() < end_s:
            await acquire()
            times.append(time.monotonic())

    tasks = [asyncio.create_task(wait()) for _ in range(WAITERS)]
    await asyncio.sleep(end_s - time.monotonic())
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return times


def aiolimiter_of(cap: int) -> Callable[[], Awaitable[object]]:
    """As its docs begin."""
    from aiolimiter import AsyncLimiter

    limiter = AsyncLimiter(cap, 1)
    return limiter.acquire


def pyrate_of(cap: int) -> Callable[[], Awaitable[object]]:
    """A rate in an in-memory bucket."""
    from pyrate_limiter import Duration, Limiter, Rate

    limiter = Limiter(Rate(cap, Duration.SECOND))
    return lambda: limiter.try_acquire_async("key")


def throttled_of(cap: int) -> Callable[[], Awaitable[object]]:
    """A token bucket that waits."""
    from throttled.asyncio import Throttled, per_sec

    throttle = Throttled(key="key", quota=per_sec(cap), timeout=60)
    return throttle.limit


LIMITERS = {
    "aiolimiter": aiolimiter_of,
    "pyrate-limiter": pyrate_of,
    "throttled-py": throttled_of,
}


def with_limiter(name: str, cap: int, seconds: float) -> tuple[float, float, float]:
    """(mean ÷ cap over the whole time, worst ÷ cap, CPU µs a permit)."""

    async def main() -> list[float]:
        return await let_through(LIMITERS[name](cap), cap, seconds)

    before, started_s = time.process_time(), time.monotonic()
    times = sorted(asyncio.run(main()))
    passed_s = time.monotonic() - started_s
    cpu_s = time.process_time() - before
    return len(times) / passed_s / cap, fullest(times) / cap, cpu_s / max(1, len(times)) * 1e6


def idle(seconds: float = 10.0) -> float:
    """Share of a core that a run at one call a second takes, beyond its start."""
    used = [with_fetcher(1, length)[2] * (length + 1) / 1e6 for length in (6.0, 6.0 + seconds)]
    return (used[1] - used[0]) / seconds


def main() -> None:
    """A row a cap and limiter."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--caps", type=int, nargs="+", default=CAPS)
    parser.add_argument("--seconds", type=float, default=8)
    options = parser.parse_args()
    names = []
    for name in LIMITERS:
        try:
            names.append((name, version(name)))
        except PackageNotFoundError:
            print(f"{name} is left out: it is not installed")
    said = ", ".join(" ".join(each) for each in [("fetcher", version("fetcher")), *names])
    print(f"{datetime.date.today()}, Python {platform.python_version()}, {os.cpu_count()} cores; {said}")
    print("| cap | limiter | mean ÷ cap | worst ÷ cap | CPU µs |\n|---|---|---|---|---|")
    for cap in options.caps:
        rows = [("fetcher, whole, 1 % headroom", with_fetcher(cap, options.seconds))]
        rows += [(name, with_limiter(name, cap, options.seconds)) for name, _ in names]
        for name, (mean, worst, cpu) in rows:
            print(f"| {cap} | {name} | {mean:.3f} | {worst:.3f} | {cpu:.0f} |", flush=True)
    print(f"at one call a second a run takes {idle():.1%} of a core")


if __name__ == "__main__":
    main()
