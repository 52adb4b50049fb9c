"""The one who starts calls, each with a permission to send it.

It asks `pacing` when, the policy's budgets whether, the transport on which connection. The even schedule and the exact
guard over the last second are the pacer's; under them lies an aiolimiter bucket filled at the cap itself, an
independent check that costs nothing as long as the schedule is right. Nobody else waits for a permit: a crowd of
waiters is what makes limiters slow and bursty.

It is a callback, called when something can be done: at the next permit (from 200 a second on at the next few) when
nothing but time stands in the way, else when somebody who moved something rings. What is due in the meantime wakes
nobody.
"""

from __future__ import annotations

import asyncio
import math
from typing import Final

from aiolimiter import AsyncLimiter

from fetcher.errors import LimitReached, OutputError
from fetcher.metrics import Tally
from fetcher.model import Item
from fetcher.run.assemble import Parts
from fetcher.run.buffer import OutcomeBuffer
from fetcher.run.calendar import Calendar
from fetcher.run.calls import Calls
from fetcher.run.desk import QUEUE_LOW, Desk
from fetcher.run.event_loop import LONGEST_SLEEP_S, sleep_of
from fetcher.run.keys import Key, in_turn, moment
from fetcher.run.openers import Openers
from fetcher.run.settling import Settling
from fetcher.settings import Settings
from fetcher.transport import Connection

PARTIAL_S: Final = 0.1
"""How long IDs wait for others to share their call with, where more may come."""

TAKEN: Final = object()


