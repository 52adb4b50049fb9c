"""What a run asks for itself: a new access token, the gateway's time, whether a key still stands. The calls of that key
are held meanwhile; other keys go on.

However many calls were refused for their token, one renewal is asked for: a refusal of a call that was sent before the
token came says nothing about it. Ahead of a token's end it is renewed without any refusal. A question is a call: it
takes a permit, counts under `--cap` and `--max-calls`, and waits for the hours of `--window`. It has no price.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import math
from collections.abc import Callable
from typing import Final

import anyio
import msgspec

from fetcher.errors import FetcherError, LimitReached, OutputError, Refused
from fetcher.metrics import Tally
from fetcher.model import Asked, Item, NoReply, Reply, Request, VerdictKind
from fetcher.run.asking import ask
from fetcher.run.assemble import Parts
from fetcher.run.desk import Bell, Desk
from fetcher.run.dispatch import limit_words
from fetcher.run.gateway_time import TimeAnswer, ask_time
from fetcher.run.keys import Key
from fetcher.run.pool import Pool
from fetcher.run.tokens import TRIES, TRY_AGAIN_S

WORTH_A_WORD_MS: Final = 2000
LOOK_AGAIN_S: Final = 1.0
"""Between two looks whether the hour has come."""

log = logging.getLogger("fetcher.run")


class Refresher:
    """A task of the run, with one of its own for each key; `refused` and the clock wake them."""

    def __init__(self, parts: Parts, desk: Desk, tally: Tally) -> None:
        self._desk, self._tally = desk, tally
        self._questions = {id(key): Questions(key, parts, desk, tally) for key in parts.keys}

    def refused(self, key: Key, item: Item, what: VerdictKind, sent_s: float) -> None:
        """A call was refused, and a question of the run's own may mend or explain it: the ID goes back, at no attempt's
        cost.

        Args:
            key: whose call it was.
            item: what it asked for.
            what: REFRESH, CLOCK, or FATAL: no other ID is left that could tell whether the key still stands.
            sent_s: when it was sent.
        """
        self._tally.again(retry=False)
        if self._questions[id(key)].wanted(what, sent_s):
            item = msgspec.structs.replace(item, refreshed=(*item.refreshed, Asked(what, key.name)))
        self._desk.waiting.push(item, 0.0)

    async def run(self) -> None:
        """Until cancelled."""
        async with anyio.create_task_group() as tasks:
            for questions in self._questions.values():
                tasks.start_soon(questions.run)


class Questions:
    """About one key, one after the other."""

    def __init__(self, key: Key, parts: Parts, desk: Desk, tally: Tally) -> None:
        self._key, self._parts, self._desk, self._tally = key, parts, desk, tally
        self._pool = Pool(parts, desk, tally)
        self._bell = Bell()
        self._wanted: set[VerdictKind] = set()
        self._proven_s = -math.inf
        """When key and signature were last proven by a question of the run's own."""

    def wanted(self, what: VerdictKind, sent_s: float) -> bool:
        """A call that was sent then was refused. False: the question was answered after that, or the key is gone."""
        if sent_s < self._answered_s(what) or self._key.retired is not None:
            return False
        self._key.holds.add(self)
        self._wanted.add(what)
        self._bell.ring()
        return True

    def _answered_s(self, what: VerdictKind) -> float:
        """When the last answer to this question came."""
        if what is VerdictKind.REFRESH:
            return self._key.tokens.renewed_s
        return self._parts.timed_s if what is VerdictKind.CLOCK else self._proven_s

    async def run(self) -> None:
        """Until cancelled, or the key can do no more."""
        tokens, clock = self._key.tokens, self._parts.clock
        while self._key.retired is None and not self._desk.stopping:
            await self._bell.sleep(tokens.renewal_in_s(clock.monotonic_s()))
            try:
                if not self._wanted and tokens.wants_renewal(clock.monotonic_s()) and self._parts.calls_left():
                    self._key.holds.add(self)
                    await self._renew_ahead()
                while self._wanted:
                    what = next(iter(self._wanted))
                    await self._ask(what)
                    # Nothing was sent meanwhile: what was refused for it in this time had been sent before.
                    self._wanted.discard(what)
            except FetcherError as error:
                self._end(error)
            finally:
                self._key.holds.discard(self)
            self._desk.dispatcher_bell.ring()

    def _end(self, error: FetcherError) -> None:
        """Such trouble is the key's own, or that of the run."""
        if isinstance(error, OutputError) or not self._parts.calls_left():
            self._desk.stop(error)
        else:
            self._pool.end(self._key, error)

    async def _ask(self, what: VerdictKind) -> None:
        await self._hours()
        if what is VerdictKind.REFRESH:
            await self._renew()
        elif what is VerdictKind.CLOCK:
            await self._measure()
        else:
            await self._prove()

    async def _hours(self) -> None:
        """Until calls may start."""
        parts = self._parts
        while wait_s := parts.open_hours.wait_s(parts.clock.wall_ms()):  # noqa: ASYNC110  (a wall clock rings no bell)
            await asyncio.sleep(min(wait_s, LOOK_AGAIN_S))

    def _say(self, words: str) -> None:
        if self._pool.held:
            self._tally.waiting(words, None)

    async def _asking(self, make: Callable[[], Request]) -> Reply | NoReply:
        self._may_ask()
        answer = await ask(self._parts, make, self._key)
        self._count(answer)
        return answer

    async def _asking_time(self) -> TimeAnswer:
        self._may_ask()
        asked = await ask_time(self._parts, self._key)
        self._count(asked.answer)
        return asked

    def _may_ask(self) -> None:
        """Raises LimitReached: it would be a call too many."""
        if not self._parts.calls_left():
            raise LimitReached(limit_words(self._parts.settings), "run the same command again to go on")

    def _count(self, answer: Reply | NoReply) -> None:
        if isinstance(answer, Reply) or answer.sent:
            self._tally.asked()

    async def _renew_ahead(self) -> None:
        """The token is still good for a while: trouble with the next one is no reason to end now."""
        try:
            await self._ask(VerdictKind.REFRESH)
        except (Refused, LimitReached) as error:
            log.warning("%s; the run goes on as long as the old one is taken", error)
            self._key.tokens.put_off(self._parts.clock.monotonic_s(), for_good=isinstance(error, Refused))

    async def _renew(self) -> None:
        key = self._key
        self._say("a new access token is asked for")
        await key.renew(self._asking, key.tokens.access, self._parts.gateway_ms)

    async def _measure(self) -> None:
        parts, measured_s = self._parts, self._parts.timed_s
        self._say("the gateway is asked for its time")
        offset_ms = await self._offset_ms()
        if parts.timed_s != measured_s:  # of another key, meanwhile
            return
        parts.clock_offset_ms, parts.timed_s = offset_ms, parts.clock.monotonic_s()
        if abs(offset_ms) > WORTH_A_WORD_MS:
            side = "behind" if offset_ms > 0 else "ahead of"
            log.warning(
                "this machine's clock is %.0f s %s the gateway's: times are sent by that", abs(offset_ms) / 1000, side
            )
        if parts.settings.protocol == "param2" and not parts.settings.timestamp:
            log.info("the gateway wants the time with each call: it is sent from now on (--timestamp)")
            parts.settings = dataclasses.replace(parts.settings, timestamp=True)
            for key in parts.keys:
                key.gateway = dataclasses.replace(key.gateway, send_timestamp=True)

    async def _offset_ms(self) -> int:
        for attempt in range(TRIES):
            if attempt:
                await asyncio.sleep(TRY_AGAIN_S * 2 ** (attempt - 1))
            asked = await self._asking_time()
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
        self._say("the gateway is asked whether the key still stands")
        asked = await self._asking_time()
        self._proven_s = parts.clock.monotonic_s()
        if asked.exact_ms is not None or isinstance(asked.answer, NoReply) or parts.settings.protocol == "guide":
            return
        verdict = parts.gateway.verdict(asked.answer, Item("0", 0))
        if verdict.kind is VerdictKind.FATAL:
            raise Refused(f'{verdict.code} "{verdict.message}"', verdict.remedy)
