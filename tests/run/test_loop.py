"""Whole runs on virtual time: what comes out, when calls start, how runs end."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from fetcher.errors import LimitReached, OutputError, Refused, TooManyErrors, UsageError
from fetcher.model import Kind, Lost, Outcome
from fetcher.run.desk import Interrupted
from tests.fakes import Answer, ListSink, always_well, product_body, refusal_body, worst_second
from tests.run.parts import Bench, ids

pytestmark = pytest.mark.virtual_time


async def test_every_id_is_fetched_once() -> None:
    """Each ID of the input has one product, and each cost one call."""
    bench = Bench()
    ended = await bench.run(ids(500))
    assert ended.error is None
    assert sorted(bench.stored) == ids(500)
    assert len(bench.transport.sent) == 500
    assert ended.balance


@pytest.mark.untraced
@pytest.mark.parametrize("qps", [1.0, 5.0, 20.0, 100.0, 1000.0])
async def test_the_cap_is_used_and_never_passed(qps: float) -> None:
    """No second holds more calls than the cap, and at least 97 % of it are used."""
    bench = Bench(qps=qps)
    calls = max(20, int(qps * 8))
    await bench.run(ids(calls))
    sent_s = bench.sent_s
    assert worst_second(sent_s) <= qps
    # The first calls go one by one until the gateway has shown that it takes them.
    steady = sent_s[10:]
    assert (len(steady) - 1) / (steady[-1] - steady[0]) >= 0.97 * qps


async def test_an_empty_input_ends_at_once() -> None:
    """Nothing to do is done."""
    ended = await Bench().run([])
    assert ended.error is None
    assert ended.snapshot.read == 0


async def test_whoever_is_shown_the_figures_may_stop_the_run() -> None:
    """What is in flight is finished; every ID is fetched or left; the reason given is the run's."""
    bench = Bench(qps=20.0)
    run = bench.make(ids(500))
    run._observe = lambda snapshot: LimitReached("enough") if snapshot.fetched >= 40 else None
    ended = await run.run()
    assert str(ended.error) == "enough"
    assert 40 <= len(bench.stored) < 60
    assert len(bench.stored) + len(run.left) == 500
    assert ended.balance


async def test_transient_failures_are_tried_again() -> None:
    """An ID that fails twice and then answers is fetched, with three attempts on its line."""

    def script(product_id: str, earlier: int, now_s: float) -> Answer:
        return (503, b"busy") if earlier < 2 and product_id.endswith("7") else (200, product_body(product_id))

    bench = Bench(script)
    ended = await bench.run(ids(50))
    assert ended.error is None
    attempts = {outcome.id: outcome.attempts for outcome in bench.sink.outcomes}
    assert {count for product_id, count in attempts.items() if product_id.endswith("7")} == {3}
    assert {count for product_id, count in attempts.items() if not product_id.endswith("7")} == {1}


async def test_an_id_that_never_answers_fails_with_what_was_said() -> None:
    """When the attempts are used up, the ID stands among the failures, marked as worth another try."""

    def script(product_id: str, earlier: int, now_s: float) -> Answer:
        return (500, b"oops") if product_id.endswith("3") else (200, product_body(product_id))

    bench = Bench(script, retries=2)
    await bench.run(ids(20))
    failed = [outcome for outcome in bench.sink.outcomes if not outcome.ok]
    assert [outcome.id[-1] for outcome in failed] == ["3", "3"]
    assert {(one.error.kind, one.error.permanent, one.attempts) for one in failed} == {(Kind.SERVER, False, 3)}  # type: ignore[union-attr]


async def test_a_wrong_secret_costs_one_call_and_fails_no_id() -> None:
    """The first answer refuses the signature: the run stops, every ID stays to be done."""
    bench = Bench(lambda *_: (400, refusal_body("gw.SignatureInvalid")))
    ended = await bench.run(ids(1000))
    assert isinstance(ended.error, Refused)
    assert "FETCHER_APP_SECRET" in ended.error.advice or "secret" in ended.error.advice
    assert len(bench.transport.sent) == 1
    assert bench.sink.outcomes == []
    assert ended.balance


