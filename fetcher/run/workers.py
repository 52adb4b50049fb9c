"""The worker pool. A worker holds a connection, is handed an ID with a permit, and makes one attempt of it:

    sign ─▶ send ─▶ read ─▶ decide

Each of these is another room's answer; the worker only carries them on and books what came of it. It never retries by
itself: what is to be tried again goes back to the desk.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import msgspec

from fetcher.errors import FetcherError, LimitReached, Refused, UsageError
from fetcher.life import State
from fetcher.metrics import Tally
from fetcher.model import (
    Action,
    Again,
    Attempt,
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
    Verdict,
    VerdictKind,
)
from fetcher.pacing import parse_retry_after
from fetcher.run.assemble import Parts
from fetcher.run.desk import Desk, Permit
from fetcher.transport import Connection

NO_CONNECTION_PATIENCE_S: Final = 8.0
"""How long a run that never reached the gateway tries before it says so: a typing error should not take long."""
LOOK_AGAIN_S: Final = 0.25
JUDGED_AGAIN: Final = frozenset({VerdictKind.FATAL, VerdictKind.REJECT})
"""Verdicts about which the answers to other IDs have a say."""
NOTHING_TO_STORE: Final = frozenset(VerdictKind) - {VerdictKind.DONE, VerdictKind.ABSENT, VerdictKind.REJECT}
"""Answers after which the ID is tried again or the run ends. Should one become a failure all the same, it is stored."""


class Workers:
    """The pool: `work()` is one worker's life.

    Args:
        put: takes a product.
        fail: takes a failure, and may find that it was one too many.
    """

    def __init__(
        self,
        parts: Parts,
        desk: Desk,
        tally: Tally,
        put: Callable[[Outcome], None],
        fail: Callable[[Failure], None],
    ) -> None:
        self._parts, self._desk, self._tally, self._put, self._fail = parts, desk, tally, put, fail
        self._clock = parts.clock
        self._knocking = False

    async def work(self) -> None:
        """Attempt after attempt, until the run stops or fewer workers are needed."""
        desk = self._desk
        try:
            while not desk.stopping and desk.workers <= self._parts.in_flight.target():
                connection = await self._connect()
                if connection is None:
                    continue
                permit = Permit(connection)
                try:
                    item = await desk.take_permit(permit)
                    if item is None:
                        connection.release()
                    else:
                        await self._attempt(item, permit)
                finally:
                    self._give_back(permit)
        finally:
            desk.workers -= 1
            desk.changed()

    def _give_back(self, permit: Permit) -> None:
        """A permission to send that was handed out and not used must not count against the cap for ever."""
        if permit.granted and not permit.used:
            self._parts.pacer.returned()

    async def _connect(self) -> Connection | None:
        """A connection to write to, or None after a pause in which the far end may have come back."""
        parts = self._parts
        now_s = self._clock.monotonic_s()
        if parts.breaker.is_open:
            self._judge_outage(now_s)
            if self._knocking or not parts.breaker.allows(now_s):
                await asyncio.sleep(min(max(parts.breaker.wait_s(now_s), LOOK_AGAIN_S), 1.0))
                return None
            self._knocking = True  # during an outage one knocks at the door, not the whole pool
        try:
            got = await parts.transport.ready()
        finally:
            self._knocking = False
        if not isinstance(got, NoReply):
            return got
        self._no_connection(got)
        await asyncio.sleep(parts.policy.pause_s(got))
        return None

    def _no_connection(self, lost: NoReply) -> None:
        parts = self._parts
        self._tally.attempt(Attempt(lost.started_s, lost.ended_s, lost.kind, 0, sent=False))
        parts.breaker.record(False, lost.ended_s, started_s=lost.started_s)
        if parts.breaker.is_open:
            self._release_parked()
        self._judge_unreached(lost)

    def _judge_unreached(self, lost: NoReply) -> None:
        """Nothing could be sent: say so while waiting, and give up soon where nothing was ever reached."""
        parts = self._parts
        self._tally.waiting(f"no connection to the gateway: {lost.detail}", None)
        if parts.reached:
            return
        if lost.permanent or lost.ended_s - parts.started_s > NO_CONNECTION_PATIENCE_S:
            self._desk.stop(
                UsageError(
                    f"cannot reach {parts.gateway.origin}: {lost.detail}",
                    "check the network and --gateway; a proxy has to be named with --proxy",
                )
            )

    def _judge_outage(self, now_s: float) -> None:
        if self._parts.breaker.given_up(now_s):
            minutes = self._parts.settings.max_outage_s / 60
            self._desk.stop(
                LimitReached(
                    f"the gateway has not answered for {minutes:g} minutes",
                    "no ID was lost or marked failed for it; run the same command again when it is back",
                )
            )

    async def _attempt(self, item: Item, permit: Permit) -> None:
        parts = self._parts
        settled = False
        try:
            request = parts.gateway.request(parts.gateway.call((item,)), self._clock.wall_ms())
            now_s = self._clock.monotonic_s()
            parts.pacer.sent(now_s)
            permit.used = True
            parts.cap_proof.sent(now_s)
            answer = await permit.connection.exchange(request, parts.settings.timeout_s)
            self._settle(item, answer)
            settled = True
        finally:
            self._desk.in_flight -= 1
            if not settled:
                self._desk.cut_off.append(item)
            self._desk.changed()

    def _settle(self, item: Item, answer: Reply | NoReply) -> None:
        """Read the answer, tell those who follow answers, and carry out what is to be done."""
        parts = self._parts
        parts.in_flight.observe(answer.ended_s - answer.started_s)
        if isinstance(answer, NoReply):
            if not answer.sent:  # nothing left, so nothing was charged and no limit of calls was used
                parts.calls_started -= 1
                self._desk.notes.answered(item.id)
            self._tally.attempt(Attempt(answer.started_s, answer.ended_s, answer.kind, 0, answer.sent))
            probed = self._record(False, item, answer)
            if not answer.sent:  # the httpx lane connects within the exchange
                self._judge_unreached(answer)
            self._carry_out(item, answer, parts.policy.decide(answer, item, outage=parts.breaker.is_open), probed)
            return
        verdict = self._verdict(answer, item)
        if verdict.kind in NOTHING_TO_STORE:
            self._desk.notes.answered(item.id)
        self._tally.attempt(Attempt(answer.started_s, answer.ended_s, verdict.kind, len(answer.body)))
        parts.reached = True
        if parts.headroom.answered(answer.ended_s - answer.started_s, answer.ended_s):
            parts.pacer.set_headroom(parts.headroom.share)
        probed = self._record(verdict.kind is not VerdictKind.RETRY, item, answer)
        action: Action
        if verdict.kind in JUDGED_AGAIN:
            action = parts.refusals.judge(verdict, item)
            accepted = isinstance(action, Fail) and verdict.kind is VerdictKind.REJECT
        else:
            action = parts.policy.decide(verdict, item, outage=parts.breaker.is_open)
            accepted = verdict.kind in (VerdictKind.DONE, VerdictKind.ABSENT)
        if accepted:
            self._accepted(answer)
        self._carry_out(item, answer, action, probed)

    def _verdict(self, answer: Reply, item: Item) -> Verdict:
        verdict = self._parts.gateway.verdict(answer, item)
        if answer.retry_after is None:
            return verdict
        asked_s = parse_retry_after(answer.retry_after, self._clock.wall_ms())
        return verdict if asked_s is None else msgspec.structs.replace(verdict, wait_s=asked_s)

    def _record(self, ok: bool, item: Item, answer: Reply | NoReply) -> bool:
        """Tell the outage breaker. True: this was its probe, and it failed."""
        probed = self._parts.breaker.record(ok, answer.ended_s, item.attempt == 1, answer.started_s)
        if self._parts.breaker.is_open:
            self._release_parked()
        return probed

    def settle_parked(self) -> None:
        """Nothing else is left to be done, or something went well: those failures are their IDs' own."""
        parked, self._desk.parked = self._desk.parked, []
        for _, failure in parked:
            self._fail(failure)

    def _release_parked(self) -> None:
        """It is an outage: no ID has failed, they wait for its end like all others."""
        parked, self._desk.parked = self._desk.parked, []
        for item, _ in parked:
            self._tally.again(retry=False)
            self._desk.waiting.push(item, 0.0)

    def _accepted(self, answer: Reply) -> None:
        parts = self._parts
        self.settle_parked()
        parts.accepted_calls += 1
        parts.refusals.succeeded()
        parts.retry_budget.completed()
        parts.throttle.succeeded(answer.ended_s)
        self._tally.waiting("", None)

    def _carry_out(self, item: Item, answer: Reply | NoReply, action: Action, probed: bool) -> None:
        if isinstance(action, Keep):
            latency_ms = (answer.ended_s - answer.started_s) * 1000.0
            self._put(Product(item.id, self._clock.wall_ms(), item.attempt, latency_ms, action.payload))
        elif isinstance(action, Fail):
            latency_ms = (answer.ended_s - answer.started_s) * 1000.0
            failure = Failure(item.id, self._clock.wall_ms(), item.attempt, latency_ms, action.error)
            if self._parts.breaker.failing and not action.error.permanent:
                self._desk.parked.append((item, failure))
            else:
                self._fail(failure)
        elif isinstance(action, Throttled):
            self._throttled(item, answer, action)
        elif isinstance(action, Again | Free):
            self._later(item, action, 0.0 if probed else answer.ended_s + action.wait_s)
        else:
            self._desk.cut_off.append(item)
            self._tally.left(State.IN_FLIGHT)
            self._desk.stop(_reason(action, answer))

    def _later(self, item: Item, action: Again | Free, due_s: float) -> None:
        retry = isinstance(action, Again)
        if isinstance(action, Again):
            item = Item(item.id, item.line, item.attempt + 1, item.doubts + action.doubt, item.refreshed)
        self._tally.again(retry)
        self._desk.waiting.push(item, due_s)

    def _throttled(self, item: Item, answer: Reply | NoReply, action: Throttled) -> None:
        parts, now_s = self._parts, answer.ended_s
        rate_per_s = parts.throttle.rate(now_s)
        pause_s = parts.throttle.throttled(now_s, answer.started_s, action.wait_s)
        self._tally.throttled(pause_s)
        self._desk.waiting.push(item, now_s)
        if pause_s:
            if parts.headroom.refused(rate_per_s, parts.settings.qps):
                parts.pacer.set_headroom(parts.headroom.share)
            parts.pacer.pause_until(now_s + pause_s)
            self._tally.waiting("the gateway said over the rate", now_s + pause_s)
        if (wait_s := parts.throttle.too_long_wait_s) is not None:
            self._desk.stop(
                LimitReached(
                    f"the gateway asks to wait {wait_s:.0f} s", "run the same command again then; no ID was lost"
                )
            )
        elif parts.throttle.given_up(now_s):
            self._desk.stop(
                LimitReached(
                    f"nothing but answers over the rate for {parts.settings.max_outage_s / 60:g} minutes",
                    "a lower --qps, or another hour: a daily quota may be used up; the same command goes on",
                )
            )


def _reason(action: Stop | Refresh, answer: Reply | NoReply) -> FetcherError:
    """A Stop as the error that ends the run."""
    if isinstance(action, Refresh):
        return Refused(
            "the gateway refused the access token"
            if action.what is VerdictKind.REFRESH
            else "the gateway refused the request's time, or wants one",
            "get a new access token and set FETCHER_ACCESS_TOKEN"
            if action.what is VerdictKind.REFRESH
            else "set this machine's clock, or try --timestamp",
        )
    verdict = action.verdict
    said = " ".join(part for part in (verdict.code, verdict.message and f'"{verdict.message}"') if part)
    if verdict.kind is VerdictKind.QUOTA:
        return LimitReached(f"no usage left: {said}", verdict.remedy)
    if isinstance(answer, NoReply):
        return UsageError(f"cannot reach the gateway: {verdict.message}", verdict.remedy)
    return Refused(said or "the gateway refused the call", verdict.remedy)
