"""The TOP family from end to end, presets and sessions: the real pipeline and the sandbox, without sockets."""

from __future__ import annotations

import pytest

from fetcher.errors import Refused
from fetcher.model import Failure, Kind
from fetcher.sandbox import Change
from fetcher.sandbox.catalog import Catalog
from tests.run.test_refreshing import IDS, TOKENS, all_of, running

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


TOP = {"protocol": "top", "api": "taobao-item", "gateway": "http://127.0.0.1:1", "qps": 20}


async def test_a_session_that_ends_is_renewed() -> None:
    """Once, by a signed call, however many calls were refused; then it is renewed ahead of its end."""
    change = Change(at_call=100, expire_tokens=True)
    async with running({"require_token": True, "token_life_s": 5.0}, change, **TOP, **TOKENS) as (fetcher, app):
        outcomes = await all_of(fetcher)
    assert len(outcomes) == 300 and all(each.ok and each.attempts == 1 for each in outcomes)
    answers = app.stats()["answers"]
    assert answers["token"] >= 2 and answers["top:27"] <= 12


async def test_a_session_is_renewed_by_the_gateways_clock() -> None:
    """The renewal is signed with the time, too; a wrong clock of ours was measured before."""
    sandbox = {"require_token": True, "clock_offset_s": 7200}
    async with running(sandbox, Change(at_call=30, expire_tokens=True), **TOP, **TOKENS) as (fetcher, app):
        fetcher._opened().clock_offset_ms = 7_200_000  # as its `Date` header has told
        outcomes = await all_of(fetcher, IDS[:60])
    assert len(outcomes) == 60 and all(each.ok for each in outcomes)
    assert app.stats()["answers"]["token"] == 1


async def test_a_session_that_cannot_be_renewed_ends_the_run() -> None:
    """Refused, or without the means: no ID is marked failed."""
    change = Change(at_call=20, revoke=True)
    async with running({"require_token": True}, change, **TOP, **TOKENS) as (fetcher, _):
        with pytest.raises(Refused, match="wrong refreshToken"):
            async for outcome in fetcher.stream(IDS):
                assert outcome.ok
    async with running({"require_token": True}, **TOP, access_token="old") as (fetcher, app):
        with pytest.raises(Refused, match="refused the session"):
            await all_of(fetcher)
    assert app.stats()["calls"] == 1
