"""A run that leases its slots: what others are told holds here, and a place out of reach is waited for."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from dataclasses import replace
from typing import Any

import pytest

from fetcher.errors import LimitReached
from fetcher.pacing import Ask, Grant, LeasedPacer, LeasePlace, PlaceLost, SlotBook
from fetcher.run.assemble import assemble
from fetcher.run.leasing import Leasing
from fetcher.settings import Settings
from tests.fakes import Answer, always_well, refusal_body
from tests.pacing.windows import worst_window
from tests.run.parts import Bench, ids
from tests.run.test_keys import Pool

pytestmark = pytest.mark.virtual_time


class Table:
    """A place in this process, which can be out of reach."""

    where = "a table"

    def __init__(self) -> None:
        self.book = SlotBook(forgetful=False)
        self.lost_from_s = self.back_s = float("inf")

    async def lease(self, ask: Ask) -> Grant:
        """See `LeasePlace`."""
        now_s = asyncio.get_running_loop().time()
        await asyncio.sleep(0.001)
        if self.lost_from_s <= now_s < self.back_s:
            raise PlaceLost("the table has gone")
        return self.book.answer(ask, asyncio.get_running_loop().time())

    async def aclose(self) -> None:
        """See `LeasePlace`."""


def sharing(table: Table, script: Any = always_well, **options: Any) -> Bench:
    """A run that meets others at the table."""
    bench = Bench(script, **options)
    parts = bench.parts
    pacer = LeasedPacer(parts.settings.qps, bench.clock.monotonic_s(), 0.005)
    parts.keys[0].pacer, most_s = pacer, parts.settings.max_outage_s
    leasing = Leasing(pacer, table, bench.clock, batch=1, calls_limit=None, max_lost_s=most_s, random=lambda: 0.5)
    leasing.room = parts.keys[0].room
    parts.keys[0].leasing, parts.leasings = leasing, [leasing]
    return bench


@pytest.mark.untraced
async def test_one_is_throttled_and_both_slow_down() -> None:
    """The pause and the lower rate of one are the other's, within a lease."""
    table, throttled_s = Table(), list[float]()

    def once(product_id: str, asked: int, now_s: float) -> Answer:
        if now_s > 2.0 and not throttled_s:
            throttled_s.append(now_s)
            return 400, refusal_body("gw.QosAppFrequencyLimit")
        return always_well(product_id, asked, now_s)

    one, other = sharing(table, once), sharing(table)
    ended = await asyncio.gather(one.run(ids(300)), other.run(ids(300)))
    assert [each.error for each in ended] == [None, None]
    resume_s = throttled_s[0] + 0.05 + 1.05
    for bench in (one, other):
        assert [at_s for at_s in bench.sent_s if throttled_s[0] + 0.45 < at_s < resume_s - 0.06] == []
    together = sorted([*one.sent_s, *other.sent_s])
    assert worst_window(together) <= 100
    before = [at_s for at_s in together if at_s < throttled_s[0]]
    assert len(before) / (before[-1] - before[0]) > 95  # the first call is awaited
    after = [at_s for at_s in together if resume_s < at_s < resume_s + 1]
    assert 60 < len(after) < 80


async def test_a_run_leases_at_its_start_what_it_may_use() -> None:
    """Few calls go until the gateway has taken some: no slot is leased for others, and nothing waits longer for it."""
    bench = sharing(Table())
    assert (await bench.run(ids(100))).error is None
    pacer = bench.parts.keys[0].pacer
    assert isinstance(pacer, LeasedPacer)
    assert pacer.missed == 0
    assert bench.sent_s[1] - bench.sent_s[0] < 0.1
    assert bench.sent_s[6] - bench.sent_s[0] < 0.25


async def test_a_place_out_of_reach_is_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    """Longer than --stall-timeout: it is a known wait, said in the figures; then the run goes on."""
    table = Table()
    bench = sharing(table, stall_timeout_s=5.0)
    table.lost_from_s, table.back_s = bench.clock.monotonic_s() + 1.0, bench.clock.monotonic_s() + 31.0
    running = asyncio.create_task(bench.run(ids(300)))
    await asyncio.sleep(20)
    assert "the table has gone" in bench.tally.snapshot(bench.clock.monotonic_s()).wait_reason
    ended = await running
    assert ended.error is None and len(bench.stored) == 300
    assert [at_s for at_s in bench.sent_s if table.lost_from_s + 0.5 < at_s < table.back_s] == []
    assert min(at_s for at_s in bench.sent_s if at_s > table.back_s) < table.back_s + 2.1
    assert [record.levelno for record in caplog.records if "table" in record.message] == [logging.WARNING] * 2


async def test_a_place_that_does_not_come_back_ends_the_run_resumably() -> None:
    """After --max-outage: no ID has failed."""
    table = Table()
    bench = sharing(table, max_outage_s=60.0)
    table.lost_from_s = bench.clock.monotonic_s() + 1.0
    ended = await bench.run(ids(500))
    assert isinstance(ended.error, LimitReached) and "out of reach" in str(ended.error)
    assert ended.snapshot.failed == 0 and ended.snapshot.left == 500 - len(bench.stored) > 0


async def test_a_smaller_cap_of_anothers_is_said(caplog: pytest.LogCaptureFixture) -> None:
    """Both go at it, and who was told a larger one hears so."""
    table = Table()
    small, large = sharing(table, qps=20.0), sharing(table, qps=100.0)
    await asyncio.gather(small.run(ids(40)), large.run(ids(40)))
    assert any("20/s: the smaller counts" in record.message for record in caplog.records)
    assert worst_window(sorted([*small.sent_s, *large.sent_s])[20:]) <= 21


async def test_each_of_several_keys_is_leased_at_its_own_place() -> None:
    """Two runs with the same two keys: each key's cap holds over both runs and is used, whatever the caps."""
    caps = {"a": 90.0, "b": 30.0}
    tables = {name: Table() for name in caps}

    class Job:
        """See `Principal`."""

        def __init__(self) -> None:
            self.told = defaultdict[str, list[float]](list)

        def place(self, settings: Settings, _: LeasePlace | None) -> LeasePlace:
            return tables["a" if settings.qps == caps["a"] else "b"]

        def tokens(self) -> None:
            return None

        def sent(self, key: str, time_s: float) -> None:
            self.told[key].append(time_s)

    keys = [
        {"name": name, "app_key": f"100000{number}", "app_secret": "secret-of-it", "qps": caps[name]}
        for number, name in enumerate(caps)
    ]
    pools, jobs = [Pool(keys=keys) for _ in range(2)], [Job(), Job()]
    for pool, job in zip(pools, jobs, strict=True):
        settings = replace(pool.parts.settings, app_key=None, app_secret=None)
        made = assemble(settings, clock=pool.clock, principal=job)
        pool.parts.keys, pool.parts.leasings, pool.parts.cap_proof = made.keys, made.leasings, made.cap_proof
    ended = await asyncio.gather(*(pool.run(ids(900)) for pool in pools))
    assert [(each.error, each.snapshot.fetched) for each in ended] == [(None, 900)] * 2
    for name, cap_per_s in caps.items():
        together = sorted(one for job in jobs for one in job.told[name])
        assert worst_window(together) <= cap_per_s
        assert len(together) / (together[-1] - together[0]) > 0.95 * cap_per_s
    assert sum(key.calls for each in ended for key in each.keys) == 1800
