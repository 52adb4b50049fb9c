"""Calls about many IDs in whole runs: one permit and one price a call, one outcome an ID."""

from __future__ import annotations

import asyncio
import json
import math
from typing import Any

import pytest

from fetcher.errors import LimitReached, Refused
from fetcher.model import Item, Kind, Lost
from fetcher.run.loop import Run
from tests.fakes import Answer, ListFeed, refusal_body
from tests.run.parts import Bench, ids
from tests.run.test_paid_calls import Notes

pytestmark = pytest.mark.virtual_time


def asked(text: str) -> list[int]:
    """The IDs of one call."""
    found: list[int] = json.loads(text)
    return found


def answer(product_ids: list[int]) -> Answer:
    """All of them, in another order."""
    products = [{"productID": product_id, "subject": "连衣裙"} for product_id in reversed(product_ids)]
    return 200, json.dumps({"success": True, "productList": products}, ensure_ascii=False).encode()


def well(text: str, earlier: int, now_s: float) -> Answer:
    """Every ID has a product."""
    return answer(asked(text))


def bench(script: Any = well, **options: Any) -> Bench:
    """A run over an API that takes twenty IDs a call."""
    return Bench(script, **{"api": "product-batch", "batch": 20, "price": 0.5, **options})


async def test_ids_share_calls_and_each_has_its_outcome() -> None:
    """45 IDs are three calls: the cap and the price count those, the books the IDs."""
    run = bench()
    ended = await run.run(ids(45))
    assert ended.error is None and ended.balance
    assert sorted(run.stored) == ids(45)
    assert [len(asked(text)) for _, text in run.transport.sent] == [20, 20, 5]
    assert (ended.snapshot.attempts, ended.snapshot.cost, ended.snapshot.fetched) == (3, 1.5, 45)
    assert (ended.snapshot.started, ended.snapshot.mean_rate_per_s < 100.0) == (3, True)
    assert run.parts.cap_proof.sent_count == 3


async def test_max_calls_counts_calls() -> None:
    """Two calls are forty IDs; the rest stays to be done."""
    run = bench(max_calls=2)
    ended = await run.run(ids(45))
    assert isinstance(ended.error, LimitReached)
    assert (len(run.transport.sent), ended.snapshot.fetched, ended.snapshot.left) == (2, 40, 5)
    assert ended.balance


async def test_an_id_that_is_missing_in_the_answer_is_absent() -> None:
    """Not lost, and not its neighbours'."""
    run = bench(lambda text, *_: answer([one for one in asked(text) if one % 10 != 7]))
    ended = await run.run(ids(40))
    assert ended.error is None
    assert ended.snapshot.failed_by_kind == {Kind.NOT_FOUND: 4}
    assert (ended.snapshot.fetched, len(run.transport.sent)) == (36, 2)


@pytest.mark.parametrize("bad", [(0,), (19,), (7, 8), (3, 12, 47)])
async def test_one_bad_id_does_not_fail_its_neighbours(bad: tuple[int, ...]) -> None:
    """A call that is refused because of one ID is split until that ID is alone; no attempt of others is used up."""
    refused = {int(ids(60)[place]) for place in bad}

    def script(text: str, earlier: int, now_s: float) -> Answer:
        return (400, refusal_body("gw.ParamInvalid")) if refused & set(asked(text)) else answer(asked(text))

    run = bench(script)
    ended = await run.run(ids(60))
    assert ended.error is None and ended.balance
    assert {one.id for one in run.sink.outcomes if not one.ok} == {str(one) for one in refused}
    assert {one.attempts for one in run.sink.outcomes} == {1}
    assert ended.snapshot.fetched == 60 - len(bad)
    assert len(run.transport.sent) <= 3 + len(bad) * (2 * math.ceil(math.log2(20)) + 3)
    assert ended.snapshot.attempts == len(run.transport.sent)


