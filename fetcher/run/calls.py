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
        self._wall_ms, self._product = parts.clock.wall_ms, parts.gateway.product
        self._loop = asyncio.get_running_loop()
        self._closed = False
        self._replies: list[Reply] = []
        self._products: list[Product] = []

    def start(self, lots: Sequence[Sequence[Item]], connections: Sequence[Connection]) -> None:
        """Send a call for each lot, on its connection, for permits that were taken. What cannot be sent is put back."""
        parts, flying, may_send = self._parts, self._desk.flying, self._parts.pacer.sent
        gateway, now_s, timeout_s = parts.gateway, parts.clock.monotonic_s, parts.settings.timeout_s
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
                connection.start(request, timeout_s, partial(self._done, call))
        finally:
            parts.cap_proof.sent_each(sent_s)
            self._not_sent(lots[len(sent_s) :], connections[len(sent_s) :])

    def _not_sent(self, lots: Sequence[Sequence[Item]], connections: Sequence[Connection]) -> None:
        for items, connection in zip(lots, connections, strict=True):
            self._parts.pacer.returned()
            connection.release()
            self._settling.not_sent(items)

    def close(self) -> None:
        """What is in flight still does not concern us any more."""
        self.enter()
        self._closed = True

    def _done(self, call: Call, answer: Reply | NoReply) -> None:
        if self._closed:
            return
        item = call.items[0]
        try:
            if type(answer) is Reply and (payload := self._product(answer, item)) is not None:
                latency_ms = (answer.ended_s - answer.started_s) * 1000.0
                self._products.append(Product(item.id, self._wall_ms(), item.attempt, latency_ms, payload))
                if not self._replies:
                    self._loop.call_soon(self.enter)
                self._replies.append(answer)
                del self._desk.flying[item.id]
                return
            self.enter()
            del self._desk.flying[item.id]
            self._settling.settle(call, answer)
        except Exception as error:  # a callback has no task that would carry it: it ends the run as a task's would
            log.exception("an answer could not be settled")
            self._desk.cut_off.extend(call.items)
            self._desk.stop(Defect(f"{type(error).__name__} in settling an answer: what was written stands"))
            self._abandon()
        self._desk.changed()

    def enter(self) -> None:
        """Enter the products that have come since the last time into all the books."""
        replies, self._replies = self._replies, []
        if not replies:
            return
        products, self._products = self._products, []
        self._settling.accepted(replies)
        self._buffer.extend(products)
        self._desk.changed()
