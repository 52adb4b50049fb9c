"""Outcomes on their way to the writer."""

from __future__ import annotations

import asyncio

import pytest

from fetcher.model import Product
from fetcher.run.buffer import LOT_BYTES, OutcomeBuffer

pytestmark = pytest.mark.virtual_time


def product(number: int, size_bytes: int = 2) -> Product:
    return Product(str(number), 0, 1, 1.0, b"x" * size_bytes)


async def test_it_is_full_by_count_and_by_bytes() -> None:
    """Many small answers or few large ones: both hold the calls back."""
    many, large = OutcomeBuffer(limit=3), OutcomeBuffer(limit_bytes=100)
    for number in range(3):
        assert not many.full
        many.put(product(number))
    large.put(product(1, 100))
    assert many.full and large.full
    assert len(large.take()) == 1
    assert not large.full


async def test_gathering_lasts_its_time_unless_it_is_full() -> None:
    """Fifty milliseconds for one answer, none for a full buffer."""
    loop, buffer = asyncio.get_running_loop(), OutcomeBuffer(limit=2)
    buffer.put(product(1))
    started_s = loop.time()
    await buffer.gather(0.05)
    assert 0.05 <= loop.time() - started_s < 0.06
    buffer.put(product(2))
    started_s = loop.time()
    await buffer.gather(0.05)
    assert loop.time() - started_s < 0.001


async def test_gathering_ends_when_there_is_a_lot() -> None:
    """Nobody waits for more than the caches hold, whichever way it came."""
    loop = asyncio.get_running_loop()
    for fill in (
        lambda buffer: buffer.put(product(1, LOT_BYTES)),
        lambda buffer: buffer.extend([product(1, LOT_BYTES)]),
    ):
        buffer = OutcomeBuffer()
        fill(buffer)
        assert not buffer.full
        started_s = loop.time()
        await buffer.gather(0.05)
        assert loop.time() - started_s < 0.001


async def test_a_closed_buffer_gives_what_it_holds_and_then_ends() -> None:
    """Nothing that was put is lost by closing."""
    buffer = OutcomeBuffer()
    buffer.put(product(1))
    buffer.close()
    assert await buffer.wait()
    assert [one.id for one in buffer.take()] == ["1"]
    assert not await buffer.wait()


async def test_nothing_is_gathered_for_when_nothing_more_comes() -> None:
    """Who knows that says so; and a time of none is none."""
    loop, buffer = asyncio.get_running_loop(), OutcomeBuffer()
    started_s = loop.time()
    buffer.put(product(1))
    loop.call_later(0.01, buffer.press)
    await buffer.gather(0.05)
    await buffer.gather(0.0)
    assert loop.time() - started_s < 0.02
