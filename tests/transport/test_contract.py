"""What `fetcher.transport.contract` promises, asked of the fast lane, the httpx lane and the fake."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from fetcher.errors import Defect
from fetcher.model import Lost, NoReply, Reply
from tests.transport.conftest import REQUEST, Lane
from tests.transport.fake import SILENCE
from tests.transport.raw_server import plain
from tests.transport.scripts import BODY, BROKEN, GOOD, Script


def by_name(script: Script) -> str:
    return script.name


WELL = GOOD[0]
SECRETS = ("t0k3n", "productID", "openapi", "127.0.0.1", "a=b")


async def connection_of(transport: Any) -> Any:
    connection = await transport.ready()
    assert not isinstance(connection, NoReply)
    return connection


@pytest.mark.parametrize("script", GOOD, ids=by_name)
async def test_a_sound_answer_is_a_reply(lane: Lane, script: Script) -> None:
    """However it is framed and compressed, the body comes out whole."""
    async with lane(script) as transport:
        reply = await (await connection_of(transport)).exchange(REQUEST, 2)
        assert isinstance(reply, Reply)
        assert (reply.status, reply.body) == (script.status, script.body)


@pytest.mark.parametrize("script", BROKEN, ids=by_name)
async def test_a_broken_answer_is_lost_and_was_sent(lane: Lane, script: Script) -> None:
    """It is never a reply with half of a body; the request may have been charged."""
    async with lane(script) as transport:
        lost = await (await connection_of(transport)).exchange(REQUEST, 2)
        assert isinstance(lost, NoReply)
        assert (lost.kind, lost.sent, lost.permanent) == (script.lost, True, False)
        assert not any(secret in lost.detail for secret in SECRETS)
        assert lost.started_s <= lost.ended_s


async def test_a_reply_has_the_headers_that_the_run_reads(lane: Lane) -> None:
    """Content type, Retry-After and Date come as they were sent."""
    headers = (
        "content-type: application/json;charset=UTF-8",
        "RETRY-AFTER: 120",
        "Date: Mon, 23 Nov 2026 18:00:00 GMT",
    )
    async with lane(Script("headers", plain(BODY, *headers))) as transport:
        reply = await (await connection_of(transport)).exchange(REQUEST, 2)
        assert reply.content_type == "application/json;charset=UTF-8"
        assert reply.retry_after == "120"
        assert reply.date == "Mon, 23 Nov 2026 18:00:00 GMT"


async def test_headers_that_are_missing_are_empty(lane: Lane) -> None:
    """Nothing is made up, and nothing is left over from an earlier answer."""
    async with lane(WELL) as transport:
        reply = await (await connection_of(transport)).exchange(REQUEST, 2)
        assert (reply.content_type, reply.retry_after, reply.date) == ("", None, None)


async def test_the_times_are_of_the_injected_clock(lane: Lane) -> None:
    """A reply began after it was asked for and ended before it was looked at."""
    async with lane(WELL) as transport:
        connection = await connection_of(transport)
        before_s = time.monotonic()
        reply = await connection.exchange(REQUEST, 2)
        assert before_s <= reply.started_s <= reply.ended_s <= time.monotonic()


async def test_many_exchanges_one_after_another(lane: Lane) -> None:
    """Connections are given back by themselves, and nothing of one answer shows in the next."""
    async with lane(WELL) as transport:
        for _ in range(20):
            reply = await (await connection_of(transport)).exchange(REQUEST, 2)
            assert reply.body == BODY
        assert transport.in_use == 0


async def test_a_caller_may_hold_several_connections(lane: Lane) -> None:
    """One a worker, before any of them has a permit."""
    async with lane(WELL) as transport:
        held = [await connection_of(transport) for _ in range(5)]
        assert transport.in_use == 5
        assert all(connection.usable() for connection in held)
        replies = await asyncio.gather(*(connection.exchange(REQUEST, 2) for connection in held))
        assert [reply.body for reply in replies] == [BODY] * 5
        assert transport.in_use == 0


async def test_an_unused_connection_is_released(lane: Lane) -> None:
    """Giving it back costs nothing, and doing so twice does no harm."""
    async with lane(WELL) as transport:
        connection = await connection_of(transport)
        connection.release()
        connection.release()
        assert transport.in_use == 0
        first, second = await connection_of(transport), await connection_of(transport)
        assert first is not second


async def test_a_connection_is_good_for_one_exchange(lane: Lane) -> None:
    """After it the connection may be another's: using it again is a defect of the caller."""
    async with lane(WELL) as transport:
        connection = await connection_of(transport)
        await connection.exchange(REQUEST, 2)
        with pytest.raises(Defect):
            await connection.exchange(REQUEST, 2)


async def test_the_deadline_ends_silence(lane: Lane) -> None:
    """Not before it, and soon after."""
    async with lane(SILENCE) as transport:
        connection = await connection_of(transport)
        began_s = time.monotonic()
        lost = await connection.exchange(REQUEST, 0.1)
        assert (lost.kind, lost.sent) == (Lost.TIMEOUT, True)
        assert 0.09 <= time.monotonic() - began_s < 2
        assert transport.in_use == 0


async def test_a_cancelled_exchange_leaves_nothing(lane: Lane) -> None:
    """The caller gets its cancellation, and the transport goes on."""
    async with lane(SILENCE) as transport:
        connection = await connection_of(transport)
        task = asyncio.create_task(connection.exchange(REQUEST, 5))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(0.01)
        assert transport.in_use == 0
        assert not isinstance(await transport.ready(), NoReply)


async def test_a_closed_transport_has_no_connections(lane: Lane) -> None:
    """It says so as a value, and nothing was sent."""
    async with lane(WELL) as transport:
        connection = await connection_of(transport)
        await transport.aclose()
        assert not connection.usable()
        lost = await connection.exchange(REQUEST, 2)
        assert (lost.kind, lost.sent) == (Lost.DISCONNECTED, False)
        got = await transport.ready()
        assert isinstance(got, NoReply)
        assert not got.sent


async def test_a_started_exchange_is_heard_of_once(lane: Lane) -> None:
    """Not from within `start`, and with the connection free for the next."""
    async with lane(WELL) as transport:
        heard: list[Any] = []
        told = asyncio.Event()

        def done(answer: Any) -> None:
            heard.append((answer, transport.in_use))
            told.set()

        for turn in range(1, 4):
            told.clear()
            (await connection_of(transport)).start(REQUEST, 2, done)
            assert len(heard) == turn - 1
            await asyncio.wait_for(told.wait(), 5)
            assert len(heard) == turn
        assert [(answer.body, in_use) for answer, in_use in heard] == [(BODY, 0)] * 3


async def test_a_started_exchange_ends_with_the_transport(lane: Lane) -> None:
    """As lost, and once."""
    async with lane(SILENCE) as transport:
        heard: list[Any] = []
        (await connection_of(transport)).start(REQUEST, 30, heard.append)
        await asyncio.sleep(0.02)
        await transport.aclose()
        await asyncio.sleep(0.02)
        assert [answer.kind for answer in heard] == [Lost.DISCONNECTED]


async def test_an_idle_connection_is_taken_without_waiting(lane: Lane) -> None:
    """Opened first, taken later; taking none is no error."""
    async with lane(WELL) as transport:
        assert await transport.open() is None
        assert transport.idle >= 1
        connection = transport.take()
        assert connection is not None and connection.usable()
        connection.release()
        await transport.aclose()
        assert transport.idle == 0
        assert transport.take() is None
        assert not (await transport.open()).sent
