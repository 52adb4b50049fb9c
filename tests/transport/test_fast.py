"""The fast lane against a far end of plain sockets: reuse, closing, cancelling, deadlines."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from fetcher.clock import SystemClock
from fetcher.errors import Defect
from fetcher.model import Lost, NoReply, Reply, Request
from fetcher.transport import FastTransport
from fetcher.transport.exchange import IDLE_LIMIT_S, FastConnection
from tests.transport.conftest import REQUEST
from tests.transport.raw_server import Far, Handler, RawServer, answering, chunked, plain, raw_server, silent
from tests.transport.scripts import BODY, BROKEN, GOOD, LIMIT, STRICT, Script


class TurnedClock(SystemClock):
    """The machine's clock, which a test can put forward."""

    ahead_s = 0.0

    def monotonic_s(self) -> float:
        return super().monotonic_s() + self.ahead_s


@asynccontextmanager
async def fast(handler: Handler, **options: Any) -> AsyncIterator[tuple[FastTransport, RawServer]]:
    """A fast lane and its far end."""
    async with raw_server(handler) as server:
        transport = FastTransport(server.origin, **{"clock": SystemClock(), "max_body_bytes": LIMIT} | options)
        try:
            yield transport, server
        finally:
            await transport.aclose()


async def connection_of(transport: FastTransport) -> FastConnection:
    connection = await transport.ready()
    assert isinstance(connection, FastConnection)
    return connection


async def until(condition: Callable[[], bool]) -> None:
    """Let the event loop go on until it is so."""
    async with asyncio.timeout(2):
        while not condition():
            await asyncio.sleep(0.001)


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


async def test_the_request_arrives_as_it_was_written() -> None:
    """Once, whole, with the right Host."""
    async with fast(answering(plain(b""))) as (transport, server):
        await (await connection_of(transport)).exchange(REQUEST, 2)
        assert len(server.requests) == 1
        head, _, body = server.requests[0].partition(b"\r\n\r\n")
        assert head.startswith(b"POST /openapi/param2/1/x/y/1?a=b HTTP/1.1\r\n")
        assert f"\r\nHost: 127.0.0.1:{server.port}\r\n".encode() in head
        assert body == REQUEST.body


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


async def test_last_in_first_out() -> None:
    """The connection used last is handed out first, so that those not needed grow old."""
    async with fast(answering(plain(b"ok"))) as (transport, _):
        first, second = await connection_of(transport), await connection_of(transport)
        first.release()
        second.release()
        assert (transport.idle, transport.in_use) == (2, 0)
        assert await connection_of(transport) is second
        assert (transport.idle, transport.in_use) == (1, 1)


async def test_a_server_that_closes_idle_connections_is_no_fault() -> None:
    """The end is seen while it is idle: a new one is opened, and nothing is lost."""
    async with fast(answering(plain(b"ok"), close=True)) as (transport, server):
        for turn in range(1, 4):
            reply = await (await connection_of(transport)).exchange(REQUEST, 2)
            assert isinstance(reply, Reply)
            assert server.connections == turn
            await until(lambda: transport.idle == 0)


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


async def test_bytes_that_nobody_asked_for_end_an_idle_connection() -> None:
    """They would be taken for the answer to the next request: another ID's."""
    late = asyncio.Event()

    async def chatty(far: Far) -> None:
        await far.request()
        await far.say(plain(b"ok"))
        await late.wait()
        await far.say(plain(b"late"))
        await far.wait_for_end()

    async with fast(chatty) as (transport, server):
        await (await connection_of(transport)).exchange(REQUEST, 2)
        connection = await connection_of(transport)
        late.set()
        await until(lambda: not connection.usable())
        connection.release()
        assert isinstance(await transport.ready(), FastConnection)
        assert server.connections == 2


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
        assert time.monotonic() - began_s < 2  # of the ten seconds that all of it takes


async def test_one_timer_watches_all_and_rests_when_nothing_is_in_flight() -> None:
    """Each exchange has its own deadline."""
    async with fast(silent) as (transport, _):
        held = [await connection_of(transport) for _ in range(3)]
        lost = await asyncio.gather(*(one.exchange(REQUEST, 0.05 * n) for n, one in enumerate(held, 1)))
        took = [one.latency_s for one in lost]
        assert took == sorted(took)
        assert all(0.05 * n <= s < 0.05 * n + 0.15 for n, s in enumerate(took, 1))
        connections = transport._connections
        await until(lambda: connections._timer is None)


async def test_connections_that_were_silent_for_long_are_not_trusted() -> None:
    """A far end may be gone unheard: behind a firewall no end arrives."""
    clock = TurnedClock()
    async with fast(answering(plain(b"ok")), clock=clock) as (transport, server):
        (await connection_of(transport)).release()
        clock.ahead_s += IDLE_LIMIT_S + 1
        assert transport.idle == 0
        assert (await connection_of(transport)).usable()
        assert server.connections == 2


