"""`--max-cost` is exact: calls in flight are paid for in advance, whatever becomes of them."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fetcher.errors import LimitReached
from fetcher.model import Lost
from tests.conftest import AutojumpLoop
from tests.fakes import Answer, product_body, refusal_body
from tests.run.parts import Bench, ids

HURT: dict[str, Answer] = {
    "busy": (503, b""),
    "throttled": (400, refusal_body("gw.QosAppFrequencyLimit")),
    "broken": Lost.DISCONNECTED,
    "late": Lost.TIMEOUT,
}


@pytest.mark.untraced
@given(st.lists(st.sampled_from(["well", *HURT]), min_size=1, max_size=40), st.integers(1, 60))
@settings(max_examples=20, deadline=None)
def test_never_a_call_more_than_the_money_is_for(ends: list[str], allowed: int) -> None:
    """Many in flight at once, some tried again: not one call leaves that the limit has no money for."""

    def script(product_id: str, before: int, now_s: float) -> Answer:
        end = ends[int(product_id) % len(ends)]
        return (200, product_body(product_id)) if before or end == "well" else HURT[end]

    async def run() -> None:
        bench = Bench(script, latency_s=0.5, price=0.25, max_cost=allowed * 0.25)
        ended = await bench.run(ids(40))
        sent = len(bench.transport.sent)
        assert sent == ended.snapshot.attempts <= allowed
        assert ended.snapshot.cost == sent * 0.25
        assert ended.error is None or (isinstance(ended.error, LimitReached) and sent == allowed)

    with asyncio.Runner(loop_factory=AutojumpLoop) as runner:
        runner.run(run())
