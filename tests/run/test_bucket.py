"""The bucket under the dispatcher: it never holds back what the even schedule grants."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from fetcher.pacing import Pacer
from fetcher.run.assemble import bucket_of
from tests.pacing.windows import worst_window


@pytest.mark.virtual_time
@pytest.mark.parametrize("cap_per_s", [0.5, 1, 5, 20, 100, 2000])
async def test_it_lets_the_schedule_make_up_for_late_timers(cap_per_s: float) -> None:
    """Ticks up to 9 ms late, each by another time: no start is held back, so nothing of the rate is lost to it."""
    loop, dice = asyncio.get_running_loop(), Random(1)
    pacer, bucket = Pacer(cap_per_s, loop.time(), headroom=0.005), bucket_of(cap_per_s)
    starts: list[float] = []
    while len(starts) < 200:
        await asyncio.sleep(pacer.wait_s(loop.time()) + dice.uniform(0, 0.009))
        now_s = loop.time()
        if grants := pacer.due(now_s):
            assert bucket.has_capacity(grants)
            await bucket.acquire(grants)
            pacer.take(grants, now_s)
            for _ in range(grants):
                pacer.sent(now_s)
                starts.append(now_s)
    assert (len(starts) - 1) / (starts[-1] - starts[0]) >= 0.985 * cap_per_s


@pytest.mark.virtual_time
@pytest.mark.parametrize("cap_per_s", [1, 20, 1000])
async def test_alone_it_keeps_near_the_cap(cap_per_s: int) -> None:
    """Were the schedule broken, no second would hold more than the cap, 4 % of it and one call."""
    loop, bucket = asyncio.get_running_loop(), bucket_of(cap_per_s)
    starts = []
    for _ in range(3 * cap_per_s + 3):
        await bucket.acquire()
        starts.append(loop.time())
    assert worst_window(starts) <= 1.04 * cap_per_s + 2
