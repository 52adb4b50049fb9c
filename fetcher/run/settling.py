"""What comes of an answer: read by the gateway's room, judged by the policy, carried out here.

    Reply | NoReply ─▶ Verdict ─▶ Action ─▶ kept, failed, parked, to be tried again, or the end of the run

It never retries by itself: what is to be tried again goes back to the desk. It must not know connections.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from fetcher.errors import FetcherError, LimitReached, Refused, UsageError
from fetcher.life import State
from fetcher.metrics import Tally
from fetcher.model import (
    Action,
    Again,
    Attempt,
    Call,
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
from fetcher.run.desk import Desk

NO_CONNECTION_PATIENCE_S: Final = 8.0
"""How long a run that never reached the gateway tries before it says so: a typing error should not take long."""
JUDGED_AGAIN: Final = frozenset({VerdictKind.FATAL, VerdictKind.REJECT})
"""Verdicts about which the answers to other IDs have a say."""
NOTHING_TO_STORE: Final = frozenset(VerdictKind) - {VerdictKind.DONE, VerdictKind.ABSENT, VerdictKind.REJECT}
"""Answers after which the ID is tried again or the run ends. Should one become a failure all the same, it is stored."""


class Settling:
    """Settles one answer after another.

    Args:
        put: takes a product.
        fail: takes a failure, and may find that it was one too many.
    """

    def __init__(
        self, parts: Parts, desk: Desk, tally: Tally, put: Callable[[Outcome], None], fail: Callable[[Failure], None]
    ) -> None:
        self._parts, self._desk, self._tally, self._put, self._fail = parts, desk, tally, put, fail
        self._clock = parts.clock

    def accepted(self, replies: Sequence[Reply]) -> None:
        """Plain products have come: what all who follow answers make of them, in one go."""
        parts, last = self._parts, replies[-1]
        latencies_s = [reply.ended_s - reply.started_s for reply in replies]
        parts.in_flight.observe_each(latencies_s)
        self._follow_spread(last)
        self._tally.answered_each(VerdictKind.DONE, latencies_s, sum([len(reply.body) for reply in replies]))
        parts.reached = True
        parts.breaker.succeeded(len(replies), last.ended_s, max([reply.started_s for reply in replies]))
        self._accepted(last, len(replies))

    def settle(self, call: Call, answer: Reply | NoReply) -> None:
        """Read the answer, tell those who follow answers, and carry out what is to be done."""
        (item,) = call.items
        parts = self._parts
        parts.in_flight.observe(answer.ended_s - answer.started_s)
        if isinstance(answer, NoReply):
            self._unanswered(item, answer)
            return
        verdict = self._verdict(answer, item)
        if verdict.kind in NOTHING_TO_STORE:
            self._desk.notes.answered(item.id)
        self._tally.attempt(Attempt(answer.started_s, answer.ended_s, verdict.kind, len(answer.body)))
        parts.reached = True
        self._follow_spread(answer)
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

    def not_sent(self, items: Sequence[Item]) -> None:
        """A call that was to start did not."""
        self._parts.calls_started -= 1
        for item in items:
            self._desk.notes.answered(item.id)
            self._tally.again(retry=False)
            self._desk.waiting.push(item, 0.0)

    def no_connection(self, lost: NoReply) -> None:
        """A connection could not be opened."""
        self._tally.attempt(Attempt(lost.started_s, lost.ended_s, lost.kind, 0, sent=False))
        self._parts.breaker.record(False, lost.ended_s, started_s=lost.started_s)
        if self._parts.breaker.is_open:
            self._release_parked()
        self._judge_unreached(lost)

    def judge_outage(self, now_s: float) -> None:
        """Has it lasted too long?"""
        if self._parts.breaker.given_up(now_s):
            minutes = self._parts.settings.max_outage_s / 60
            self._desk.stop(
                LimitReached(
                    f"the gateway has not answered for {minutes:g} minutes",
                    "no ID was lost or marked failed for it; run the same command again when it is back",
                )
            )

    def settle_parked(self) -> None:
        """Nothing else is left to be done, or something went well: those failures are their IDs' own."""
        parked, self._desk.parked = self._desk.parked, []
        for _, failure in parked:
            self._fail(failure)

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

    def _unanswered(self, item: Item, lost: NoReply) -> None:
        parts = self._parts
        if not lost.sent:  # nothing left, so nothing was charged and no limit of calls was used
            parts.calls_started -= 1
            self._desk.notes.answered(item.id)
        self._tally.attempt(Attempt(lost.started_s, lost.ended_s, lost.kind, 0, lost.sent))
        probed = self._record(False, item, lost)
        if not lost.sent:  # the httpx lane connects within the exchange
            self._judge_unreached(lost)
        self._carry_out(item, lost, parts.policy.decide(lost, item, outage=parts.breaker.is_open), probed)

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

    def _release_parked(self) -> None:
        """It is an outage: no ID has failed, they wait for its end like all others."""
        parked, self._desk.parked = self._desk.parked, []
        for item, _ in parked:
            self._tally.again(retry=False)
            self._desk.waiting.push(item, 0.0)

    def _follow_spread(self, answer: Reply) -> None:
        """How even the way is decides how much of the cap is left unused."""
        parts = self._parts
        if parts.headroom.answered(answer.ended_s - answer.started_s, answer.ended_s):
            parts.pacer.set_headroom(parts.headroom.share)

    def _accepted(self, answer: Reply, calls: int = 1) -> None:
        parts = self._parts
        if self._desk.parked:
            self.settle_parked()
        parts.accepted_calls += calls
        parts.refusals.succeeded(calls)
        parts.retry_budget.completed(calls)
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
