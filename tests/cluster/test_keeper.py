"""The actor that keeps a cap, and the nodes' side of it, without Ray."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from fetcher.clock import SystemClock
from fetcher.cluster import keeper as keeper_module
from fetcher.cluster.board import Board
from fetcher.cluster.keeper import ActorPlace, CountedPlace, Keeper, name_of
from fetcher.pacing import Ask, Lease, LeasePlace, PlaceLost
from tests.cluster.here import Gone, Handle, Near
from tests.cluster.test_board import briefing


@pytest.fixture
def handle(monkeypatch: pytest.MonkeyPatch) -> Handle:
    """Of an actor on another machine."""
    made = Handle(5_000.0)
    clock = SystemClock()
    monkeypatch.setattr(keeper_module, "time", SimpleNamespace(monotonic=lambda: clock.monotonic_s() + made.ahead_s))
    return made


def ask(slots: int, **more: Any) -> Ask:
    """For some slots of a cap of 100/s."""
    return Ask(slots, 100.0, 0.0103, 0.01, **more)


async def leased(place: LeasePlace, asked: Ask) -> Lease:
    """Ask until there is a lease, as a run does."""
    while (lease := (await place.lease(asked)).lease) is None:
        await asyncio.sleep(0.02)
    return lease


async def test_slots_come_in_our_own_time_and_to_nobody_else(handle: Handle) -> None:
    """The actor's clock is far from ours. A new one begins when all earlier leases are over; nodes take turns."""
    clock = SystemClock()
    here, there = (ActorPlace(lambda: handle, "job", (Gone,), clock) for _ in range(2))
    now_s = clock.monotonic_s()
    first = await leased(here, ask(10))
    assert 0.99 < first.first_s - now_s < 3
    other = await there.lease(ask(10))
    assert other.lease is None or other.lease.first_s >= first.first_s + first.slots * first.gap_s - 0.001
    assert abs(other.next_s - first.first_s - first.slots * first.gap_s) < 0.02


async def test_an_actor_on_another_machine_begins_anew(handle: Handle) -> None:
    """Another clock: what was leased by the old one counts no more, and nothing starts for a second."""
    clock = SystemClock()
    place = ActorPlace(lambda: handle, "job", (Gone,), clock)
    await place.lease(ask(10))
    handle.ahead_s += 77.0
    grant = await place.lease(ask(10))
    assert grant.forget
    assert grant.lease is None
    assert grant.next_s >= clock.monotonic_s() + 0.9
    assert not (await place.lease(ask(10))).forget


async def test_a_restarted_actor_begins_anew_and_a_lost_one_is_told(handle: Handle) -> None:
    """Nothing is doubled: the new one knows nothing, so it gives no slot away that lies within a second."""
    clock = SystemClock()
    place = ActorPlace(lambda: handle, "job", (Gone,), clock)
    await place.lease(ask(1))
    handle.gone = True
    with pytest.raises(PlaceLost, match="actor does not answer"):
        await place.lease(ask(1))
    handle.gone, handle.body = False, Keeper()
    now_s = clock.monotonic_s()
    grant = await place.lease(ask(1))
    assert grant.next_s > now_s + 0.99
    assert not grant.forget
    assert (await leased(place, ask(1))).first_s > now_s + 0.99


async def test_a_limit_is_counted_over_all_places(handle: Handle) -> None:
    """Two keys, two places, one count; slots that were not granted, and an exchange that failed, give it back."""
    clock, board, other = SystemClock(), Board(), Handle(5_000.0)
    board.brief(msgspec.msgpack.encode(briefing(calls_allowed=10)))
    take = Near(board).take_calls
    one, two = (CountedPlace(ActorPlace(lambda at=at: at, "job", (Gone,), clock), take) for at in (handle, other))  # type: ignore[misc]
    slots = (await leased(one, ask(4, calls_limit=10))).slots
    other.gone = True
    with pytest.raises(PlaceLost):
        await two.lease(ask(3, calls_limit=10))
    other.gone = False
    slots += (await leased(two, ask(9, calls_limit=10))).slots
    assert (await two.lease(ask(0, calls_limit=10, unused=1))).calls_left is not None
    for place in (one, two):
        await place.aclose()
    assert board.take_calls(99, 0)[0] == 10 - slots + 1


def test_an_actor_knows_who_uses_it() -> None:
    """The last to leave ends it; one that was started again knows of those who have asked since."""
    keeper = Keeper()
    keeper.join("a")
    keeper.join("b")
    assert keeper.leave("b") == 1
    assert keeper.leave("a") == 0
    again = Keeper()
    again.lease(msgspec.msgpack.encode(ask(0)), "b")
    assert again.leave("a") == 1


def test_a_key_at_a_gateway_has_one_actor() -> None:
    """Whose name does not show the key."""
    assert name_of("1000000", "https://a") == name_of("1000000", "https://a")
    assert len({name_of("1000000", "https://a"), name_of("1000001", "https://a"), name_of("1000000", "https://b")}) == 3
    assert "1000000" not in name_of("1000000", "https://a")
