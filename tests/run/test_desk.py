"""The bell that calls: as often as it must, and no more."""

from __future__ import annotations

import asyncio

import pytest

from fetcher.run.desk import Alarm

pytestmark = pytest.mark.virtual_time


async def test_it_calls_at_once_when_rung_and_at_the_time_set() -> None:
    """Many rings are one call; a time that was set gives way to the next; after its end it is silent."""
    loop, calls, alarm = asyncio.get_running_loop(), list[float](), Alarm()
    alarm.ring()  # nobody to call yet: the first call comes anyhow
    alarm.start(lambda: calls.append(loop.time()))
    began_s = loop.time()
    await asyncio.sleep(0.1)
    assert len(calls) == 1
    for _ in range(3):
        alarm.ring()
    alarm.set(5.0)
    alarm.set(0.2)
    await asyncio.sleep(10.0)
    assert [round(at_s - began_s, 2) for at_s in calls] == [0.0, 0.1, 0.3]
    alarm.set(1.0)
    alarm.ring()
    alarm.stop()
    alarm.ring()
    await asyncio.sleep(10.0)
    assert len(calls) == 3


async def test_a_ring_while_it_calls_is_kept() -> None:
    """What moved in that moment is looked at, too."""
    calls, alarm = list[int](), Alarm()

    def call() -> None:
        calls.append(len(calls))
        if len(calls) < 3:
            alarm.ring()

    alarm.start(call)
    await asyncio.sleep(0.1)
    assert calls == [0, 1, 2]