async def test_a_missing_permission_costs_at_most_three_calls() -> None:
    """An API that the key may not call is found out with few calls."""
    bench = Bench(lambda *_: (400, refusal_body("gw.APIACLDecline", "AppKey is not allowed(acl)")))
    ended = await bench.run(ids(1000))
    assert isinstance(ended.error, Refused)
    assert len(bench.transport.sent) <= 3
    assert bench.sink.outcomes == []


async def test_one_fatal_answer_amid_successes_belongs_to_its_id() -> None:
    """A single refused signature among products does not end the run."""

    def script(product_id: str, earlier: int, now_s: float) -> Answer:
        if product_id.endswith("042"):
            return 400, refusal_body("gw.SignatureInvalid")
        return 200, product_body(product_id)

    bench = Bench(script)
    ended = await bench.run(ids(200))
    assert ended.error is None
    assert [outcome.id[-3:] for outcome in bench.sink.outcomes if not outcome.ok] == ["042"]


async def test_a_permission_lost_in_mid_run_stops_it_without_failures() -> None:
    """When the gateway starts to refuse all, the run stops after what was in flight; no ID is marked failed."""

    def script(product_id: str, earlier: int, now_s: float) -> Answer:
        return (200, product_body(product_id)) if now_s < 1 else (400, refusal_body("gw.APIACLDecline"))

    bench = Bench(script)
    ended = await bench.run(ids(1000))
    assert isinstance(ended.error, Refused)
    assert all(outcome.ok for outcome in bench.sink.outcomes)
    after = [time_s for time_s in bench.sent_s if time_s >= 1]
    assert len(after) <= bench.transport.most_open + 8
    assert ended.snapshot.left + ended.snapshot.fetched >= 100


async def test_a_throttle_slows_all_and_costs_no_attempt() -> None:
    """After an answer over the rate everyone pauses; the ID is tried again and its line says one attempt."""

    def script(product_id: str, earlier: int, now_s: float) -> Answer:
        if product_id.endswith("50") and not earlier:
            return 400, refusal_body("gw.QosAppFrequencyLimit")
        return 200, product_body(product_id)

    bench = Bench(script)
    ended = await bench.run(ids(100))
    assert ended.error is None
    assert {outcome.attempts for outcome in bench.sink.outcomes} == {1}
    sent_s = bench.sent_s
    assert max(after - before for before, after in pairwise(sent_s)) >= 1.0
    assert ended.snapshot.throttles == 1


@pytest.mark.untraced
async def test_a_stricter_cap_than_configured_is_found() -> None:
    """The gateway allows 60 a second of the 100 configured: the run ends with every product and few refusals."""
    accepted: list[float] = []

    def script(product_id: str, earlier: int, now_s: float) -> Answer:
        if sum(1 for time_s in accepted[-60:] if time_s > now_s - 1) >= 60:
            return 400, refusal_body("gw.QosAppFrequencyLimit")
        accepted.append(now_s)
        return 200, product_body(product_id)

    bench = Bench(script)
    ended = await bench.run(ids(6000))
    assert ended.error is None
    assert ended.snapshot.fetched == 6000
    assert ended.snapshot.throttles / len(bench.transport.sent) <= 0.03
    assert 6000 / (bench.sent_s[-1] - bench.sent_s[0]) >= 0.7 * 60


async def test_max_calls_stops_before_the_call_too_many() -> None:
    """Exactly so many calls are made, retries counted; the rest stays to be done."""
    bench = Bench(max_calls=30)
    ended = await bench.run(ids(100))
    assert isinstance(ended.error, LimitReached)
    assert len(bench.transport.sent) == 30
    assert ended.snapshot.fetched == 30
    assert ended.snapshot.left == 70