class Dispatcher:
    """Starts calls, one permit each, until the desk is exhausted or told to stop."""

    def __init__(
        self,
        parts: Parts,
        desk: Desk,
        tally: Tally,
        buffer: OutcomeBuffer,
        calls: Calls,
        settling: Settling,
        openers: Openers,
    ) -> None:
        self._parts, self._desk, self._tally, self._buffer = parts, desk, tally, buffer
        self._calls, self._settling, self._openers = calls, settling, openers
        self._batch = parts.gateway.batch
        self._calendar = Calendar(parts, desk, tally)
        self._partial_since_s = math.inf
        """Since when there have been IDs, but too few for a whole call."""
        self._ended: asyncio.Future[None]
        self._awaited_s = math.inf
        """When it is to be called again."""
        self._late_s = 0.0
        """So much later this turn began."""

    async def run(self) -> None:
        """Until every ID is done or the run is stopped and nothing is in flight any more."""
        self._ended = asyncio.get_running_loop().create_future()
        self._desk.dispatcher_bell.start(self._turn)
        try:
            await self._ended
        finally:
            self._desk.dispatcher_bell.stop()

    def _turn(self) -> None:
        """Start what may start, then say when to be called again."""
        if self._ended.done():
            return
        self._late_s = max(0.0, self._parts.clock.monotonic_s() - self._awaited_s)
        self._awaited_s = math.inf
        try:
            sleep_s = self._until_time_helps()
        except Exception as error:  # noqa: BLE001 - a callback has no task that would carry it
            self._ended.set_exception(error)
            return
        if sleep_s is None:
            self._ended.set_result(None)
        elif sleep_s < math.inf:
            self._desk.dispatcher_bell.set(sleep_s := whole_ms(sleep_s))
            self._awaited_s = self._parts.clock.monotonic_s() + sleep_s

    def _until_time_helps(self) -> float | None:
        """Starts calls. Returns how long nothing can be done unless somebody rings; None: never again."""
        desk, now_s = self._desk, self._parts.clock.monotonic_s
        while not self._over():
            desk.only_time_helps = False
            if desk.stopping:
                return math.inf  # only an answer can change anything, and it rings
            time_s = now_s()
            room = self._room(time_s)
            keys = self._open_keys(time_s) if room else []
            started = self._start_with_one(keys, room)
            # Else another key, or an answer that shows that this one is taken, may be what is next waited for.
            if not started or (started < room and len(keys) == 1 and keys[0].room()):
                desk.only_time_helps = bool(keys)
                return self._sleep_s(now_s(), keys)
        return None

    def _start_with_one(self, keys: list[Key], room: int) -> int:
        """Start what the first of these keys may that has a permit. Returns how many permits that were."""
        for key in keys:
            if permits := self._permits(key, room, self._parts.clock.monotonic_s()):
                if not taken(key.bucket, permits):
                    return 0
                self._start(key, permits)
                return permits
        return 0

    def _over(self) -> bool:
        desk = self._desk
        if desk.exhausted:
            return True
        if desk.stopping:
            return not desk.flying
        if self._parts.calls_left() == 0 and not desk.flying and (desk.queue or desk.waiting):
            desk.stop(LimitReached(limit_words(self._parts.settings), "run the same command again to go on"))
            return True
        return False

    def _room(self, now_s: float) -> int:
        """How many calls may start as soon as the pace allows; has connections opened for them."""
        desk, parts = self._desk, self._parts
        if desk.paused or self._calendar.is_closed():
            return 0
        breaker = parts.breaker
        outage = breaker.is_open
        if outage:
            self._settling.judge_outage(now_s)
        todo = self._todo(now_s)
        if not todo or desk.stopping or self._buffer.full:
            return 0
        flying = len(desk.flying)
        wanted = min(parts.in_flight.target() - flying, todo)
        idle = parts.transport.idle
        if idle < wanted or not idle:
            self._openers.want((1 if outage else max(wanted, 1)) - idle)
        if outage:
            return int(idle > 0 and breaker.allows(now_s))
        return max(0, min(wanted, idle, parts.calls_left()))

    def _open_keys(self, now_s: float) -> list[Key]:
        """Keys that may have a call more in flight, the one with most left of its cap first."""
        keys = in_turn(self._parts.keys, now_s)
        return [key for key in keys if key.room() > 0 and not key.holds]

    def _permits(self, key: Key, room: int, now_s: float) -> int:
        """How many calls may start with this key at this moment."""
        key.pacer.set_rate(key.throttle.rate(now_s))
        # Of leased slots more may be due than the bucket holds: their place may grant a longer lateness.
        permits = min(room, key.room(), key.pacer.due(now_s), int(key.bucket.max_rate))
        if key.quotas is not None:
            permits = min(permits, key.quotas.left(moment(self._parts.clock)))
        return max(0, permits)

    def _todo(self, now_s: float) -> int:
        """How many calls there are to be made now, about."""
        desk, batch = self._desk, self._batch
        todo = len(desk.queue)
        if desk.waiting and self._retry_due(now_s):
            todo += len(desk.waiting)
        if batch == 1 or not todo:
            return todo
        if todo >= batch or desk.input_ended:
            self._partial_since_s = math.inf
        elif now_s - (since_s := min(self._partial_since_s, now_s)) < PARTIAL_S:
            self._partial_since_s = since_s  # more may come that can share the call; nobody waits for them for long
            return 0
        return -(-todo // batch)

    def _retry_due(self, now_s: float) -> bool:
        """One waits whose time has come, and the retry budget lets it pass. What was never sent is no retry."""
        desk = self._desk
        if desk.waiting.next_due_s > now_s:
            return False
        if self._parts.breaker.is_open:
            return True  # a probe is not held back by an empty budget
        fresh_left = bool(desk.queue) or bool(desk.flying) or not desk.input_ended
        return desk.waiting.head().attempt == 1 or self._parts.retry_budget.may_retry(len(desk.waiting), fresh_left)

    def _start(self, key: Key, permits: int) -> None:
        """Take connections and IDs, note the calls all at once, then let them go."""
        desk, parts = self._desk, self._parts
        if key.retired is not None:
            return
        now_s = parts.clock.monotonic_s()
        connections, lots, waited = self._gathered(permits, now_s)
        if not lots:
            return
        self._partial_since_s = math.inf
        try:
            if parts.quota_book is not None:
                parts.quota_book.starting(key, len(lots))
            desk.notes.calls([item.id for lot in lots for item in lot])
        except OutputError as error:
            desk.stop(error)
            self._put_back(lots, connections)
            return
        if key.quotas is not None:
            key.quotas.take(len(lots), moment(parts.clock))
        key.pacer.take(len(lots), now_s)
        key.headroom.late(self._late_s, len(lots))
        key.calls_started += len(lots)
        if parts.breaker.is_open:
            parts.breaker.probe_started(now_s)
        desk.started_s = now_s
        self._tally.started_each(len(lots), sum(map(len, lots)) - waited, waited)
        self._calls.start(key, lots, connections)

    def _gathered(self, permits: int, now_s: float) -> tuple[list[Connection], list[list[Item]], int]:
        """Connections, the IDs of a call for each of them, and how many of those IDs have waited."""
        desk, take, queue = self._desk, self._parts.transport.take, self._desk.queue
        connections: list[Connection] = []
        lots: list[list[Item]] = []
        waited, before = 0, len(queue)
        plain = self._batch == 1 and desk.waiting.next_due_s > now_s
        while len(lots) < permits and not desk.stopping and (connection := take()) is not None:
            lot, again = ([queue.popleft()], 0) if plain and queue else self._lot(now_s)
            if not lot:
                connection.release()
                break
            connections.append(connection)
            lots.append(lot)
            waited += again
        if len(queue) <= QUEUE_LOW < before:
            desk.reader_bell.ring()
        return connections, lots, waited

    def _put_back(self, lots: list[list[Item]], connections: list[Connection]) -> None:
        for lot in reversed(lots):
            self._desk.queue.extendleft(reversed(lot))
        for connection in connections:
            connection.release()

    def _lot(self, now_s: float) -> tuple[list[Item], int]:
        """The IDs of the next call: longest due first, then in the input's order. How many of them have waited."""
        desk, batch = self._desk, self._batch
        lot: list[Item] = []
        if (
            desk.waiting.next_due_s <= now_s
            and self._retry_due(now_s)
            and not (self._parts.breaker.wants_fresh and desk.queue)
        ):
            most = batch
            # Whose call was refused is to share the next with fewer; a retry that may go takes along all that are due.
            while desk.waiting.next_due_s <= now_s and len(lot) < (most := min(most, desk.waiting.head().lot or batch)):
                if (item := desk.waiting.pop_due(now_s)) is not None:
                    lot.append(item)
            batch = most
            if any(item.attempt > 1 for item in lot):
                self._parts.retry_budget.spend()
        queue, waited = desk.queue, len(lot)
        while queue and len(lot) < batch:
            lot.append(queue.popleft())
        return lot, waited

    def _sleep_s(self, now_s: float, keys: list[Key]) -> float:
        """How long nothing can be done unless somebody rings. `keys`: only their permits are waited for."""
        desk, parts = self._desk, self._parts
        if keys:
            waits_s = [key.pacer.wake_s(now_s) for key in keys]
            for key, key_wait_s in zip(keys, waits_s, strict=True):
                if key_wait_s == math.inf and key.leasing is not None:
                    key.leasing.bell.ring()
            wait_s = min(waits_s)
            if keys[0].quotas is not None:
                wait_s = max(wait_s, self._calendar.quota_wait_s(keys))
            return sleep_of(wait_s)
        due_s = desk.waiting.next_due_s if desk.waiting else math.inf
        due_s = min(due_s, self._partial_since_s + PARTIAL_S)
        if due_s > now_s and not self._buffer.full:
            return sleep_of(due_s - now_s)
        if desk.closed_until_s > now_s:
            return sleep_of(desk.closed_until_s - now_s)
        probe_s = parts.breaker.wait_s(now_s)
        return sleep_of(probe_s) if probe_s else LONGEST_SLEEP_S


def taken(bucket: AsyncLimiter, permits: int) -> bool:
    """Take permits out of the bucket if it holds as many: then its `acquire` ends without waiting."""
    acquiring = bucket.acquire(permits).__await__()
    if next(acquiring, TAKEN) is TAKEN:
        return True
    acquiring.close()
    return False


def whole_ms(sleep_s: float) -> float:
    """Up to the next millisecond, at least one: timers count so, and one that is early has to be set again."""
    return max(1, math.ceil(sleep_s * 1000)) / 1000


def limit_words(settings: Settings) -> str:
    """Which of the two limits ended it."""
    if settings.share_limits:
        return f"the {settings.calls_allowed} calls that all runs at --share-cap may make together are used up"
    if settings.max_calls is not None and settings.max_calls == settings.calls_allowed:
        return f"--max-calls {settings.max_calls} is reached"
    return f"--max-cost {settings.max_cost:g} is reached at {settings.calls_allowed} calls of {settings.price:g}"
