"""A run that is paused, hurried, slowed down and ended while it goes, on virtual time."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from fetcher.errors import UsageError
from fetcher.metrics import Snapshot
from fetcher.run.control import Question, carry_out, state_lines
from fetcher.run.steering import Overseen
from tests.fakes import worst_second
from tests.run.parts import Bench, ids

pytestmark = pytest.mark.virtual_time


@pytest.mark.untraced
async def test_a_pause_of_hours_is_no_stall() -> None:
    """Nothing starts meanwhile, what was in flight is stored, the figures say why; then it goes on at its rate."""
    bench = Bench(qps=20.0, stall_timeout_s=60.0)
    run = bench.make(ids(200))
    going = asyncio.create_task(run.run())
    await asyncio.sleep(3.0)
    steering = run.steering()
    steering.pause()
    steering.pause()
    await asyncio.sleep(1.0)
    sent = len(bench.sent_s)
    await asyncio.sleep(3 * 3600.0)
    state = steering.state()
    assert (state.state, state.calls, state.in_flight) == ("paused", sent, 0) and len(bench.sent_s) == sent
    assert "asked for a pause" in "\n".join(state_lines(state))
    steering.resume()
    steering.resume()
    ended = await going
    assert ended.error is None and ended.balance and len(bench.stored) == 200
    assert worst_second(bench.sent_s) <= 20


@pytest.mark.untraced
@pytest.mark.parametrize(("first", "then"), [(10.0, 200.0), (200.0, 10.0), (0.5, 50.0)])
async def test_another_cap_is_used_and_never_passed(first: float, then: float) -> None:
    """From the moment on it is the cap: nearly all of it is used, and the proof holds."""
    bench = Bench(qps=first)
    run = bench.make(ids(int(first * 2.5 + then * 12)))
    going = asyncio.create_task(run.run())
    await asyncio.sleep(2.5)
    at_s = asyncio.get_running_loop().time()
    run.steering().set_qps(f"{then:g}")
    await going
    after = [time_s for time_s in bench.sent_s if time_s >= at_s + 1.0]
    assert worst_second(after) <= then and worst_second(bench.sent_s) <= max(first, then)
    steady = [time_s for time_s in after if time_s >= at_s + 3.0]  # connections are found first
    assert (len(steady) - 1) / (steady[-1] - steady[0]) >= 0.9 * then
    proof = bench.parts.cap_proof.proof()
    assert proof.holds and proof.cap_per_s == max(first, then)


async def test_what_cannot_be_is_refused_in_words(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """And changes nothing; what can be is logged."""
    caplog.set_level(logging.INFO, "fetcher")
    bench = Bench(qps=5.0)
    steering = bench.make(ids(10)).steering()
    for do, name, value, sentence in (
        ("set", "qps", "none", "must be a number"),
        ("set", "qps", "1000001", "at most 100000"),
        ("set", "concurrency", "99999", "no more open files"),
        ("set", "retries", "3", "cannot be asked"),
        ("dance", "", "", "dance cannot be asked"),
    ):
        answer = carry_out(Question(do, name, value), steering)
        assert not answer.ok and sentence in answer.error
    assert bench.parts.keys[0].pacer.cap_per_s == 5.0 and caplog.text == ""
    assert carry_out(Question("set", "concurrency", "3"), steering).state.concurrency == 3
    assert carry_out(Question("set", "concurrency", "auto"), steering).ok
    assert "3 calls may be in flight" in caplog.text
    shared = Bench(qps=5.0, share_cap=str(tmp_path / "cap.lock")).make(ids(1)).steering()
    assert "shared with other processes" in carry_out(Question("set", "qps", "7"), shared).error


async def test_it_is_ended_in_order() -> None:
    """As by a signal: drained, the rest is left, the books balance; also out of a pause."""
    bench = Bench(qps=20.0)
    run = bench.make(ids(200))
    going = asyncio.create_task(run.run())
    await asyncio.sleep(2.0)
    run.steering().pause()
    answer = carry_out(Question("stop"), run.steering())
    assert answer.state is not None and answer.state.state == "stopping"
    ended = await going
    assert ended.error is not None and ended.error.exit_code == 130 and "fetcher ctl" in str(ended.error)
    assert len(bench.stored) + len(run.left) == 200 and ended.balance


async def test_several_processes_tell_and_end_and_no_more() -> None:
    """Their parent answers for them."""
    ended: list[str] = []
    overseen = Overseen(Snapshot, lambda error: ended.append(str(error)), 3)
    for ask in (overseen.pause, overseen.resume, lambda: overseen.set_qps("1"), lambda: overseen.set_concurrency("1")):
        with pytest.raises(UsageError, match="--processes"):
            ask()
    overseen.stop()
    assert ended == ["stopped by fetcher ctl"]
