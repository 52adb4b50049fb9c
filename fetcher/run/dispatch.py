"""The one task that hands out IDs, each with a permission to send it.

It asks `pacing` when, the policy's budgets whether, the desk to whom. The even schedule and the exact guard over the
last second are the pacer's; under them lies an aiolimiter bucket filled at the cap itself, an independent check that
costs nothing as long as the schedule is right. Never does more than one task wait for a permit: a crowd of waiters is
what makes limiters slow and bursty.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from fetcher.errors import LimitReached, OutputError
from fetcher.metrics import Tally
from fetcher.model import Item
from fetcher.run.assemble import Parts
from fetcher.run.buffer import OutcomeBuffer
from fetcher.run.desk import QUEUE_LOW, Desk, Permit
from fetcher.settings import Settings

SHORTEST_SLEEP_S: Final = 0.001
"""Timers below a millisecond spin on uvloop; the pacer's slack makes up for what a late tick loses."""
LONGEST_SLEEP_S: Final = 0.25
"""Rates recover and outages are judged by the clock, so the dispatcher looks up now and then."""
FIRST_CALLS: Final = (1, 4)
"""In flight until the gateway has taken one call, and four: a wrong key costs one call, not a pool of them."""


class Dispatcher:
    """Gives items to free workers, one permit each, until the desk is exhausted or told to stop."""

    def __init__(
        self, parts: Parts, desk: Desk, tally: Tally, buffer: OutcomeBuffer, hire: Callable[[int], None]
    ) -> None:
        self._parts, self._desk, self._tally, self._buffer, self._hire = parts, desk, tally, buffer, hire

    async def run(self) -> None:
        """Until every ID is done or the run is stopped and nothing is in flight any more."""
        desk = self._desk
        while not self._over():
            now_s = self._parts.clock.monotonic_s()
            self._parts.pacer.set_rate(self._parts.throttle.rate(now_s))
            self._staff()
            grants = 0 if desk.stopping else self._grants(now_s)
            if grants:
                await self._parts.bucket.acquire(grants)
                self._hand_out(grants)
                continue
            wait_s = self._sleep_s(now_s)
            desk.only_time_helps = not desk.stopping and bool(desk.free) and self._work(now_s) and not self._held()
            await desk.dispatcher_bell.sleep(wait_s)
            desk.only_time_helps = False

    def _over(self) -> bool:
        desk = self._desk
        if desk.exhausted:
            return True
        if desk.stopping:
            return not desk.in_flight
        if self._parts.calls_left() == 0 and not desk.in_flight and (desk.queue or desk.waiting):
            desk.stop(LimitReached(limit_words(self._parts.settings), "run the same command again to go on"))
            return True
        return False

    def _staff(self) -> None:
        """Hire workers up to what cap and latency need; surplus ones leave at their next look."""
        desk = self._desk
        todo = len(desk.queue) + len(desk.waiting) + desk.in_flight
        wanted = min(self._parts.in_flight.target(), todo, self._opening())
        if not desk.stopping and desk.workers < wanted:
            self._hire(wanted - desk.workers)

    def _opening(self) -> int:
        """How many may be in flight while the gateway has not yet shown that it takes our calls."""
        accepted = self._parts.accepted_calls
        for calls in FIRST_CALLS:
            if accepted < calls:
                return calls
        return 1_000_000

    def _work(self, now_s: float) -> bool:
        return bool(self._desk.queue) or self._retry_due(now_s)

    def _retry_due(self, now_s: float) -> bool:
        """One waits whose time has come, and the retry budget lets it pass. What was never sent is no retry."""
        desk = self._desk
        if desk.waiting.next_due_s > now_s:
            return False
        if self._parts.breaker.is_open:
            return True  # a probe is not held back by an empty budget
        fresh_left = bool(desk.queue) or desk.in_flight > 0 or not desk.input_ended
        return desk.waiting.head().attempt == 1 or self._parts.retry_budget.may_retry(len(desk.waiting), fresh_left)

    def _held(self) -> bool:
        """Something other than the pace stands in the way: the writer, the outage, the first calls."""
        return self._buffer.full or self._desk.in_flight >= self._opening() or self._parts.breaker.is_open

    def _grants(self, now_s: float) -> int:
        desk, parts = self._desk, self._parts
        if not desk.free or self._buffer.full or not self._work(now_s):
            return 0
        if not parts.breaker.allows(now_s):
            return 0
        room = 1 if parts.breaker.is_open else self._opening() - desk.in_flight
        return max(0, min(parts.pacer.due(now_s), len(desk.free), room, parts.calls_left()))

    def _hand_out(self, grants: int) -> None:
        """Note the calls, all at once, then let them go."""
        now_s = self._parts.clock.monotonic_s()
        chosen = self._choose(grants, now_s)
        if not chosen:
            return
        try:
            self._desk.notes.calls([item.id for _, item, _ in chosen])
        except OutputError as error:
            self._desk.stop(error)
            for permit, item, _ in chosen:
                self._desk.queue.appendleft(item)
                permit.given.set_result(None)
            return
        for permit, item, waited in chosen:
            self._start(permit, item, waited, now_s)

    def _choose(self, grants: int, now_s: float) -> list[tuple[Permit, Item, bool]]:
        desk, chosen = self._desk, list[tuple[Permit, Item, bool]]()
        while len(chosen) < grants and desk.free and not desk.stopping:
            permit = desk.free.pop()
            if permit.given.done():
                continue
            if not permit.connection.usable():
                permit.given.set_result(None)  # the far end hung up meanwhile: connect first, then take a slot
                continue
            found = self._next(now_s)
            if found is None:
                desk.free.append(permit)
                break
            chosen.append((permit, *found))
        return chosen

    def _next(self, now_s: float) -> tuple[Item, bool] | None:
        """The next item, and whether it comes from those that waited. Longest due first, then the input's order."""
        desk = self._desk
        if self._retry_due(now_s) and not (self._parts.breaker.wants_fresh and desk.queue):
            item = desk.waiting.head()
            desk.waiting.pop_due(now_s)
            if item.attempt > 1:
                self._parts.retry_budget.spend()
            return item, True
        if not desk.queue:
            return None
        item = desk.queue.popleft()
        if len(desk.queue) == QUEUE_LOW:
            desk.reader_bell.ring()
        return item, False

    def _start(self, permit: Permit, item: Item, waited: bool, now_s: float) -> None:
        self._parts.pacer.take(1, now_s)
        self._parts.calls_started += 1
        self._parts.breaker.probe_started(now_s)  # does nothing while there is no outage
        self._desk.in_flight += 1
        self._desk.started_s = now_s
        self._tally.started(waited)
        permit.granted = True
        permit.given.set_result(item)

    def _sleep_s(self, now_s: float) -> float | None:
        desk, parts = self._desk, self._parts
        if desk.stopping:
            return None  # only an answer can change anything, and it rings
        wait_s = LONGEST_SLEEP_S
        if desk.waiting:
            wait_s = min(wait_s, desk.waiting.next_due_s - now_s)
        if desk.free and self._work(now_s) and not self._held():
            wait_s = min(LONGEST_SLEEP_S, parts.pacer.wait_s(now_s))
        return max(SHORTEST_SLEEP_S, wait_s if math.isfinite(wait_s) else LONGEST_SLEEP_S)


def limit_words(settings: Settings) -> str:
    """Which of the two limits ended it."""
    if settings.max_calls is not None and settings.max_calls == settings.calls_allowed:
        return f"--max-calls {settings.max_calls} is reached"
    return f"--max-cost {settings.max_cost:g} is reached at {settings.calls_allowed} calls of {settings.price:g}"
