"""Which connection is handed out, which is closed, and who is watched by the timer."""

from __future__ import annotations

import asyncio

import pytest

from fetcher.model import Lost, NoReply, Reply
from fetcher.transport.exchange import IDLE_LIMIT_S, FastConnection
from tests.transport.conftest import REQUEST
from tests.transport.lanes import TurnedClock, connection_of, fast, until
from tests.transport.raw_server import Far, answering, plain, silent


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
        assert most <= 1


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