@pytest.mark.parametrize(("header", "usable"), [("timeout=5", False), ("max=9, timeout=20", True), ("x=5", True)])
async def test_a_server_may_say_how_long_it_waits(header: str, usable: bool) -> None:
    """`Keep-Alive: timeout=5` is taken at its word, a little early."""
    clock = TurnedClock()
    async with fast(answering(plain(b"ok", f"Keep-Alive: {header}")), clock=clock) as (transport, _):
        await (await connection_of(transport)).exchange(REQUEST, 2)
        clock.ahead_s += 4.5
        assert transport.idle == int(usable)


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


async def test_cancelling_while_connecting_leaves_nothing() -> None:
    """Neither a socket nor a task; pytest turns warnings about them into errors."""
    async with fast(silent) as (transport, _):
        for turns in range(8):
            task = asyncio.create_task(transport.ready())
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            try:
                (await task).release()  # type: ignore[union-attr]
            except asyncio.CancelledError:
                continue
        await asyncio.sleep(0.01)
        assert transport.in_use == 0
        gc.collect()


async def test_closing_ends_what_is_under_way() -> None:
    """As a value: the request was sent, its answer is lost."""
    async with fast(silent) as (transport, _):
        task = asyncio.create_task((await connection_of(transport)).exchange(REQUEST, 5))
        await asyncio.sleep(0.005)
        await transport.aclose()
        lost = await task
        assert isinstance(lost, NoReply)
        assert (lost.kind, lost.sent) == (Lost.DISCONNECTED, True)
        await transport.aclose()


async def test_closing_while_connecting() -> None:
    """The connection that comes too late is closed, and the caller told."""
    async with fast(silent) as (transport, _):
        task = asyncio.create_task(transport.ready())
        await asyncio.sleep(0)
        await transport.aclose()
        assert isinstance(await task, NoReply)
        assert transport.in_use == 0


async def test_a_request_that_cannot_be_written_is_a_defect_and_costs_no_connection() -> None:
    """It is found before a byte leaves."""
    async with fast(silent) as (transport, server):
        connection = await connection_of(transport)
        with pytest.raises(Defect):
            await connection.exchange(Request("GET", "/a b"), 2)
        connection.release()
        assert (transport.idle, server.requests) == (1, [])


async def test_connections_are_opened_ahead() -> None:
    """Before the first permit, so that none is spent on a handshake."""
    async with fast(answering(plain(b"ok"))) as (transport, server):
        assert await transport.warm(40) == 40
        assert (transport.idle, transport.in_use) == (40, 0)
        await until(lambda: server.connections == 40)
    assert await transport.warm(3) == 0


async def test_large_bodies_are_read_one_at_a_time() -> None:
    """So that memory does not grow with connections times limit; all of them arrive."""
    size = 3 * 2**20
    most = 0

    async def large(far: Far) -> None:
        await far.request()
        await far.say(plain(b"x" * size))
        await far.wait_for_end()

    async with fast(large, max_body_bytes=2 * size) as (transport, _):
        connections = [await connection_of(transport) for _ in range(6)]

        async def watch() -> None:
            nonlocal most
            while True:
                readers = [one._reader for one in connections]
                most = max(most, sum(reader is not None and reader.held_bytes > 1.5 * 2**20 for reader in readers))
                await asyncio.sleep(0)

        watching = asyncio.create_task(watch())
        replies = await asyncio.gather(*(one.exchange(REQUEST, 5) for one in connections))
        watching.cancel()
        assert [isinstance(reply, Reply) and len(reply.body) for reply in replies] == [size] * 6
        assert most == 1


async def test_the_turn_for_large_bodies_is_passed_on_by_those_that_fail() -> None:
    """One that stalls with the turn in its hand does not outlast its deadline, and those behind it go on."""
    size = 3 * 2**20

    async def stalling_first(far: Far) -> None:
        await far.request()
        whole = plain(b"x" * size)
        await far.say(whole[: 2 * 2**20] if far.number == 1 else whole)
        await far.wait_for_end()

    async with fast(stalling_first, max_body_bytes=2 * size) as (transport, _):
        first, second, third = [await connection_of(transport) for _ in range(3)]
        stalled = asyncio.create_task(first.exchange(REQUEST, 0.2))
        await until(lambda: transport._connections._reads_large is first)
        cancelled = asyncio.create_task(second.exchange(REQUEST, 5))
        waiting = asyncio.create_task(third.exchange(REQUEST, 5))
        await until(lambda: len(transport._connections._large_queue) == 2)
        cancelled.cancel()
        lost, reply = await asyncio.gather(stalled, waiting)
        assert isinstance(lost, NoReply)
        assert lost.kind is Lost.TIMEOUT
        assert isinstance(reply, Reply)
        assert transport._connections._reads_large is None
