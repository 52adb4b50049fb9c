"""A run in which nothing moves is stopped, and says what it waited for; a run that waits for a reason is not."""

from __future__ import annotations

import asyncio
import logging
import math

import pytest

from fetcher.errors import Defect
from fetcher.model import Item, Outcome
from fetcher.run.watchdog import LONGEST_LOOK_S, Watchdog
from tests.fakes import ListFeed, ListSink
from tests.run.parts import Bench, ids

pytestmark = pytest.mark.virtual_time


def looks(watchdog: Watchdog, *, until_s: float, known_until_s: float = -math.inf, movements: int = 0) -> float | None:
    """When it says so, looked at four times a second from 0 on."""
    for quarter in range(int(until_s * 4) + 1):
        if watchdog.stalled(movements, quarter / 4, known_until_s):
            return quarter / 4
    return None


def test_nothing_for_so_long_is_a_stall() -> None:
    """After the timeout, not before."""
    assert looks(Watchdog(60.0, 0.0), until_s=59.5) is None
    assert looks(Watchdog(60.0, 0.0), until_s=70) == 60.0


def test_a_known_wait_does_not_count() -> None:
    """The time begins when the reason to wait has passed."""
    assert looks(Watchdog(60.0, 0.0), until_s=200, known_until_s=100.0) == pytest.approx(160.0, abs=0.5)
    assert looks(Watchdog(60.0, 0.0), until_s=10_000, known_until_s=math.inf) is None


def test_whatever_moves_begins_it_anew() -> None:
    """A single call in all that time is enough."""
    watchdog = Watchdog(60.0, 0.0)
    assert not any(watchdog.stalled(int(quarter / 4 / 59), quarter / 4, 0.0) for quarter in range(4000))


def test_time_in_which_the_process_stood_still_is_not_the_runs() -> None:
    """Stopped for an hour by a signal: the first look after it is no alarm, and the patience left is what it was."""
    watchdog = Watchdog(60.0, 0.0)
    for quarter in range(200):
        assert not watchdog.stalled(0, quarter / 4, 0.0)
    assert not watchdog.stalled(0, 3650.0, 0.0)
    left_s = 60.0 - 49.75 - LONGEST_LOOK_S
    later = [3650.0 + quarter / 4 for quarter in range(80)]
    assert next(now_s for now_s in later if watchdog.stalled(0, now_s, 0.0)) == pytest.approx(3650 + left_s, abs=0.5)


class NeverTakes(ListSink):
    """A disk that does not answer, from the second batch on."""

    async def put(self, outcomes: list[Outcome]) -> None:
        if self.outcomes:
            await asyncio.Event().wait()
        await super().put(outcomes)


@pytest.mark.untraced
async def test_a_disk_that_hangs_ends_the_run(caplog: pytest.LogCaptureFixture) -> None:
    """Exit 70 after the timeout; what was answered and not taken is left, and the words name the writer."""
    bench = Bench(stall_timeout_s=20.0, timeout_s=5.0)
    bench.sink = NeverTakes()
    with caplog.at_level(logging.ERROR):
        ended = await bench.run(ids(9000))
    assert isinstance(ended.error, Defect) and "nothing moved for 20 s" in str(ended.error)
    assert ended.sink_hangs
    assert ended.snapshot.fetched == len(bench.sink.outcomes)
    assert ended.snapshot.fetched + ended.snapshot.left == ended.snapshot.read
    assert ended.balance
    assert "writer: " in caplog.text and "have waited for the disk" in caplog.text
    assert bench.clock.monotonic_s() < 200


@pytest.mark.untraced
async def test_a_user_who_takes_his_time_is_no_stall() -> None:
    """Somebody else's sink may wait for an hour."""

    class Slow(ListSink):
        is_anothers = True

        async def put(self, outcomes: list[Outcome]) -> None:
            await asyncio.sleep(3600)
            await super().put(outcomes)

    bench = Bench(stall_timeout_s=20.0)
    bench.sink = Slow()
    ended = await bench.run(ids(50))
    assert ended.error is None
    assert ended.snapshot.fetched == 50


@pytest.mark.untraced
async def test_an_input_that_comes_late_is_no_stall() -> None:
    """A pipe that nobody fills for an hour is awaited; a file that does not answer is not."""

    class Late(ListFeed):
        async def read(self, n: int) -> list[Item]:
            await asyncio.sleep(3600)
            return await super().read(n)

    for anothers in (True, False):
        bench = Bench(stall_timeout_s=20.0)
        run = bench.make([])
        feed = Late(ids(3))
        feed.is_anothers = anothers
        run._feed, run._desk.input_is_anothers = feed, anothers
        ended = await run.run()
        assert (ended.error is None) is anothers


@pytest.mark.untraced
async def test_a_cap_of_one_an_hour_is_no_stall() -> None:
    """The next permit is a reason to wait."""
    bench = Bench(qps=1 / 3600, stall_timeout_s=20.0)
    ended = await bench.run(ids(3))
    assert ended.error is None
    assert ended.snapshot.fetched == 3


async def test_a_long_drain_gives_a_slow_disk_its_time() -> None:
    """A run that is stopped waits for the sink; asked twice, only a moment."""
    for writer_s, taken in ((30.0, True), (0.5, False)):
        bench = Bench()
        bench.sink = ListSink(wait_s=5.0)
        run = bench.make(ids(20))

        async def interrupt(run=run, writer_s=writer_s) -> None:
            await asyncio.sleep(1.0)
            run.stop(Defect("stopped by the test"))
            run.abandon(writer_s)

        ended, _ = await asyncio.gather(run.run(), interrupt())
        assert (ended.snapshot.fetched == 20) is taken
        assert ended.sink_hangs is not taken
        assert ended.balance
