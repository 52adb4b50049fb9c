"""The actor that keeps a cap: one for each app key in the whole Ray cluster, whichever jobs use the key.

It holds a `SlotBook` and answers; all the arithmetic is `pacing.lease`'s. When it dies, Ray starts it again; the new
one knows nothing, so it begins as far ahead as any lease can reach. `ActorPlace` is the node's side of it.
"""

from __future__ import annotations

import asyncio
import math
import time
from hashlib import blake2b
from typing import Any, Final

import msgspec

from fetcher.clock import Clock
from fetcher.pacing import Ask, ClockOffset, Grant, PlaceLost, SlotBook, as_seen_from, as_seen_from_place

PATIENCE_S: Final = 2.0
"""For an answer: a restarted actor may be away longer, and then one asks again."""
SETTLED_S: Final = 1.0
"""After that all that was leased by another clock is over."""
LOOKS: Final = 3
"""Round trips before the first lease, to know the actor's clock: the quickest counts."""


def name_of(app_key: str, origin: str) -> str:
    """Name of the actor: one for each key at each gateway. The key itself does not show."""
    return f"fetcher-cap-{blake2b(f'{app_key} {origin}'.encode(), digest_size=6).hexdigest()}"


class Keeper:
    """The actor's body. Bytes in, bytes out: Ray pickles nothing of ours."""

    def __init__(self) -> None:
        self._book = SlotBook()
        self._jobs: set[str] = set()

    def __repr__(self) -> str:
        return "Keeper()"

    def lease(self, ask: bytes) -> tuple[bytes, float]:
        """One exchange: the grant, and when that was by this process's clock."""
        now_s = time.monotonic()
        grant = self._book.answer(msgspec.msgpack.decode(ask, type=Ask), now_s)
        return msgspec.msgpack.encode(grant), now_s

    def join(self, job: str) -> None:
        """A job that uses it. The first one, or one that begins again, counts its calls from zero."""
        if not self._jobs - {job}:
            self._book.calls = 0
        self._jobs.add(job)

    def leave(self, job: str) -> int:
        """The job is over. Returns how many others use it."""
        self._jobs.discard(job)
        return len(self._jobs)


class ActorPlace:
    """A `LeasePlace` at an actor.

    Args:
        actor: its handle.
        where: for a person.
        lost: exceptions of Ray that say it cannot be reached.
        clock: for all times that it takes and gives.
    """

    def __init__(self, actor: Any, where: str, lost: tuple[type[Exception], ...], clock: Clock) -> None:
        self._actor, self._clock = actor, clock
        self._lost: tuple[type[Exception], ...] = (*lost, TimeoutError)
        self._offset = ClockOffset()
        self.where = where

    async def lease(self, ask: Ask) -> Grant:
        """See `LeasePlace`."""
        if not math.isfinite(self._offset.error_s):
            for _ in range(LOOKS):
                await self._exchange(msgspec.structs.replace(ask, slots=0, slowdown=None, unused=0))
        return await self._exchange(ask)

    async def _exchange(self, ask: Ask) -> Grant:
        offset = self._offset
        known = math.isfinite(offset.error_s)
        offset_s, error_s = (offset.offset_s, offset.error_s) if known else (0.0, 0.0)
        told = as_seen_from_place(ask, offset_s, error_s, 2 * error_s)
        sent_s = self._clock.monotonic_s()
        try:
            future = self._actor.lease.remote(msgspec.msgpack.encode(told)).future()
            data, other_s = await asyncio.wait_for(asyncio.wrap_future(future), PATIENCE_S)
        except self._lost as error:
            raise PlaceLost(f"{self.where} does not answer ({type(error).__name__})") from None
        got_s = self._clock.monotonic_s()
        same_clock = offset.heard(sent_s, got_s, other_s)
        grant = as_seen_from(msgspec.msgpack.decode(data, type=Grant), offset.offset_s, offset.error_s)
        if same_clock or not known:
            return grant
        # Started again on another machine: what was leased there, by that clock, counts no more.
        return msgspec.structs.replace(grant, lease=None, next_s=got_s + SETTLED_S, forget=True)

    async def aclose(self) -> None:
        """See `LeasePlace`: the actor is the driver's to end."""
