"""Calls in flight. A call is a callback, not a task: no future, no timer, no wake-up of its own.

    start: sign ─▶ write       (the dispatcher, with a permit and an idle connection in its hand)
    done:  read ─▶ settle      (the connection's callback, in the moment in which the answer is whole)

Products, nearly all of the answers, take a short way: what they mean for the books is entered by lists, once in a turn
of the event loop. Any other answer has that done first and is then settled by itself (`settling`), so that all things
are entered in the order in which they came.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from fetcher.errors import Defect
from fetcher.metrics import Tally
from fetcher.model import Call, Item, NoReply, Product, Reply
from fetcher.run.assemble import Parts
from fetcher.run.buffer import OutcomeBuffer
from fetcher.run.desk import Desk
from fetcher.run.keys import Key
from fetcher.run.settling import Settling
from fetcher.transport import Connection

log: Final = logging.getLogger("fetcher.run")


class Calls:
    """Starts calls and hears what came of them.

    Args:
        settling: settles what is no product.
        abandon: ends the run at once, after a defect.
    """

    def __init__(
        self,
        parts: Parts,
        desk: Desk,
        tally: Tally,
        buffer: OutcomeBuffer,
        settling: Settling,
        abandon: Callable[[], None],
    ) -> None:
        self._parts, self._desk, self._tally, self._buffer = parts, desk, tally, buffer
        self._settling, self._abandon = settling, abandon
        self._product = parts.gateway.product
        self._loop = asyncio.get_running_loop()
        self._closed = False
        self._scheduled = False

    def start(self, key: Key, lots: Sequence[Sequence[Item]], connections: Sequence[Connection]) -> None:
        """Send a call for each lot, on its connection, for permits of this key. What cannot be sent is put back."""
        parts, flying, may_send = self._parts, self._desk.flying, key.pacer.sent
        gateway, now_s, timeout_s = key.gateway, parts.clock.monotonic_s, parts.settings.timeout_s
        gateway_ms = parts.gateway_ms()
        sent_s: list[float] = []
        try:
            for items, connection in zip(lots, connections, strict=True):
                call = gateway.call(items)
                request = gateway.request(call, gateway_ms)
                if not may_send(time_s := now_s()):  # the slots that were leased are over: of all the rest, too
                    break
                sent_s.append(time_s)
                flying[items[0].id] = call
                key.in_flight += 1
                connection.start(request, timeout_s, partial(self._done, key, call))
        finally:
            key.cap_proof.sent_each(sent_s)
            if key.cap_proof is not parts.cap_proof:
                parts.cap_proof.sent_each(sent_s)
            self._not_sent(key, lots[len(sent_s) :], connections[len(sent_s) :])

    def _not_sent(self, key: Key, lots: Sequence[Sequence[Item]], connections: Sequence[Connection]) -> None:
        for items, connection in zip(lots, connections, strict=True):
            key.pacer.returned()
            connection.release()
            self._settling.not_sent(key, items)

    def close(self) -> None:
        """What is in flight still does not concern us any more."""
        self.enter()
        self._closed = True

    def _done(self, key: Key, call: Call, answer: Reply | NoReply) -> None:
        key.in_flight -= 1
        if self._closed:
            return
        item = call.items[0]
        try:
            if type(answer) is Reply and (payload := self._product(answer, item)) is not None:
                key.answered.append((item, answer, payload))
                if not self._scheduled:
                    self._scheduled = True
                    self._loop.call_soon(self.enter)
                del self._desk.flying[item.id]
                return
            self.enter()
            del self._desk.flying[item.id]
            self._settling.settle(key, call, answer)
        except Exception as error:  # a callback has no task that would carry it: it ends the run as a task's would
            log.exception("an answer could not be settled")
            self._desk.cut_off.extend(call.items)
            self._desk.stop(Defect(f"{type(error).__name__} in settling an answer: what was written stands"))
            self._abandon()
        self._desk.changed()

    def enter(self) -> None:
        """Enter the products that have come since the last time into all the books."""
        self._scheduled = False
        for key in self._parts.keys:
            if key.answered:
                self._enter(key)

    def _enter(self, key: Key) -> None:
        answered, key.answered = key.answered, []
        self._settling.accepted(key, [reply for _, reply, _ in answered])
        clock = self._parts.clock
        offset_ms = clock.wall_ms() - clock.monotonic_s() * 1000.0
        self._buffer.extend(
            [
                Product(
                    item.id,
                    round(offset_ms + reply.ended_s * 1000.0),
                    item.attempt,
                    (reply.ended_s - reply.started_s) * 1000.0,
                    payload,
                )
                for item, reply, payload in answered
            ]
        )
        if not self._desk.flying and not self._desk.queue:
            self._buffer.press()
        self._desk.changed()
