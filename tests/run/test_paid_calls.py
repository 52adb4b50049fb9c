"""Calls that are charged: noted before they leave, limited, retried sparingly, reckoned up."""

from __future__ import annotations

import pytest

from fetcher.errors import LimitReached, OutputError
from fetcher.model import Kind, Lost
from fetcher.run.loop import Run
from tests.fakes import Answer, ListFeed, ScriptedTransport, always_well, product_body, refusal_body
from tests.run.parts import Bench, ids

pytestmark = pytest.mark.virtual_time


class Notes:
    """What an attempt journal is told, held against what has been sent."""

    def __init__(self, transport: ScriptedTransport, refuse_after: int = 10**9) -> None:
        self.transport, self.refuse_after = transport, refuse_after
        self.open: set[str] = set()
        self.noted = 0

    def calls(self, ids: list[str]) -> None:
        if self.noted + len(ids) > self.refuse_after:
            raise OutputError("no space left on the device")
        self.noted += len(ids)
        self.open.update(ids)

    def answered(self, product_id: str) -> None:
        self.open.discard(product_id)

    def stored(self, ids: list[str]) -> None:
        self.open.difference_update(ids)


def noted(bench: Bench, n: int, refuse_after: int = 10**9) -> tuple[Run, Notes]:
    """A run over `n` IDs that notes its calls."""
    bench.make([])
    notes = Notes(bench.transport, refuse_after)
    return Run(bench.parts, ListFeed(ids(n)), bench.sink, bench.tally, notes=notes), notes


async def test_every_call_is_noted_before_it_leaves() -> None:
    """At the moment of sending, each ID stands in the notes; at the end none does."""
    seen: list[bool] = []

    def script(product_id: str, earlier: int, now_s: float) -> Answer:
        seen.append(product_id in notes.open)
        if earlier == 0 and int(product_id) % 5 == 0:
            return 503, b"busy"
        if earlier == 0 and int(product_id) % 7 == 0:
            return 400, refusal_body("gw.QosAppFrequencyLimit")
        return 200, product_body(product_id)

    bench = Bench(script, price=0.01)
    run, notes = noted(bench, 300)
    ended = await run.run()
    assert ended.error is None
    assert all(seen) and len(seen) == len(bench.transport.sent) == notes.noted
    assert notes.open == set()


async def test_what_cannot_be_noted_is_not_called() -> None:
    """A full disk under the journal: the run ends as for any full disk, and no call left without its note."""
    bench = Bench()
    run, _ = noted(bench, 300, refuse_after=100)
    ended = await run.run()
    assert isinstance(ended.error, OutputError)
    assert len(bench.transport.sent) <= 100
    assert ended.snapshot.fetched == len(bench.transport.sent)
    assert ended.snapshot.left == ended.snapshot.read - ended.snapshot.fetched
    assert ended.balance


async def test_a_call_without_an_answer_stays_open_until_something_is_stored() -> None:
    """Abandoned in flight: may have been charged. Given up after its retries: a failure stands in the file."""
    bench = Bench(latency_s=50.0)
    run, notes = noted(bench, 10)

    def abandon_at_first_sight(snapshot: object) -> None:
        if bench.transport.sent:
            run.stop(LimitReached("stopped by the test"))
            run.abandon()

    run._observe = abandon_at_first_sight
    await run.run()
    assert notes.open == {product_id for _, product_id in bench.transport.sent} != set()

    bench = Bench(lambda product_id, *_: Lost.TIMEOUT if product_id.endswith("0") else (200, product_body(product_id)))
    run, notes = noted(bench, 40)
    ended = await run.run()
    assert ended.snapshot.failed_by_kind == {Kind.TIMEOUT: 4}
    assert notes.open == set()


@pytest.mark.parametrize("paid_retries", [0, 1, 3])
async def test_unanswered_calls_have_a_budget_of_their_own(paid_retries: int) -> None:
    """However many retries there are, a call that was sent and never answered is repeated so often and no more."""
    dead = ids(100)[50]

    def script(product_id: str, earlier: int, now_s: float) -> Answer:
        return Lost.DISCONNECTED if product_id == dead else always_well(product_id, earlier, now_s)

    bench = Bench(script, retries=8, paid_retries=paid_retries, price=0.5)
    ended = await bench.run(ids(100))
    assert bench.transport.asked[dead] == paid_retries + 1
    assert ended.snapshot.paid_doubts == paid_retries + 1
    assert ended.snapshot.cost == 0.5 * (99 + paid_retries + 1)


async def test_max_cost_stops_before_the_call_that_would_pass_it() -> None:
    """0.3 at 0.01 a call: thirty calls, and the words say which limit it was."""
    bench = Bench(max_cost=0.3, price=0.01)
    ended = await bench.run(ids(100))
    assert isinstance(ended.error, LimitReached) and "--max-cost 0.3" in str(ended.error)
    assert len(bench.transport.sent) == 30
    assert ended.snapshot.left == 70


async def test_what_never_left_is_no_call() -> None:
    """While nothing can be sent, no limit is used up and nothing is in doubt."""
    bench = Bench(max_calls=40)
    bench.transport.unreachable = lambda now_s: now_s < 5.0
    ended = await bench.run(ids(40))
    assert ended.error is None
    assert ended.snapshot.fetched == 40
    assert ended.snapshot.paid_doubts == 0
