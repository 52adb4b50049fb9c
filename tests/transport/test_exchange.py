"""One request out and one answer in, over plain sockets: whole, broken, reset, late, cancelled."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

from fetcher.errors import Defect
from fetcher.model import Lost, NoReply, Reply, Request
from fetcher.transport.exchange import FastConnection
from tests.transport.conftest import REQUEST
from tests.transport.lanes import connection_of, fast, until
from tests.transport.raw_server import Far, answering, chunked, plain, silent
from tests.transport.scripts import BODY, BROKEN, GOOD, STRICT, Script


@pytest.mark.parametrize("script", STRICT, ids=lambda script: script.name)
async def test_what_others_let_pass_is_lost(script: Script) -> None:
    """Answers that two readers could understand in two ways are not understood at all."""
    async with fast(answering(script.answer, close=script.close)) as (transport, _):
        lost = await (await connection_of(transport)).exchange(REQUEST, 2)
        assert isinstance(lost, NoReply)
        assert (lost.kind, lost.sent) == (script.lost, True)
        assert (transport.in_use, transport.idle) == (0, 0)


@pytest.mark.parametrize("script", [one for one in GOOD if one.reusable is not None], ids=lambda script: script.name)
async def test_a_clean_connection_is_used_again_and_no_other(script: Script) -> None:
    """What may follow an answer is known for certain, or the connection is closed."""
    async with fast(answering(script.answer)) as (transport, server):
        for _ in range(3):
            reply = await (await connection_of(transport)).exchange(REQUEST, 2)
            assert isinstance(reply, Reply)
            assert reply.body == script.body
        assert server.connections == (1 if script.reusable else 3)
        assert transport.idle == (1 if script.reusable else 0)


@pytest.mark.parametrize("script", [one for one in BROKEN if len(one.answer) < 400], ids=lambda script: script.name)
async def test_a_broken_answer_byte_by_byte(script: Script) -> None:
    """It makes no difference, and the connection is closed."""

    async def drip(far: Far) -> None:
        await far.request()
        for at in range(len(script.answer)):
            await far.say(script.answer[at : at + 1])
            await asyncio.sleep(0)

    async with fast(drip) as (transport, _):
        lost = await (await connection_of(transport)).exchange(REQUEST, 2)
        assert isinstance(lost, NoReply)
        assert lost.kind is script.lost
        assert transport.idle == 0


async def test_a_large_request_arrives_whole() -> None:
    """Larger than any socket's buffer."""
    async with fast(answering(plain(b"ok"))) as (transport, server):
        body = b"x" * 5_000_000
        reply = await (await connection_of(transport)).exchange(Request("POST", "/", body), 5)
        assert isinstance(reply, Reply)
        assert server.requests[0].endswith(body)


async def test_an_early_answer_is_a_reply_but_ends_the_connection() -> None:
    """A server may answer before it has read all; what is left of the request must not reach the next exchange."""

    async def impatient(far: Far) -> None:
        await far.reader.readuntil(b"\r\n\r\n")
        await far.say(plain(b"too long", status="413 Too Long"))
        await asyncio.sleep(5)

    async with fast(impatient) as (transport, _):
        reply = await (await connection_of(transport)).exchange(Request("POST", "/", b"x" * 30_000_000), 5)
        assert isinstance(reply, Reply)
        assert (reply.status, reply.body) == (413, b"too long")
        assert transport.idle == 0


async def test_a_held_connection_that_is_closed_is_not_usable() -> None:
    """The caller asks before sending; if it does not, nothing leaves."""

    async def closing(far: Far) -> None:
        await asyncio.sleep(0)

    async with fast(closing) as (transport, _):
        connection = await connection_of(transport)
        await until(lambda: not connection.usable())
        lost = await connection.exchange(REQUEST, 2)
        assert isinstance(lost, NoReply)
        assert (lost.kind, lost.sent) == (Lost.DISCONNECTED, False)
        connection.release()
        assert (transport.idle, transport.in_use) == (0, 0)


