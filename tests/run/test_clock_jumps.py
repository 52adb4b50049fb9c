"""The wall clock is for people and signatures: when it jumps, nothing else does."""

from __future__ import annotations

import pytest

from fetcher.run.assemble import assemble
from tests.fakes import LoopClock, worst_second
from tests.run.parts import Bench, ids

pytestmark = pytest.mark.virtual_time

DAY_MS = 86_400_000


class JumpyClock(LoopClock):
    """Set right, or wrong, in mid-run."""

    jump_ms = 0
    at_s = 2.0

    def wall_ms(self) -> int:
        return super().wall_ms() + (self.jump_ms if self.monotonic_s() >= self.at_s else 0)


@pytest.mark.untraced
@pytest.mark.parametrize("jump_ms", [DAY_MS, -DAY_MS])
async def test_a_day_forth_or_back(jump_ms: int) -> None:
    """No burst, no pause, no negative duration; only the times that are written down show it."""
    bench = Bench(qps=50.0)
    bench.clock = JumpyClock()
    bench.clock.jump_ms = jump_ms
    transport = bench.transport
    bench.parts = assemble(bench.parts.settings, clock=bench.clock)
    bench.parts.transport = transport
    ended = await bench.run(ids(300))
    assert ended.error is None
    assert worst_second(bench.sent_s) <= 50
    gaps = [after - before for before, after in zip(bench.sent_s, bench.sent_s[1:], strict=False)]
    assert max(gaps) < 0.1
    assert 300 / (bench.sent_s[-1] - bench.sent_s[0]) >= 0.97 * 50
    assert all(outcome.latency_ms >= 0 for outcome in bench.sink.outcomes)
    assert 0 < ended.snapshot.elapsed_s < 10
    stamps = [outcome.fetched_at_ms for outcome in bench.sink.outcomes]
    assert abs(stamps[-1] - stamps[0] - jump_ms) < 10_000
