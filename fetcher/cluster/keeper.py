"""The actor that keeps a cap: one for each app key in the whole Ray cluster, whichever jobs use the key.

It holds a `SlotBook` and answers; all the arithmetic is `pacing.lease`'s. When it dies, Ray starts it again; the new
one knows nothing, so it begins as far ahead as any lease can reach. `ActorPlace` is the node's side of it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

import msgspec

from fetcher.clock import Clock
from fetcher.pacing import (
    Ask,
    ClockOffset,
    Grant,
    LeasePlace,
    PlaceLost,
    SlotBook,
)
from fetcher.sharing import owner_of

PATIENCE_S: Final = 2.0
"""For an answer: a restarted actor may be away longer, and then one asks again."""
GONE_S: Final = 120.0
"""A job that has not asked so long has gone. If it has not, it starts the actor again."""
SETTLED_S: Final = 1.0
"""After that all that was leased by another clock is over."""
LOOKS: Final = 8
"""Round trips before the first lease, to know the actor's clock: the quickest counts. The first takes long, since Ray
connects; a lease that was asked for with that uncertainty would cost all of them a part of the cap."""


def name_of(app_key: str, origin: str) -> str:
    """Name of the actor: one for each key at each gateway. The key itself does not show."""
    return f"fetcher-cap-{owner_of(app_key, origin).hex()[:12]}"


class Keeper:
    """The actor's body. Bytes in, bytes out: Ray pickles nothing of ours."""

    def __init__(self) -> None:
        self._book = SlotBook()
        self._seen_s: dict[str, float] = {}

    def __repr__(self) -> str:
        return "Keeper()"

    def lease(self, ask: bytes, job: str) -> tuple[bytes, float]:
        """One exchange: the grant, and when that was by this process's clock."""
        now_s = self._seen_s[job] = time.monotonic()
        grant = self._book.answer(msgspec.msgpack.decode(ask, type=Ask), now_s)
        return msgspec.msgpack.encode(grant), now_s

    def clock_s(self) -> float:
        """This process's clock: asked for before the first lease, so that the way here is known."""
        return time.monotonic()

    def join(self, job: str) -> None:
        """A job that uses it."""
        self._seen_s[job] = time.monotonic()

    def leave(self, job: str) -> int:
        """The job is over. Returns how many others use it: an actor that was started again knows those that asked."""
        self._seen_s.pop(job, None)
        now_s = time.monotonic()
        return sum(now_s - seen_s < GONE_S for seen_s in self._seen_s.values())


class ActorPlace:
    """A `LeasePlace` at an actor.

    Args:
        find: its handle; starts it where there is none. Asked again whenever it was lost.
        job: who asks.
        lost: exceptions of Ray that say it cannot be reached.
        clock: for all times that it takes and gives.
    """

    where = "the cap's actor"

    def __init__(self, find: Callable[[], Any], job: str, lost: tuple[type[Exception], ...], clock: Clock) -> None:
        self._find, self._job, self._clock = find, job, clock
        self._lost: tuple[type[Exception], ...] = (*lost, TimeoutError)
        self._offset = ClockOffset()
        self._looks = LOOKS
        self._actor: Any = None

    async def lease(self, ask: Ask) -> Grant:
        """See `LeasePlace`."""
        offset = self._offset
        if self._actor is None:
            self._actor = self._find()
        while self._looks:
            sent_s = self._clock.monotonic_s()
            other_s = await self._answer(self._actor.clock_s.remote())
            offset.heard(sent_s, self._clock.monotonic_s(), other_s)
            self._looks -= 1
        told = offset.to_place(ask)
        sent_s = self._clock.monotonic_s()
        data, other_s = await self._answer(self._actor.lease.remote(msgspec.msgpack.encode(told), self._job))
        got_s = self._clock.monotonic_s()
        same_clock = offset.heard(sent_s, got_s, other_s)
        grant = offset.from_place(msgspec.msgpack.decode(data, type=Grant), other_s)
        if same_clock:
            return grant
        # Started again on another machine: what was leased there, by that clock, counts no more.
        return msgspec.structs.replace(grant, lease=None, next_s=got_s + SETTLED_S, forget=True)

    async def _answer(self, call: Any) -> Any:
        try:
            return await asyncio.wait_for(asyncio.wrap_future(call.future()), PATIENCE_S)
        except self._lost as error:
            # Another may take its place, perhaps elsewhere. It begins when all leases of this one are over.
            self._actor, self._looks = None, LOOKS
            raise PlaceLost(f"{self.where} does not answer ({type(error).__name__})") from None

    async def aclose(self) -> None:
        """See `LeasePlace`: the actor is the driver's to end."""


class CountedPlace:
    """A `LeasePlace` under a limit of calls that is counted elsewhere: one for all keys of the job.

    Args:
        place: where the slots are leased.
        take: see `Board.take_calls`.
    """

    def __init__(self, place: LeasePlace, take: Callable[[int, int], Awaitable[tuple[int, int]]]) -> None:
        self._place, self._take = place, take
        self._over = 0  # taken, and not leased

    @property
    def where(self) -> str:
        """See `LeasePlace`."""
        return self._place.where

    async def lease(self, ask: Ask) -> Grant:
        """See `LeasePlace`."""
        over, self._over = self._over, 0
        slots, left = await self._take(ask.slots, ask.unused + over)
        try:
            grant = await self._place.lease(msgspec.structs.replace(ask, slots=slots, calls_limit=None, unused=0))
        except PlaceLost:
            self._over = slots - ask.unused  # which will be told again
            raise
        leased = 0 if grant.lease is None else grant.lease.slots
        self._over = slots - leased
        return msgspec.structs.replace(grant, calls_left=left + self._over)

    async def aclose(self) -> None:
        """See `LeasePlace`."""
        if self._over > 0:
            with suppress(PlaceLost):  # calls that stay counted, and are not made
                await self._take(0, self._over)
        await self._place.aclose()