async def reset_after_request(far: Far) -> None:
    await far.request()
    far.reset()


async def reset_within_answer(far: Far) -> None:
    await far.request()
    await far.say(plain(BODY)[:-4])
    await asyncio.sleep(0.01)
    far.reset()


async def reset_instead_of_end(far: Far) -> None:
    await far.request()
    await far.say(b"HTTP/1.1 200 OK\r\n\r\n" + BODY)
    await asyncio.sleep(0.01)
    far.reset()


@pytest.mark.parametrize("handler", [reset_after_request, reset_within_answer, reset_instead_of_end])
async def test_a_reset_is_lost_and_was_sent(handler: Callable[[Far], Awaitable[None]]) -> None:
    """Also where the end of the connection would have ended the body: a reset is no end."""
    async with fast(handler) as (transport, server):
        lost = await (await connection_of(transport)).exchange(REQUEST, 2)
        assert isinstance(lost, NoReply)
        assert (lost.kind, lost.sent) == (Lost.DISCONNECTED, True)
        assert len(server.requests) == 1


async def test_a_slow_body_is_given_up_in_all() -> None:
    """Each byte comes in time, the whole does not."""

    async def slow(far: Far) -> None:
        await far.request()
        await far.say(plain(b"x" * 1000)[:-1000])
        for _ in range(1000):
            await far.say(b"x")
            await asyncio.sleep(0.01)

    async with fast(slow) as (transport, _):
        connection, began_s = await connection_of(transport), time.monotonic()
        lost = await connection.exchange(REQUEST, 0.1)
        assert isinstance(lost, NoReply)
        assert (lost.kind, lost.sent) == (Lost.TIMEOUT, True)
        assert time.monotonic() - began_s < 0.3


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 20", plain(BODY)[:-5], chunked(BODY)[:-9]])
async def test_cancelling_at_any_stage_closes_the_connection(answer: bytes) -> None:
    """No answer to a cancelled request reaches another."""
    sent = asyncio.Event()

    async def partial(far: Far) -> None:
        await far.request()
        await far.say(answer)
        sent.set()
        await far.wait_for_end()

    async with fast(partial) as (transport, server):
        connection = await connection_of(transport)
        task = asyncio.create_task(connection.exchange(REQUEST, 5))
        await sent.wait()
        await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not connection.usable()
        await connection_of(transport)
        assert server.connections == 2


async def test_cancelling_before_the_first_step_sends_nothing() -> None:
    """A task that never began has not written."""
    async with fast(silent) as (transport, server):
        connection = await connection_of(transport)
        task = asyncio.create_task(connection.exchange(REQUEST, 5))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        connection.release()
        assert (transport.idle, server.requests) == (1, [])


async def test_cancelling_after_the_answer_does_not_harm_the_next_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection is back in the pool by then, perhaps in another's hands."""
    async with fast(answering(plain(b"ok"))) as (transport, server):
        connections = transport._connections
        take_back = connections.take_back

        def cancelling(connection: FastConnection) -> None:
            take_back(connection)
            task.cancel()  # the answer is delivered, but the waiting task has not had its turn

        monkeypatch.setattr(connections, "take_back", cancelling)
        first = await connection_of(transport)
        task = asyncio.create_task(first.exchange(REQUEST, 5))
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await connection_of(transport) is first
        assert isinstance(await first.exchange(REQUEST, 2), Reply)
        assert server.connections == 1


async def test_a_request_that_cannot_be_written_is_a_defect_and_costs_no_connection() -> None:
    """It is found before a byte leaves."""
    async with fast(silent) as (transport, server):
        connection = await connection_of(transport)
        with pytest.raises(Defect):
            await connection.exchange(Request("GET", "/a b"), 2)
        connection.release()
        assert (transport.idle, server.requests) == (1, [])
