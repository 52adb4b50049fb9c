"""Rate limiters alone in an event loop: fetcher's pacer as its dispatcher drives it, and three that one would install.

Used by `cap`. The others have 200 tasks waiting, as is usual; each task is let through again and again. What is looked
at are the times at which somebody was let through.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

import uvloop

from fetcher.pacing import Pacer
from fetcher.run.assemble import bucket_of
from fetcher.run.desk import Alarm
from fetcher.run.dispatch import taken, whole_ms

WAITERS: Final = 200
HEADROOM: Final = 0.005

Acquire = Callable[[], Awaitable[object]]


class Figures(NamedTuple):
    """What became of a cap."""

    mean: float
    """Let through a second, over the cap."""
    worst: float
    """The fullest second, over the cap."""
    cpu_us: float
    """CPU for each that was let through."""


def fullest(times: list[float]) -> int:
    """The most in any half-open second of a sorted list."""
    worst = first = 0
    for last, time_s in enumerate(times):
        while times[first] <= time_s - 1.0:
            first += 1
        worst = max(worst, last - first + 1)
    return worst


async def _crowd(acquire: Acquire, end_s: float) -> list[float]:
    times: list[float] = []

    async def wait() -> None:
        while True:
            await acquire()
            times.append(time.monotonic())

    tasks = [asyncio.create_task(wait()) for _ in range(WAITERS)]
    await asyncio.sleep(end_s - time.monotonic())
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return times


async def _pacer(cap: int, end_s: float) -> list[float]:
    """A callback takes what is due, as `run/dispatch` does."""
    times, ended, alarm = list[float](), asyncio.get_running_loop().create_future(), Alarm()
    pacer, bucket = Pacer(cap, time.monotonic(), headroom=HEADROOM), bucket_of(cap)

    def turn() -> None:
        now_s = time.monotonic()
        if now_s >= end_s:
            ended.set_result(None)
            return
        if (due := pacer.due(now_s)) and taken(bucket, due):
            pacer.take(due, now_s)
            for _ in range(due):
                pacer.sent(now_s)
            times.extend([now_s] * due)
        alarm.set(whole_ms(pacer.wake_s(now_s)))

    alarm.start(turn)
    await ended
    return times


def _aiolimiter(cap: int) -> Acquire:
    """As its docs begin."""
    from aiolimiter import AsyncLimiter

    return AsyncLimiter(cap, 1).acquire


def _pyrate(cap: int) -> Acquire:
    """A rate in an in-memory bucket."""
    from pyrate_limiter import Duration, Limiter, Rate

    limiter = Limiter(Rate(cap, Duration.SECOND))
    return lambda: limiter.try_acquire_async("key")


def _throttled(cap: int) -> Acquire:
    """A token bucket that waits."""
    from throttled.asyncio import Throttled, per_sec

    throttle = Throttled(key="key", quota=per_sec(cap), timeout=60)
    return throttle.limit


OTHERS: Final[dict[str, Callable[[int], Acquire]]] = {
    "aiolimiter": _aiolimiter,
    "pyrate-limiter": _pyrate,
    "throttled-py": _throttled,
}
PACER: Final = "fetcher's pacer alone"


def tried(name: str, cap: int, seconds: float) -> Figures:
    """One limiter at one cap, from its start on."""

    async def main() -> list[float]:
        end_s = time.monotonic() + max(seconds, 4 / cap)
        return await (_pacer(cap, end_s) if name == PACER else _crowd(OTHERS[name](cap), end_s))

    cpu_s, started_s = time.process_time(), time.monotonic()
    times = sorted(uvloop.run(main()))
    passed_s, cpu_s = time.monotonic() - started_s, time.process_time() - cpu_s
    if name == PACER and len(times) > 1:  # its first slot lies a gap after the start: by rule, not by weakness
        passed_s = (times[-1] - times[0]) * len(times) / (len(times) - 1)
    return Figures(len(times) / passed_s / cap, fullest(times) / cap, cpu_s / max(1, len(times)) * 1e6)
