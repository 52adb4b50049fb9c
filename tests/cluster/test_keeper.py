"""The actor that keeps a cap, and the nodes' side of it, without Ray."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from fetcher.clock import SystemClock
from fetcher.cluster import keeper as keeper_module
from fetcher.cluster.keeper import ActorPlace, Keeper, name_of
from fetcher.pacing import Ask, Lease, LeasePlace, PlaceLost
from tests.cluster.here import Gone, Handle


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


def test_calls_are_counted_from_zero_unless_another_job_goes_on() -> None:
    """A limit of calls is one of a start of the job; two jobs that meet count together."""
    keeper = Keeper()

    def left() -> int | None:
        data, _ = keeper.lease(msgspec.msgpack.encode(ask(0, calls_limit=10)), "a")
        return msgspec.msgpack.decode(data)["calls_left"]  # type: ignore[no-any-return]

    keeper.join("a")
    keeper._book.calls = 4
    assert left() == 6
    keeper.join("b")
    assert left() == 6
    assert keeper.leave("b") == 1
    assert keeper.leave("a") == 0
    keeper.join("a")
    assert left() == 10
    again = Keeper()  # started again by Ray: it knows of those who have asked since
    again.lease(msgspec.msgpack.encode(ask(0)), "b")
    assert again.leave("a") == 1


def test_a_key_at_a_gateway_has_one_actor() -> None:
    """Whose name does not show the key."""
    assert name_of("1000000", "https://a") == name_of("1000000", "https://a")
    assert len({name_of("1000000", "https://a"), name_of("1000001", "https://a"), name_of("1000000", "https://b")}) == 3
    assert "1000000" not in name_of("1000000", "https://a")
