"""The presets of the TOP family from end to end: the real pipeline, the sandbox's `router/rest`, without sockets."""

from __future__ import annotations

import pytest

from fetcher.model import Failure, Kind
from fetcher.sandbox.catalog import Catalog
from tests.run.test_refreshing import IDS, all_of, running

pytestmark = pytest.mark.virtual_time


@pytest.mark.parametrize("answer_format", ["json", "xml"])
@pytest.mark.parametrize(("api", "calls"), [("taobao-item", 60), ("taobao-items", 3), ("taobao-trade", 60)])
async def test_every_id_has_its_answer(api: str, calls: int, answer_format: str) -> None:
    """What is there is fetched, what is not has failed as such; many IDs share a call where they can."""
    options = {"protocol": "top", "api": api, "answer_format": answer_format, "gateway": "http://127.0.0.1:1"}
    async with running({"absent": 0.2}, **options) as (fetcher, app):
        outcomes = {int(one.id): one for one in await all_of(fetcher, IDS[:60])}
    there = Catalog(absent=0.2).has
    assert sorted(outcomes) == IDS[:60] and app.stats()["calls"] == calls
    for product_id, outcome in outcomes.items():
        assert outcome.ok == there(product_id), outcome
        if isinstance(outcome, Failure):
            assert outcome.error.kind is Kind.NOT_FOUND
        else:
            assert str(product_id) in outcome.payload.decode()
