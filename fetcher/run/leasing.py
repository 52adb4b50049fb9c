"""The one task that fetches leases of a shared cap, ahead of need, for the run whose task it is; one for each key.

It asks the pacer whether and how much, and the place for it. It decides nothing about time: a run whose place cannot
be reached stops at the end of what is leased, by itself, because its pacer grants nothing more.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Collection, Sequence
from typing import Final

import anyio

from fetcher.clock import Clock
from fetcher.errors import LimitReached
from fetcher.metrics import Tally
from fetcher.pacing import Ask, Grant, LeasedPacer, LeasePlace, PlaceLost, Throttle
from fetcher.run.desk import Bell, Desk

AGAIN_S: Final = 0.1
LONGEST_AGAIN_S: Final = 2.0
"""Between two tries to reach the place: it doubles from the first to the second."""
LONG_S: Final = 0.5
"""A wait for others' turns that is worth a word."""
LOOK_UP_S: Final = 0.25
"""Between two looks while enough is held: what was enough may be over by then."""
GOODBYE_S: Final = 1.0
"""How long the end of a run may take to give back what it has not used."""

log = logging.getLogger("fetcher.run")


class Leasing:
    """What the runs under one shared cap have in common. Each key has its own.

    Args:
        pacer: grants what is leased.
        place: where it is leased.
        batch: IDs that a call asks for.
        calls_limit: calls that all who meet at the place may make together; None: no matter.
        max_lost_s: how long the place may be out of reach before the run ends, resumable.
        random: between 0 and 1, so that many who lost one place do not come back in one moment.
    """

    def __init__(
        self,
        pacer: LeasedPacer,
        place: LeasePlace,
        clock: Clock,
        *,
        batch: int,
        calls_limit: int | None,
        max_lost_s: float,
        random: Callable[[], float],
    ) -> None:
        self._pacer, self._place, self._clock = pacer, place, clock
        self._batch = max(1, batch)
        self._calls_limit, self._max_lost_s, self._random = calls_limit, max_lost_s, random
        self._lost_since_s = math.inf
        self._tries = 0
        self._smaller_s = math.inf
        self._missed = 0
        self.pool: Sequence[Leasing] = ()
        """Of all keys: what another holds slots for, this one need not ask for."""
        self.holds: Collection[object] = ()
        """Not empty: the key makes no calls just now."""
        self.room: Callable[[], int] = lambda: 2**62
        """Calls that the key may have more in flight: what it may not use it must not lease."""
        self._over = False
        self.bell = Bell()
        """Rung when no slot is left, or there is news for those who share the cap."""
        self.waits_for_turn = False
        """Slots are others' just now, or the place is out of reach."""

    @property
    def is_limited(self) -> bool:
        """The limit of calls is one for all who meet at the place."""
        return self._calls_limit is not None

    @property
    def used_up(self) -> bool:
        """All calls of the shared limit are given away, and none is held here."""
        return self._over or (self._pacer.calls_left == 0 and not self._pacer.held)

    def retire(self) -> None:
        """Its key takes no more part."""
        self._over = True
        self.bell.ring()

    async def keep(self, desk: Desk, tally: Tally, throttle: Throttle) -> None:
        """Fetch leases while the run has work; ends with the run, and gives back what counts against a limit.

        Args:
            throttle: learns what other processes were told by the gateway.
        """
        try:
            while not (desk.exhausted or self._over):
                now_s = self._clock.monotonic_s()
                work = self._work(desk)
                slots = self._pacer.wanted(now_s, work)
                if slots or self._pacer.has_news:
                    await self._exchange(slots, desk, tally, throttle)
                    desk.dispatcher_bell.ring()
                    continue
                again_s = self._pacer.look_again_s(now_s)
                self.waits_for_turn = bool(work) and again_s > 0 and not self._pacer.held
                if self.waits_for_turn and again_s > LONG_S and not any(each.ready for each in self.pool):
                    tally.waiting("others are using the shared cap", now_s + again_s)
                await self.bell.sleep((again_s or LOOK_UP_S) if work else None)
        finally:
            self.waits_for_turn = False
            await self._give_back()

    def _work(self, desk: Desk) -> int:
        """Calls that could start and for which no other key holds a slot."""
        ids = 0 if desk.stopping or desk.paused else len(desk.queue) + len(desk.waiting)
        others = sum([each.ready for each in self.pool if each is not self])
        return 0 if self.holds else max(0, min(self.room(), -(-ids // self._batch) - others))

    @property
    def ready(self) -> int:
        """Slots that are held, and will be used if there is work."""
        return 0 if self.holds else self._pacer.held

    async def fetch_one(self) -> None:
        """A slot for a call that no run's dispatcher makes; waits where the place is out of reach."""
        now_s = self._clock.monotonic_s()
        slots = self._pacer.wanted(now_s, self._pacer.held + 1)
        if not slots:
            await anyio.sleep(min(LOOK_UP_S, max(AGAIN_S, self._pacer.look_again_s(now_s))))
            return
        ask = self._pacer.ask(1, self._calls_limit)
        try:
            self._pacer.granted(await self._place.lease(ask), self._clock.monotonic_s())
        except PlaceLost:
            self._pacer.not_asked(ask)
            await anyio.sleep(LOOK_UP_S)

    async def aclose(self) -> None:
        """Let go of the place."""
        await self._place.aclose()

    async def _exchange(self, slots: int, desk: Desk, tally: Tally, throttle: Throttle) -> None:
        ask = self._pacer.ask(slots, self._calls_limit)
        try:
            grant = await self._place.lease(ask)
        except PlaceLost as error:
            self._pacer.not_asked(ask)
            await self._lost(str(error), desk, tally)
            return
        if math.isfinite(self._lost_since_s):
            log.warning("the shared cap at %s is back", self._place.where)
            tally.waiting("", None)
            self._lost_since_s, self._tries = math.inf, 0
        self.waits_for_turn = grant.lease is None
        self._note(grant, ask, tally, throttle)

    def _note(self, grant: Grant, ask: Ask, tally: Tally, throttle: Throttle) -> None:
        pacer, now_s = self._pacer, self._clock.monotonic_s()
        if pacer.granted(grant, now_s):
            throttle.adopt(grant.slowdown)
            if ask.slowdown is None and grant.slowdown.resume_s > now_s:
                tally.waiting("another run on this key was told: over the rate", grant.slowdown.resume_s)
        if grant.cap_per_s < min(pacer.cap_per_s, self._smaller_s):
            self._smaller_s = grant.cap_per_s
            log.warning("another run shares this cap at %g/s: the smaller counts, for all", grant.cap_per_s)
        tally.leased(1, pacer.missed - self._missed)
        self._missed = pacer.missed

    async def _lost(self, why: str, desk: Desk, tally: Tally) -> None:
        now_s = self._clock.monotonic_s()
        if math.isinf(self._lost_since_s):
            self._lost_since_s = now_s
            log.warning("%s; calls stop at the end of what is leased, and go on when it is back", why)
        tally.waiting(f"the shared cap: {why}", None)
        if now_s - self._lost_since_s > self._max_lost_s:
            desk.stop(
                LimitReached(
                    f"the shared cap was out of reach for {self._max_lost_s / 60:g} minutes: {why}",
                    "no ID was lost or marked failed for it; run the same command again when it is back",
                )
            )
        self.waits_for_turn = True
        again_s = min(LONGEST_AGAIN_S, AGAIN_S * 2.0 ** min(self._tries, 10)) * (0.5 + 0.5 * self._random())
        self._tries += 1
        await anyio.sleep(again_s)

    async def _give_back(self) -> None:
        """Slots that were leased and will not be used count against a limit no longer."""
        if self._over:
            self._pacer.give_up()
        if self._calls_limit is None or not self._pacer.give_up():
            return
        with anyio.CancelScope(shield=True), anyio.move_on_after(GOODBYE_S):
            try:
                await self._place.lease(self._pacer.ask(0, self._calls_limit))
            except PlaceLost as error:
                log.warning("%s; calls that were leased and not made stay counted", error)
