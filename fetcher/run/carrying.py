"""Carries out what was decided about the IDs of a call: kept, failed, parked, to be tried again, or the end of the run.

It must not know answers beyond their times, nor why something was decided.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fetcher.clock import Clock
from fetcher.errors import FetcherError, LimitReached, Refused, UsageError
from fetcher.life import State
from fetcher.metrics import Tally
from fetcher.model import (
    Action,
    Again,
    Fail,
    Failure,
    Free,
    Item,
    Keep,
    NoReply,
    Outcome,
    Product,
    Refresh,
    Reply,
    Stop,
    Throttled,
    VerdictKind,
)
from fetcher.run.assemble import Parts
from fetcher.run.desk import Desk
from fetcher.run.keys import Key
from fetcher.run.pool import Pool


class Carrying:
    """Carries out actions.

    Args:
        put: takes a product.
        fail: takes a failure, and may find that it was one too many.
        refused: takes a key, an ID whose call with it was refused for its token, its time or the key, which of them,
            and when it was sent.
    """

    def __init__(
        self,
        parts: Parts,
        desk: Desk,
        tally: Tally,
        put: Callable[[Outcome], None],
        fail: Callable[[Failure], None],
        refused: Callable[[Key, Item, VerdictKind, float], None],
    ) -> None:
        self._parts, self._desk, self._tally, self._put, self._fail = parts, desk, tally, put, fail
        self._refused, self._pool = refused, Pool(parts, desk, tally)
        self._clock: Clock = parts.clock

    def out(
        self, key: Key, items: Sequence[Item], actions: Sequence[Action], answer: Reply | NoReply, *, probed: bool
    ) -> None:
        """What was decided for each of `items` because of one answer.

        Args:
            key: whose call it was.
            items: of the call.
            actions: one for each.
            answer: tells the times.
            probed: it was the breaker's probe, and it failed: they are the first to be tried again.
        """
        latency_ms = (answer.ended_s - answer.started_s) * 1000.0
        # They were called together; where they wait, they wait together, so that one call is enough again.
        wait_s = max((action.wait_s for action in actions if isinstance(action, Again | Free)), default=0.0)
        due_s = 0.0 if probed else answer.ended_s + wait_s
        throttled: list[Item] = []
        for item, action in zip(items, actions, strict=True):
            if isinstance(action, Keep):
                self._put(Product(item.id, self._clock.wall_ms(), item.attempt, latency_ms, action.payload))
            elif isinstance(action, Fail):
                failure = Failure(item.id, self._clock.wall_ms(), item.attempt, latency_ms, action.error)
                if self._parts.breaker.failing and not action.error.permanent:
                    self._desk.parked.append((item, failure))
                else:
                    self._fail(failure)
            elif isinstance(action, Throttled):
                self._begun(item, latency_ms)
                throttled.append(item)
                asked_s = action.wait_s
            elif isinstance(action, Refresh):
                self._begun(item, latency_ms)
                self._refused(key, item, action.what, answer.started_s)
            elif isinstance(action, Again | Free):
                self._begun(item, latency_ms)
                self._later(item, action, due_s, heard=isinstance(answer, Reply))
            elif self._retired(key, action, answer):
                self.back([item])
            else:
                self._desk.cut_off.append(item)
                self._tally.left(State.IN_FLIGHT)
                self._desk.stop(_reason(action, answer))
        if isinstance(answer, Reply) and not all(isinstance(action, Keep | Fail) for action in actions):
            self._tally.detour(latency_ms / 1000.0)
        if throttled:
            self._throttled(key, throttled, answer, asked_s)

    def _begun(self, item: Item, latency_ms: float) -> None:
        """It will take more than this call: remember when it began, for the figures."""
        self._desk.begun_ms.setdefault(item.id, self._clock.wall_ms() - latency_ms)

    def split(self, items: Sequence[Item], names: Sequence[str] = ()) -> None:
        """One of them is the reason why their call was refused: ask for each half by itself, at no attempt's cost.

        The first half goes before all others, so that a refusal of the whole run shows after a few calls: halves of
        halves, and not one after another all the quarters.

        Args:
            items: what the call asked for.
            names: IDs that the refusal names; they go by themselves, and the others stay together.
        """
        parts = [[item for item in items if item.id in names], [item for item in items if item.id not in names]]
        if not all(parts):
            half = (len(items) + 1) // 2
            parts = [list(items[:half]), list(items[half:])]
        for part, due_s in zip(parts, (-self._clock.monotonic_s(), 0.0), strict=True):
            for item in part:
                self._tally.again(retry=False)
                self._desk.waiting.push(item.within(len(part)), due_s)

    def back(self, items: Sequence[Item]) -> None:
        """They are to start again at once, at no attempt's cost."""
        for item in items:
            self._tally.again(retry=False)
            self._desk.waiting.push(item, 0.0)

    def settle_parked(self) -> None:
        """Nothing else is left to be done, or something went well: those failures are their IDs' own."""
        parked, self._desk.parked = self._desk.parked, []
        for _, failure in parked:
            self._fail(failure)

    def release_parked(self) -> None:
        """It is an outage: no ID has failed, they wait for its end like all others."""
        parked, self._desk.parked = self._desk.parked, []
        self.back([item for item, _ in parked])

    def _later(self, item: Item, action: Again | Free, due_s: float, *, heard: bool) -> None:
        if heard and item.refreshed:  # its token and its time were taken
            item = Item(item.id, item.line, item.attempt, item.doubts, lot=item.lot)
        retry = isinstance(action, Again)
        if isinstance(action, Again):
            item = Item(item.id, item.line, item.attempt + 1, item.doubts + action.doubt, item.refreshed, item.lot)
        self._tally.again(retry)
        self._desk.waiting.push(item, due_s)

    def _throttled(self, key: Key, items: Sequence[Item], answer: Reply | NoReply, asked_s: float | None) -> None:
        parts, now_s = self._parts, answer.ended_s
        rate_per_s = key.throttle.rate(now_s)
        pause_s = key.throttle.throttled(now_s, answer.started_s, asked_s)
        self._tally.throttled(pause_s, len(items))
        for item in items:
            self._desk.waiting.push(item, now_s)
        if pause_s:
            if key.headroom.refused(rate_per_s, key.cap_per_s):
                key.pacer.set_headroom(key.headroom.share)
            key.pacer.slow(key.throttle.slowdown())
            if key.leasing is not None:
                key.leasing.bell.ring()  # who shares the cap is to know
            self._tally.waiting("the gateway said over the rate", now_s + pause_s)
        too_long_s = key.throttle.too_long_wait_s
        if too_long_s is not None:
            self._pool.end(
                key,
                LimitReached(
                    f"the gateway asks to wait {too_long_s:.0f} s", "run the same command again then; no ID was lost"
                ),
            )
        elif key.throttle.given_up(now_s):
            self._pool.end(
                key,
                LimitReached(
                    f"nothing but answers over the rate for {parts.settings.max_outage_s / 60:g} minutes",
                    "a lower --qps, or another hour: a daily quota may be used up; the same command goes on",
                ),
            )

    def _retired(self, key: Key, action: Stop, answer: Reply | NoReply) -> bool:
        """What would end the run is this key's own, and there are others: it leaves the pool."""
        if isinstance(answer, NoReply):
            return False
        if key.retired is None and not self._pool.is_last(key):
            self._pool.end(key, _reason(action, answer))
        return key.retired is not None and self._pool.living > 0


def _reason(action: Stop, answer: Reply | NoReply) -> FetcherError:
    """A Stop as the error that ends the run."""
    verdict = action.verdict
    said = " ".join(part for part in (verdict.code, verdict.message and f'"{verdict.message}"') if part)
    if verdict.kind is VerdictKind.QUOTA:
        return LimitReached(f"no usage left: {said}", verdict.remedy)
    if isinstance(answer, NoReply):
        return UsageError(f"cannot reach the gateway: {verdict.message}", verdict.remedy)
    return Refused(said or "the gateway refused the call", verdict.remedy)
