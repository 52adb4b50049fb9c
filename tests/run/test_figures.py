"""What a run feeds its figures: the time that IDs took with their waits, answers that hurt, failures, pauses."""

from __future__ import annotations

import pytest

from fetcher.model import Lost
from tests.fakes import Answer, product_body, refusal_body
from tests.run.parts import Bench, ids

pytestmark = pytest.mark.virtual_time


async def test_waits_count_for_the_id_and_not_for_the_call() -> None:
    """One ID in ten breaks once: its call took 50 ms like all others, the ID itself as long as its back-off too."""

    def script(product_id: str, before: int, now_s: float) -> Answer:
        if product_id.endswith("7") and not before:
            return 503, b"busy"
        return 200, product_body(product_id)

    bench = Bench(script)
    ended = await bench.run(ids(100))
    story = ended.story
    assert (bench.tally.latency.count, bench.tally.with_wait().count) == (110, 100)
    assert story.service[-1].duration_s == pytest.approx(0.05, abs=0.005)
    assert story.with_wait[-1].duration_s > 0.1
    [median] = [one.duration_s for one in story.with_wait if one.share == 0.5]
    assert median == pytest.approx(0.05, abs=0.005)
    assert bench.tally.snapshot(0.0).results["retry"] == 10


async def test_answers_that_hurt_are_kept_as_examples() -> None:
    """By kind and code with a message and IDs: refusals for all to wait, broken connections, failures at the end."""

    def script(product_id: str, before: int, now_s: float) -> Answer:
        if product_id.endswith("3") and not before:
            return 400, refusal_body("gw.QosAppFrequencyLimit", "too fast")
        if product_id.endswith("5") and not before:
            return Lost.DISCONNECTED
        if product_id.endswith("8"):
            return 503, b"<b>busy</b>"
        return 200, product_body(product_id)

    ended = await Bench(script, retries=1).run(ids(20))
    answers = {(one.kind, one.code): one for one in ended.story.answers}
    assert answers["throttle", "gw.QosAppFrequencyLimit"].count == 2
    assert answers["disconnected", None].ids == ["610000000005", "610000000015"]
    [failed] = ended.story.failures
    assert failed.count == 2 and failed.ids[0].endswith("8")


async def test_nothing_is_remembered_of_ids_that_are_done() -> None:
    """When it began is forgotten with the ID's end: the memory does not grow with the input."""

    def script(product_id: str, before: int, now_s: float) -> Answer:
        return (200, product_body(product_id)) if before else (503, b"")

    bench = Bench(script)
    run = bench.make(ids(50))
    await run.run()
    assert run._desk.begun_ms == {}