async def test_max_calls_that_suffices_is_no_error() -> None:
    """As many calls as IDs: all is fetched and nothing is said about a limit."""
    ended = await Bench(max_calls=40).run(ids(40))
    assert ended.error is None


async def test_max_errors_stops_the_run() -> None:
    """The tenth failure is one too many."""
    bench = Bench(
        lambda product_id, *_: (200, b'{"productInfo":null,"errMsg":"\xe4\xb8\x8d\xe5\xad\x98\xe5\x9c\xa8"}'),
        max_errors="10",
    )
    ended = await bench.run(ids(1000))
    assert isinstance(ended.error, TooManyErrors)
    assert 10 <= ended.snapshot.failed < 100


async def test_a_stopped_run_finishes_what_is_in_flight() -> None:
    """After the first signal nothing new starts, and what was sent is stored."""
    bench = Bench(latency_s=0.5)
    run = bench.make(ids(1000))

    async def interrupt() -> float:
        await asyncio.sleep(3)
        run.stop(Interrupted(2, "SIGINT"))
        return bench.clock.monotonic_s()

    ended, stopped_s = await asyncio.gather(run.run(), interrupt())
    assert ended.error is not None and ended.error.exit_code == 130
    assert bench.sent_s[-1] <= stopped_s
    assert len(bench.sink.outcomes) == len(bench.transport.sent)
    assert ended.snapshot.left == 1000 - len(bench.sink.outcomes)


async def test_an_abandoned_run_ends_at_once_and_keeps_what_was_answered() -> None:
    """The second signal does not wait for the gateway; what was in flight stays to be done."""
    bench = Bench(latency_s=20)
    run = bench.make(ids(100))

    async def interrupt() -> None:
        await asyncio.sleep(21)
        run.stop(Interrupted(2, "SIGINT"))
        run.abandon()

    started_s = bench.clock.monotonic_s()
    ended, _ = await asyncio.gather(run.run(), interrupt())
    assert bench.clock.monotonic_s() - started_s < 22
    assert ended.balance
    assert ended.snapshot.fetched + ended.snapshot.left == 100
    assert ended.snapshot.fetched >= 1


async def test_a_full_disk_stops_the_calls_and_marks_nothing() -> None:
    """When the sink refuses, the run ends with its error and the IDs count as left."""

    class Full(ListSink):
        async def put(self, outcomes: list[Outcome]) -> None:
            if len(self.outcomes) > 100:
                raise OutputError("no space left on the device")
            await super().put(outcomes)

    bench = Bench()
    bench.sink = Full()
    ended = await bench.run(ids(1000))
    assert isinstance(ended.error, OutputError)
    assert ended.balance
    assert ended.snapshot.fetched == len(bench.sink.outcomes)
    assert len(bench.transport.sent) <= len(bench.sink.outcomes) + 60


@pytest.mark.untraced
async def test_a_slow_sink_holds_the_calls_back() -> None:
    """Answers do not pile up before a disk that cannot keep up."""
    bench = Bench(qps=1000.0)
    bench.sink = ListSink(wait_s=30)
    run = bench.make(ids(20_000))
    most = 0

    async def watch() -> None:
        nonlocal most
        while True:
            await asyncio.sleep(1)
            most = max(most, len(bench.transport.sent) - len(bench.sink.outcomes))

    watcher = asyncio.create_task(watch())
    ended = await run.run()
    watcher.cancel()
    assert ended.error is None
    assert most < 2 * 4096 + 200


async def test_a_gateway_that_is_not_there_is_said_before_anything_is_sent() -> None:
    """No connection at all: a sentence after seconds, exit code 2, nothing marked."""
    bench = Bench()
    bench.transport.unreachable = lambda now_s: True
    ended = await bench.run(ids(10))
    assert isinstance(ended.error, UsageError)
    assert "connection refused" in str(ended.error)
    assert bench.transport.sent == []
    assert bench.clock.monotonic_s() < 20


