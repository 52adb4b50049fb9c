"""Redis: the script decides as `SlotBook` does, and a server that forgot begins late."""

from __future__ import annotations

import asyncio
import math
from random import Random

import pytest

from fetcher.clock import SystemClock
from fetcher.errors import UsageError
from fetcher.pacing import Ask, Lease, PlaceLost, SlotBook, Slowdown
from fetcher.sharing import RedisCap
from fetcher.sharing.redis_cap import _arguments, _grant, script_text
from tests.sharing.redis_server import RedisServer

pytestmark = pytest.mark.slow
OWNER = b"o" * 16
ASK = Ask(10, 100.0, 0.0, 0.01)


@pytest.mark.untraced
async def test_the_script_decides_as_the_slot_book_does(redis: RedisServer) -> None:
    """A few hundred questions of every kind, to both; the book is told the time that the script saw."""
    from redis.asyncio import Redis

    dice, book = Random(7), SlotBook()
    async with Redis.from_url(redis.url, decode_responses=True) as client:
        script = client.register_script(script_text())
        for _ in range(400):
            now_s = float((await client.time())[0])
            told = Slowdown(now_s + dice.uniform(-1, 0.3), dice.uniform(1, 90), dice.choice([math.inf, 80.0]), 2)
            ask = Ask(
                slots=dice.choice([0, 1, 5, 40, 4000]),
                cap_per_s=dice.choice([0.5, 20.0, 100.0, 55.5, 10_000.0]),
                gap_s=dice.choice([0.0, 0.02]),
                lateness_s=dice.choice([0.005, 0.0100001, 0.02]),
                delay_s=dice.choice([0.0, 0.003]),
                version=book.version - dice.choice([0, 0, 1]),
                slowdown=dice.choice([None, None, told]),
                calls_limit=dice.choice([None, 100, 5000]),
                unused=dice.choice([0, 3]),
            )
            answer = await script(keys=["book"], args=_arguments(ask))
            expected, got = book.answer(ask, float(answer[0])), _grant(answer, ask)
            assert got == expected
            assert 0 < await client.ttl("book") <= 7 * 86_400


async def leased(cap: RedisCap, ask: Ask = ASK) -> Lease:
    """Ask until there is a lease, as a run does."""
    while (lease := (await cap.lease(ask)).lease) is None:
        await asyncio.sleep(0.02)
    return lease


async def test_two_clients_get_spans_one_after_the_other(redis: RedisServer) -> None:
    """In their own time, with what the clocks may disagree by taken off."""
    one, other = (RedisCap(redis.url, OWNER, SystemClock()) for _ in range(2))
    first, second = await leased(one), await leased(other)
    assert second.first_s > first.first_s + first.slots * first.gap_s - 0.5 * first.lateness_s
    assert first.lateness_s < 0.5  # a busy machine answers late
    assert first.gap_s >= 1.01 / 100
    assert "hunter22" not in one.where
    for cap in (one, other):
        await cap.aclose()


async def test_a_restarted_server_begins_when_earlier_leases_are_over(redis: RedisServer) -> None:
    """It has forgotten everything, or something: a second passes before the first slot."""
    clock = SystemClock()
    cap = RedisCap(redis.url, OWNER, clock)
    await leased(cap)
    redis.kill()
    with pytest.raises(PlaceLost, match="cannot be reached"):
        await cap.lease(ASK)
    redis.start()
    started_s = clock.monotonic_s()
    grant = await cap.lease(ASK)
    assert grant.lease is None
    assert grant.next_s >= started_s + 0.99
    assert (await leased(cap)).first_s >= started_s + 0.99
    await cap.aclose()


@pytest.mark.parametrize("jump_s", [0.3, 30.0, -30.0])
async def test_a_newcomer_when_the_clock_of_the_server_is_set(
    redis: RedisServer, monkeypatch: pytest.MonkeyPatch, jump_s: float
) -> None:
    """It comes just after the jump, which it cannot see: what was leased by the earlier time is over when it begins.
    Those who were there see it, let go of what they hold, and begin as late."""
    from redis.asyncio import Redis

    script = script_text().replace("/ 1e6", '/ 1e6 + tonumber(redis.call("GET", "jump") or 0)')
    monkeypatch.setattr("fetcher.sharing.redis_cap.script_text", lambda: script)
    clock = SystemClock()
    there, comes = (RedisCap(redis.url, OWNER, clock) for _ in range(2))
    await leased(there)
    held = await leased(there, Ask(60, 100.0, 0.0, 0.01))
    async with Redis.from_url(redis.url) as client:
        await client.set("jump", jump_s)
    new = await leased(comes)
    assert new.first_s > held.first_s + held.slots * held.gap_s - 0.005  # as far as the clocks may disagree
    assert new.first_s < clock.monotonic_s() + 1.2
    told = await there.lease(ASK)
    assert (told.forget, told.lease) == (True, None)
    assert (await leased(there)).first_s > new.first_s + new.slots * new.gap_s - 0.005
    for cap in (there, comes):
        await cap.aclose()


async def test_a_server_that_cannot_be_used_is_said_at_once(redis: RedisServer) -> None:
    """Nobody there, or a wrong password: one sentence, without the password."""
    for url, said in (
        (redis.url.replace("hunter22", "wrong-one"), "password"),
        (redis.url.replace(":hunter22@", ""), "password"),
        ("redis://127.0.0.1:1", "cannot be reached"),
        ("redis://no-such-host.invalid", "cannot be reached"),
    ):
        cap = RedisCap(url, OWNER, SystemClock())
        with pytest.raises(UsageError, match=said) as caught:
            await cap.lease(ASK)
        assert "wrong-one" not in str(caught.value) + caught.value.advice
        await cap.aclose()


def test_a_missing_library_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command that installs it."""
    monkeypatch.setitem(__import__("sys").modules, "redis.asyncio", None)
    with pytest.raises(UsageError, match="not installed") as caught:
        RedisCap("redis://h", OWNER, SystemClock())
    assert "fetcher[redis]" in caught.value.advice
