"""What a run asks for itself: a new access token, the gateway's time, whether the key still stands. The stream of calls
is held meanwhile.

However many calls were refused for their token, one renewal is asked for: a refusal of a call that was sent before the
token came says nothing about it. Ahead of a token's end it is renewed without any refusal.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import math
from collections.abc import Callable
from typing import Final

import msgspec

from fetcher.errors import FetcherError, LimitReached, Refused
from fetcher.metrics import Tally
from fetcher.model import Item, NoReply, Reply, Request, VerdictKind
from fetcher.run.asking import ask
from fetcher.run.assemble import Parts, gateway_of
from fetcher.run.desk import Bell, Desk
from fetcher.run.gateway_time import ask_time
from fetcher.run.tokens import TRIES, TRY_AGAIN_S

WORTH_A_WORD_MS: Final = 2000

log = logging.getLogger("fetcher.run")


class Refresher:
    """One task of the run; `refused` and the clock wake it."""

    def __init__(self, parts: Parts, desk: Desk, tally: Tally) -> None:
        self._parts, self._desk, self._tally = parts, desk, tally
        self._bell = Bell()
        self._wanted: set[VerdictKind] = set()
        self._timed_s = -math.inf
        """When the gateway's time was measured."""
        self._proven_s = -math.inf
        """When key and signature were last proven by a question of the run's own."""

    def refused(self, item: Item, what: VerdictKind, sent_s: float) -> None:
        """A call was refused, and a question of the run's own may mend or explain it: the ID goes back, at no attempt's
        cost.

        Args:
            item: whose call it was.
            what: REFRESH, CLOCK, or FATAL: no other ID is left that could tell whether the key still stands.
            sent_s: when it was sent.
        """
        got_s = self._got_s(what)
        self._tally.again(retry=False)
        if sent_s >= got_s:
            item = msgspec.structs.replace(item, refreshed=(*item.refreshed, what))
            self._want(what)
        self._desk.waiting.push(item, 0.0)

    def _got_s(self, what: VerdictKind) -> float:
        """When the last answer to this question came."""
        if what is VerdictKind.REFRESH:
            return self._parts.tokens.renewed_s
        return self._timed_s if what is VerdictKind.CLOCK else self._proven_s

    def _want(self, what: VerdictKind) -> None:
        self._wanted.add(what)
        self._desk.held = True
        self._bell.ring()

    async def run(self) -> None:
        """Until cancelled.

        Raises:
            Refused: the token cannot be renewed, the time cannot be had: the run ends, and no ID is marked failed.
            LimitReached: the gateway did not answer. Resumable.
        """
        tokens, clock = self._parts.tokens, self._parts.clock
        while True:
            await self._bell.sleep(tokens.renewal_in_s(clock.monotonic_s()))
            if not self._wanted and tokens.wants_renewal(clock.monotonic_s()):
                self._desk.held = True
                await self._renew_ahead()
            while self._wanted:
                what = next(iter(self._wanted))
                await self._ask(what)
                # Nothing was sent meanwhile: what was refused for it in this time had been sent before.
                self._wanted.discard(what)
            self._desk.held = False
            self._desk.dispatcher_bell.ring()

    async def _ask(self, what: VerdictKind) -> None:
        if what is VerdictKind.REFRESH:
            await self._renew()
        elif what is VerdictKind.CLOCK:
            await self._measure()
        else:
            await self._prove()

    async def _renew_ahead(self) -> None:
        """The token is still good for a while: trouble with the next one is no reason to end now."""
        try:
            await self._renew()
        except FetcherError as error:
            log.warning("%s; the run goes on as long as the old one is taken", error)
            self._parts.tokens.put_off(self._parts.clock.monotonic_s(), for_good=isinstance(error, Refused))

    async def _renew(self) -> None:
        parts = self._parts
        self._tally.waiting("a new access token is asked for", None)

        async def asking(make: Callable[[], Request]) -> Reply | NoReply:
            return await ask(parts, make)

        await parts.tokens.renew(asking, parts.tokens.access)
        self._tell_gateway(access_token=parts.tokens.access)

    async def _measure(self) -> None:
        parts = self._parts
        self._tally.waiting("the gateway is asked for its time", None)
        offset_ms = await self._offset_ms()
        parts.clock_offset_ms, self._timed_s = offset_ms, parts.clock.monotonic_s()
        if abs(offset_ms) > WORTH_A_WORD_MS:
            side = "behind" if offset_ms > 0 else "ahead of"
            log.warning(
                "this machine's clock is %.0f s %s the gateway's: times are sent by that", abs(offset_ms) / 1000, side
            )
        if parts.settings.protocol == "param2" and not parts.settings.timestamp:
            log.info("the gateway wants the time with each call: it is sent from now on (--timestamp)")
            self._tell_gateway(timestamp=True)

    async def _offset_ms(self) -> int:
        for attempt in range(TRIES):
            if attempt:
                await asyncio.sleep(TRY_AGAIN_S * 2 ** (attempt - 1))
            asked = await ask_time(self._parts)
            if asked.offset_ms is not None:
                return asked.offset_ms
            if isinstance(asked.answer, Reply) and asked.answer.status < 500:
                raise Refused(
                    "the gateway refused the request's time, and does not tell its own", "set this machine's clock"
                )
        raise LimitReached("the gateway does not tell its time", "no ID was lost; run the same command again later")

    async def _prove(self) -> None:
        """Do key, secret and signature still stand? `system/currentTime` needs no permission. A gateway after the
        tutorial need not have it: then nothing is proven."""
        parts = self._parts
        self._tally.waiting("the gateway is asked whether the key still stands", None)
        asked = await ask_time(parts)
        self._proven_s = parts.clock.monotonic_s()
        if asked.exact_ms is not None or isinstance(asked.answer, NoReply) or parts.settings.protocol == "guide":
            return
        verdict = parts.gateway.verdict(asked.answer, Item("0", 0))
        if verdict.kind is VerdictKind.FATAL:
            raise Refused(f'{verdict.code} "{verdict.message}"', verdict.remedy)

    def _tell_gateway(self, **changes: object) -> None:
        """From the next request on."""
        parts = self._parts
        parts.settings = dataclasses.replace(parts.settings, **changes)  # type: ignore[arg-type]
        first, *others = parts.keys
        first.gateway = gateway_of(parts.settings)
        for key in others:  # their credentials are their own; whether the time is sent, is not
            key.gateway = dataclasses.replace(key.gateway, send_timestamp=parts.settings.timestamp)