@pytest.mark.untraced
async def test_an_outage_is_waited_out() -> None:
    """Two minutes without a connection: few knocks at the door, then everything is fetched."""
    bench = Bench()
    bench.transport.unreachable = lambda now_s: 2 <= now_s < 122
    bench.transport.script = lambda product_id, earlier, now_s: (
        Lost.DISCONNECTED if 2 <= now_s < 122 else (200, product_body(product_id))
    )
    before = 0
    ended = await bench.run(ids(600))
    assert ended.error is None
    assert ended.snapshot.fetched == 600
    assert len(bench.transport.sent) - before <= 600 + 60
    assert bench.transport.connects < 1500


async def test_an_outage_that_lasts_ends_resumably() -> None:
    """After `max_outage_s` the run gives up; no ID is marked failed."""
    bench = Bench(max_outage_s=60.0)
    bench.transport.unreachable = lambda now_s: now_s > 1
    bench.transport.script = lambda product_id, earlier, now_s: (
        Lost.DISCONNECTED if now_s > 1 else (200, product_body(product_id))
    )
    ended = await bench.run(ids(1000))
    assert isinstance(ended.error, LimitReached)
    assert all(outcome.ok for outcome in bench.sink.outcomes)
    assert bench.clock.monotonic_s() < 200


async def test_a_gateway_that_only_throttles_ends_resumably() -> None:
    """Hours of refusals are not waited for: the run stops, says why, and leaves the IDs to be done."""
    bench = Bench(lambda *_: (400, refusal_body("gw.QosAppFrequencyLimit")), max_outage_s=120.0)
    ended = await bench.run(ids(10))
    assert isinstance(ended.error, LimitReached)
    assert bench.sink.outcomes == []
    assert bench.clock.monotonic_s() < 400


async def test_a_deep_pause_of_one_id_does_not_hold_the_others() -> None:
    """A waiting retry is data, not a sleeping worker."""

    def script(product_id: str, earlier: int, now_s: float) -> Answer:
        return (503, b"") if product_id == ids(1)[0] and earlier < 4 else (200, product_body(product_id))

    bench = Bench(script, concurrency=2, qps=20.0)
    await bench.run(ids(50))
    assert bench.transport.most_open <= 2
    assert len(bench.sink.outcomes) == 50


async def test_the_beginning_of_an_outage_fails_no_id() -> None:
    """At a low rate an ID uses up its attempts before anybody can call it an outage: it is held until that is known."""
    bench = Bench(
        lambda product_id, earlier, now_s: Lost.DISCONNECTED if 20 < now_s < 90 else always_well(product_id, 0, now_s),
        qps=5.0,
        paid_retries=1,
        retries=1,
    )
    ended = await bench.run(ids(200))
    assert ended.error is None
    assert ended.snapshot.failed == 0
    assert ended.snapshot.fetched == 200


async def test_ids_that_always_fail_at_the_very_end_fail() -> None:
    """Nothing goes well after them; when nothing else is left, they are what has failed."""
    bad = set(ids(60)[-5:])
    bench = Bench(lambda one, *rest: (503, b"no") if one in bad else always_well(one, *rest), retries=1)
    ended = await bench.run(ids(60))
    assert ended.error is None
    assert ended.snapshot.failed == 5
    assert {outcome.id for outcome in bench.sink.outcomes if not outcome.ok} == bad
    assert ended.balance


async def test_a_run_that_is_stopped_leaves_what_it_was_not_sure_of() -> None:
    """Interrupted while an ID's failure may be an outage's: it stays to be done."""
    bench = Bench(lambda *_: (503, b"no"), retries=0, qps=5.0)
    run = bench.make(ids(50))

    async def interrupt() -> None:
        await asyncio.sleep(2.0)
        run.stop(Interrupted(2, "SIGINT"))

    ended, _ = await asyncio.gather(run.run(), interrupt())
    assert ended.snapshot.failed == 0
    assert ended.snapshot.left == 50
    assert ended.balance
