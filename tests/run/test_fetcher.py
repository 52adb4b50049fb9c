"""The library's face."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
import respx

from fetcher import Failure, Fetcher, Kind, Product, Refused, Settings, UsageError
from fetcher.errors import Defect
from fetcher.policy import FieldFilter
from fetcher.run.fetcher import _thinned
from tests.fakes import LoopClock, ScriptedTransport, product_body, refusal_body, worst_second
from tests.run.parts import ids

pytestmark = pytest.mark.virtual_time

SETTINGS = Settings(app_key="1000000", app_secret="sandbox-secret", qps=100)


async def opened(fetcher: Fetcher, **options: object) -> ScriptedTransport:
    """Put a scripted transport under an entered fetcher."""
    transport = ScriptedTransport(LoopClock(), **options)  # type: ignore[arg-type]
    assert fetcher._parts is not None
    await fetcher._parts.transport.aclose()
    fetcher._parts.transport = transport
    return transport


async def test_a_stream_brings_one_outcome_an_id() -> None:
    """Products and failures, duplicates once, bad IDs named with their place."""
    async with Fetcher(SETTINGS, clock=LoopClock()) as fetcher:
        await opened(fetcher)
        outcomes = {one.id: one async for one in fetcher.stream([*ids(20), ids(1)[0], 610000000005, "abc"])}
    assert len(outcomes) == 21
    bad = outcomes.pop("abc")
    assert isinstance(bad, Failure) and bad.error.kind is Kind.BAD_ID and bad.error.line == 23
    assert all(isinstance(one, Product) for one in outcomes.values())
    first = outcomes[ids(1)[0]]
    assert isinstance(first, Product) and first.data["productInfo"]["productID"] == int(ids(1)[0])


async def test_an_async_source_is_taken_too() -> None:
    """IDs may come one by one from anywhere."""

    async def source() -> AsyncIterator[str]:
        for product_id in ids(10):
            yield product_id

    async with Fetcher(SETTINGS, clock=LoopClock()) as fetcher:
        await opened(fetcher)
        assert sorted([one.id async for one in fetcher.stream(source())]) == ids(10)


async def test_fields_are_left_out() -> None:
    """As the command does it: what is not to be kept is not handed out."""
    settings = dataclasses.replace(SETTINGS, keep=["productInfo.productID", "productInfo.subject"])
    async with Fetcher(settings, clock=LoopClock()) as fetcher:
        await opened(fetcher)
        outcomes = [one async for one in fetcher.stream([*ids(3), "abc"])]
    kept = [one.data for one in outcomes if isinstance(one, Product)]
    assert len(kept) == 3 and all(set(data["productInfo"]) <= {"productID", "subject"} for data in kept)
    assert all(data["productInfo"]["productID"] for data in kept)
    async with Fetcher(dataclasses.replace(SETTINGS, drop="productInfo"), clock=LoopClock()) as fetcher:
        await opened(fetcher)
        one = await fetcher.fetch(ids(1)[0])
    assert isinstance(one, Product) and "productInfo" not in one.data


async def test_what_cannot_be_taken_out_is_not_handed_out() -> None:
    """An answer that is nested too deep to be taken apart ends the stream."""
    deep = b'{"productInfo":{"productID":%d,"x":' + b"[" * 3000 + b"]" * 3000 + b"}}"
    outcome = Product("1", 0, 1, 1.0, deep)
    with pytest.raises(Defect, match="could not be kept"):
        _thinned(outcome, FieldFilter(drop=[("productInfo", "*", "*")]))


def test_a_product_is_shown_short() -> None:
    """Its payload may be megabytes."""
    assert repr(Product("12", 0, 1, 42.123, b"x" * 5000)) == (
        "Product('12', attempts=1, latency_ms=42.1, payload of 5000 bytes)"
    )


async def test_fetch_brings_one() -> None:
    """One ID, one outcome, one call."""
    async with Fetcher(SETTINGS, clock=LoopClock()) as fetcher:
        transport = await opened(fetcher)
        one = await fetcher.fetch(610_000_000_001)
        assert one.ok and one.id == "610000000001"
        assert len(transport.sent) == 1


async def test_streams_share_one_cap() -> None:
    """Two streams at once stay under the cap together."""
    import asyncio

    async with Fetcher(SETTINGS, clock=LoopClock()) as fetcher:
        transport = await opened(fetcher)

        async def drain(first: int) -> int:
            return len([one async for one in fetcher.stream(ids(200, first))])

        assert await asyncio.gather(drain(1), drain(10_000)) == [200, 200]
        assert worst_second([time_s for time_s, _ in transport.sent]) <= 100


async def test_a_stream_that_is_left_early_stops_calling() -> None:
    """Only what was in flight was called in vain, and the fetcher goes on being of use."""
    async with Fetcher(SETTINGS, clock=LoopClock()) as fetcher:
        transport = await opened(fetcher)
        stream = fetcher.stream(ids(5000))
        async for _ in stream:
            break
        await stream.aclose()  # type: ignore[attr-defined]
        called = len(transport.sent)
        assert called < 100
        assert (await fetcher.fetch("1")).ok
        assert len(transport.sent) == called + 1


async def test_a_slow_user_holds_the_calls_back() -> None:
    """Outcomes do not pile up before a loop that takes a second for each."""
    import asyncio

    def numbers() -> Iterator[str]:
        yield from ids(20_000)

    async with Fetcher(SETTINGS, clock=LoopClock()) as fetcher:
        transport = await opened(fetcher)
        taken = 0
        stream = fetcher.stream(numbers())
        async for _ in stream:
            taken += 1
            await asyncio.sleep(1)
            if taken == 120:
                break
        await stream.aclose()  # type: ignore[attr-defined]
        assert len(transport.sent) < 1200


async def test_a_refusal_is_raised_from_the_stream() -> None:
    """A wrong secret ends the loop with `Refused`."""
    async with Fetcher(SETTINGS, clock=LoopClock()) as fetcher:
        await opened(fetcher, script=lambda *_: (400, refusal_body("gw.SignatureInvalid")))
        with pytest.raises(Refused):
            async for _ in fetcher.stream(ids(3)):
                pass


async def test_a_text_is_not_taken_for_its_characters() -> None:
    """`stream("610000000001")` would call for 6, 1 and 0."""
    async with Fetcher(SETTINGS, clock=LoopClock()) as fetcher:
        transport = await opened(fetcher)
        with pytest.raises(UsageError, match="is a text") as refused:
            assert [one async for one in fetcher.stream("610000000001")] == []
        assert "fetch(id)" in refused.value.advice and transport.sent == []


async def test_without_entering_it_says_how() -> None:
    """A sentence, not an AttributeError."""
    with pytest.raises(UsageError, match="async with"):
        await Fetcher(SETTINGS).fetch("1")


async def test_missing_credentials_are_named_on_entering() -> None:
    """Which variable, before anything is sent."""
    with pytest.raises(UsageError, match="FETCHER_APP_SECRET"):
        async with Fetcher(Settings(app_key="1")):
            pass


@respx.mock
async def test_a_client_of_the_users_own_is_used_as_it_is() -> None:
    """The signed form goes through the handed-over httpx client; nothing secret stands in the URL."""
    route = respx.post(
        "https://gw.open.1688.com/openapi/param2/1/com.alibaba.product/alibaba.product.get/1000000"
    ).mock(return_value=httpx.Response(200, content=product_body("610000000001")))
    async with httpx.AsyncClient() as client, Fetcher(SETTINGS, client=client) as fetcher:
        one = await fetcher.fetch("610000000001")
    assert one.ok
    assert b"_aop_signature=" in route.calls.last.request.content
