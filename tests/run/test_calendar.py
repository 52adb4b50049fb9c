"""Runs under caps over longer times and inside hours: they wait, say until when, and go on."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fetcher.output import SideFile
from fetcher.run.desk import Interrupted
from fetcher.run.quota_book import QuotaBook
from tests.fakes import START_MS, always_well
from tests.run.parts import Bench, ids

pytestmark = pytest.mark.virtual_time


def clock_time(seconds: float) -> str:
    """UTC, so long after the beginning of a test."""
    return (datetime.fromtimestamp(START_MS / 1000, UTC) + timedelta(seconds=seconds)).strftime("%H:%M")


def fullest(times: list[float], window_s: float) -> int:
    """The most calls in any window of that length."""
    return max(sum(start <= time_s < start + window_s for time_s in times) for start in times)


@pytest.mark.untraced
async def test_stacked_caps_hold_and_are_used(caplog: pytest.LogCaptureFixture) -> None:
    """20 a second in bursts of 100 a minute, of 250 an hour; the waits are told, and are no stall."""
    bench = Bench(qps=20.0, caps=["100/min", "250/h"], stall_timeout_s=60.0)
    with caplog.at_level(logging.INFO):
        ended = await bench.run(ids(300))
    assert ended.error is None and ended.balance
    assert ended.snapshot.fetched == 300
    assert fullest(bench.sent_s, 60.0) == 100
    assert fullest(bench.sent_s, 3600.0) == 250
    assert fullest(bench.sent_s, 1.0) <= 20
    assert bench.sent_s[-1] - bench.sent_s[0] < 3600 + 200
    assert "--cap 100/min is used up, until " in caplog.text and "--cap 250/h is used up, until " in caplog.text


@pytest.mark.untraced
async def test_a_days_calls_wait_for_the_reset() -> None:
    """The rest goes out in the minute after it."""
    bench = Bench(caps=["30/day"], time_zone="UTC", quota_reset=clock_time(1800), stall_timeout_s=60.0)
    ended = await bench.run(ids(50))
    assert ended.error is None
    early = [time_s for time_s in bench.sent_s if time_s < 1700]
    late = [time_s for time_s in bench.sent_s if time_s >= 1700]
    assert (len(early), len(late)) == (30, 20)
    assert 1730 < late[0] < 1830


@pytest.mark.untraced
async def test_calls_start_only_inside_the_hours(caplog: pytest.LogCaptureFixture) -> None:
    """What is in flight at their end is finished; a watchdog with little patience does not mind the night."""
    hours = [f"{clock_time(600)}-{clock_time(660)}", f"{clock_time(4200)}-{clock_time(4260)}"]
    bench = Bench(qps=1.0, windows=hours, time_zone="UTC", stall_timeout_s=60.0)
    with caplog.at_level(logging.INFO):
        ended = await bench.run(ids(80))
    assert ended.error is None and ended.snapshot.fetched == 80
    second = (START_MS // 1000) % 60
    inside = [(time_s + second) % 3600 for time_s in bench.sent_s]
    assert all(600 <= time_s <= 660 for time_s in inside)
    assert 3600 < bench.sent_s[-1] < 4300
    assert "waits: outside --window, until " in caplog.text


async def test_what_is_left_reckons_with_the_waits() -> None:
    """Long before the first window is used up the progress knows when the last call will be made."""
    bench = Bench(qps=5.0, caps=["60/min"])
    run, seen = bench.make(ids(200)), list[tuple[float, float]]()
    run._observe = lambda shown: seen.append((shown.elapsed_s, shown.eta_s or 0.0)) if shown.total else None
    bench.tally.expect(200)
    assert (await run.run()).snapshot.fetched == 200
    end_s = bench.sent_s[-1] - bench.sent_s[0]
    early = [(elapsed_s, eta_s) for elapsed_s, eta_s in seen if 6 < elapsed_s < end_s - 10]
    assert all(abs(elapsed_s + eta_s - end_s) < 12 for elapsed_s, eta_s in early) and len(early) > 100


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"caps": ["5/day"]}, "--cap 5/day is used up, until 2026-11-19 00:00 Asia/Shanghai"),
        ({"caps": ["5/day"], "time_zone": "Europe/Berlin"}, "until 2026-11-19 00:00 Europe/Berlin"),
        (
            {"windows": ["03:00-04:00"], "time_zone": "Asia/Tokyo"},
            "outside --window, until 2026-11-19 03:00 Asia/Tokyo",
        ),
    ],
)
async def test_times_are_told_in_the_zone_in_which_they_are_defined(
    settings: dict[str, Any], words: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The day of a cap begins where the gateway counts it, whatever this machine's zone is."""
    bench = Bench(qps=10.0, **settings)
    run = bench.make(ids(8))
    run._observe = lambda shown: Interrupted(2, "the test") if shown.wait_reason else None
    with caplog.at_level(logging.INFO):
        await run.run()
    assert words in caplog.text


async def test_a_call_that_did_not_leave_is_not_counted() -> None:
    """While the gateway cannot be reached nothing of the day is used up."""
    bench = Bench(caps=["40/day"])
    bench.transport.unreachable = lambda now_s: now_s < 5.0
    ended = await bench.run(ids(40))
    assert ended.error is None and ended.snapshot.fetched == 40
    assert bench.clock.monotonic_s() < 100


def kept(bench: Bench, tmp_path: Path) -> QuotaBook:
    """What the command keeps beside OUT."""
    book = QuotaBook(SideFile(str(tmp_path / "out.jsonl"), "quotas"), bench.parts.keys, bench.clock)
    book.read()
    bench.parts.quota_book = book
    return book


@pytest.mark.parametrize("killed", [False, True])
async def test_the_count_survives_a_restart(tmp_path: Path, killed: bool) -> None:
    """To the call after an end in order; after a kill too many are counted, never too few."""
    options: dict[str, Any] = {"caps": ["50/day", "1000/24h"], "qps": 10.0, "time_zone": "UTC", "max_calls": 20}
    first = Bench(**options)
    book = kept(first, tmp_path)
    await first.run(ids(100))
    if not killed:
        book.close()
    second = Bench(always_well, **options | {"max_calls": None})
    kept(second, tmp_path)
    now = first.parts.keys[0].quotas
    assert now is not None
    run = second.make(ids(100, 700_000_000_000))

    async def stop_when_it_waits() -> None:
        import asyncio

        await asyncio.sleep(60)
        run.abandon()

    import asyncio

    await asyncio.gather(run.run(), stop_when_it_waits())
    made = len(first.transport.sent) + len(second.transport.sent)
    assert made == 50 if not killed else 35 <= made <= 50