async def test_ids_that_a_refusal_names_go_by_themselves() -> None:
    """Two calls more for each that is named, and not one for every halving."""
    refused = [int(ids(40)[place]) for place in (3, 12, 27)]

    def script(text: str, earlier: int, now_s: float) -> Answer:
        bad = next((one for one in refused if one in asked(text)), None)
        if bad is None:
            return answer(asked(text))
        return 200, json.dumps({"success": False, "message": f"offerId:{bad} 不是精选货源商品"}).encode()

    run = bench(script)
    ended = await run.run(ids(40))
    assert ended.error is None and ended.balance
    assert {one.id for one in run.sink.outcomes if not one.ok} == {str(one) for one in refused}
    assert ended.snapshot.fetched == 37
    assert len(run.transport.sent) == 2 + 2 * len(refused)


async def test_a_parameter_that_is_wrong_for_all_is_found_out_in_few_calls() -> None:
    """Halves of the first half come first: an ID alone is asked for after five calls, not after thirty."""
    run = bench(lambda *_: (400, refusal_body("gw.ParamInvalid")))
    ended = await run.run(ids(1000))
    assert isinstance(ended.error, Refused)
    assert run.sink.outcomes == [] and ended.balance
    assert len(run.transport.sent) <= 15


async def test_a_wrong_secret_costs_one_call() -> None:
    """However many IDs it asked for, all of them stay to be done."""
    run = bench(lambda *_: (400, refusal_body("gw.SignatureInvalid")))
    ended = await run.run(ids(100))
    assert isinstance(ended.error, Refused)
    assert (len(run.transport.sent), ended.snapshot.left) == (1, 100)
    assert ended.balance


@pytest.mark.parametrize(
    ("first", "attempts"),
    [((503, b"busy"), 2), ((400, refusal_body("gw.QosAppFrequencyLimit")), 1), (Lost.TIMEOUT, 2)],
)
async def test_what_happens_to_a_call_happens_to_its_ids_together(first: Answer, attempts: int) -> None:
    """Tried again, they share a call again."""
    run = bench(
        lambda text, earlier, _: first if not earlier and int(ids(1)[0]) in asked(text) else answer(asked(text))
    )
    ended = await run.run(ids(60))
    assert ended.error is None and ended.balance
    counts = {one.id: one.attempts for one in run.sink.outcomes}
    assert {counts[one] for one in ids(20)} == {attempts}
    assert {counts[one] for one in ids(40, int(ids(21)[20]))} == {1}
    assert len(run.transport.sent) == 4
    assert ended.snapshot.paid_doubts == (1 if first is Lost.TIMEOUT else 0)


async def test_notes_are_of_ids_and_none_stays_open() -> None:
    """Split, throttled, lost or answered: at the end nothing is in doubt."""

    def script(text: str, earlier: int, now_s: float) -> Answer:
        if not earlier and len(text) % 3 == 0:
            return 400, refusal_body("gw.QosAppFrequencyLimit")
        if int(ids(30)[29]) in asked(text):
            return 400, refusal_body("gw.ParamInvalid")
        return answer(asked(text))

    run = bench(script)
    run.make([])
    notes = Notes(run.transport)
    ended = await Run(run.parts, ListFeed(ids(90)), run.sink, run.tally, notes=notes).run()
    assert ended.error is None
    assert notes.open == set()
    assert notes.noted == sum(len(asked(text)) for _, text in run.transport.sent)


async def test_nobody_waits_long_for_a_full_call() -> None:
    """IDs that come one by one go out within a moment, those that come together go together."""
    came_s: dict[str, float] = {}

    class Trickle(ListFeed):
        async def read(self, n: int) -> list[Item]:
            await asyncio.sleep(1.0)
            found = await super().read(3)
            came_s.update({item.id: run.clock.monotonic_s() for item in found})
            return found

    run = bench()
    made = run.make([])
    made._feed = Trickle(ids(12))
    ended = await made.run()
    assert ended.snapshot.fetched == 12
    assert [len(asked(text)) for _, text in run.transport.sent] == [3, 3, 3, 3]
    assert max(sent_s - came_s[str(asked(text)[0])] for sent_s, text in run.transport.sent) < 0.2


async def test_one_failure_too_many_is_counted_in_ids() -> None:
    """`--max-errors` is about IDs, however few calls they were."""
    run = bench(lambda text, *_: answer([]), max_errors="30")
    ended = await run.run(ids(400))
    assert ended.error is not None and "30" in str(ended.error)
    assert 30 <= ended.snapshot.failed < 200
