"""What comes of an answer: read by the gateway's room, judged by the policy, carried out by `carrying`.

    Reply | NoReply ─▶ Verdict, of the call or of each ID ─▶ Action, of each ID ─▶ carried out

A call is counted once, however many IDs it asks for; one that is refused because of one of its IDs is split. It never
retries by itself: what is to be tried again goes back to the desk. It must not know connections.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from fetcher.errors import LimitReached
from fetcher.metrics import Tally
from fetcher.model import (
    Action,
    Attempt,
    Call,
    Fail,
    Item,
    NoReply,
    Reply,
    Verdict,
    VerdictKind,
)
from fetcher.pacing import parse_retry_after
from fetcher.report import duration
from fetcher.run.asking import unreached
from fetcher.run.assemble import Parts
from fetcher.run.carrying import Carrying
from fetcher.run.desk import Desk
from fetcher.run.keys import Key

NO_CONNECTION_PATIENCE_S: Final = 8.0
"""How long a run that never reached the gateway tries before it says so: a typing error should not take long."""
JUDGED_AGAIN: Final = frozenset({VerdictKind.FATAL, VerdictKind.REJECT})
"""Verdicts about which the answers to other IDs have a say."""
NOTHING_TO_STORE: Final = frozenset(VerdictKind) - {VerdictKind.DONE, VerdictKind.ABSENT, VerdictKind.REJECT}
"""Answers after which the ID is tried again or the run ends. Should one become a failure all the same, it is stored."""


class Settling:
    """Settles one answer after another."""

    def __init__(self, parts: Parts, desk: Desk, tally: Tally, carrying: Carrying) -> None:
        self._parts, self._desk, self._tally, self._carrying = parts, desk, tally, carrying
        self._clock = parts.clock
        self._last_trouble = ""

    def accepted(self, key: Key, replies: Sequence[Reply]) -> None:
        """Plain products have come: what all who follow answers make of them, in one go."""
        parts, last = self._parts, replies[-1]
        latencies_s = [reply.ended_s - reply.started_s for reply in replies]
        parts.in_flight.observe_each(latencies_s)
        _follow_spread(key, sum(latencies_s) / len(replies), last.ended_s, len(replies))
        self._tally.answered_each(VerdictKind.DONE, latencies_s, sum([len(reply.body) for reply in replies]))
        parts.reached = True
        parts.breaker.succeeded(len(replies), last.ended_s, max([reply.started_s for reply in replies]))
        self._accepted(key, last, len(replies))

    def settle(self, key: Key, call: Call, answer: Reply | NoReply) -> None:
        """Read the answer, tell those who follow answers, and carry out what is to be done."""
        self._parts.in_flight.observe(answer.ended_s - answer.started_s)
        if isinstance(answer, NoReply):
            self._unanswered(key, call.items, answer)
            return
        said = self._verdicts(answer, call)
        self._parts.reached = True
        _follow_spread(key, answer.ended_s - answer.started_s, answer.ended_s)
        if isinstance(said, list):
            self._each(key, call.items, said, answer)
        else:
            self._whole(key, call.items, said, answer)

    def _whole(self, key: Key, items: tuple[Item, ...], verdict: Verdict, answer: Reply) -> None:
        """The answer means the same for all of a call."""
        self._tally.attempt(Attempt(answer.started_s, answer.ended_s, verdict.kind, len(answer.body)))
        self._note(verdict, items)
        probed = self._record(verdict.kind is not VerdictKind.RETRY, items, answer)
        several, judged = len(items) > 1, verdict.kind in JUDGED_AGAIN
        if verdict.kind in NOTHING_TO_STORE or (several and judged):
            self._forget_notes(items)
        if several and verdict.kind is VerdictKind.REJECT:
            self._carrying.split(items, verdict.names)
            return
        actions = [self._decide(key, verdict, item) for item in (items[:1] if judged else items)]
        accepted = verdict.kind in (VerdictKind.DONE, VerdictKind.ABSENT)
        if judged and isinstance(actions[0], Fail):
            if several:
                self._carrying.split(items, verdict.names)
                return
            accepted = verdict.kind is VerdictKind.REJECT
        if accepted:
            self._accepted(key, answer)
        self._carrying.out(key, items, actions * len(items) if judged else actions, answer, probed=probed)

    def _each(self, key: Key, items: tuple[Item, ...], verdicts: list[Verdict], answer: Reply) -> None:
        """The answer says something of each ID."""
        kinds = [verdict.kind for verdict in verdicts]
        main = next((kind for kind in kinds if kind is VerdictKind.DONE), kinds[0])
        self._tally.attempt(Attempt(answer.started_s, answer.ended_s, main, len(answer.body)))
        probed = self._record(any(kind is not VerdictKind.RETRY for kind in kinds), items, answer)
        self._forget_notes([item for item, kind in zip(items, kinds, strict=True) if kind in NOTHING_TO_STORE])
        for item, verdict in zip(items, verdicts, strict=True):
            self._note(verdict, (item,))
        if VerdictKind.DONE in kinds or VerdictKind.ABSENT in kinds:
            self._accepted(key, answer)
        actions = [self._decide(key, verdict, item) for verdict, item in zip(verdicts, items, strict=True)]
        self._carrying.out(key, items, actions, answer, probed=probed)

    def _decide(self, key: Key, verdict: Verdict, item: Item) -> Action:
        parts = self._parts
        if verdict.kind in JUDGED_AGAIN:
            return key.refusals.judge(verdict, item)
        return parts.policy.decide(verdict, item, outage=parts.breaker.is_open, key=key.name)

    def _note(self, verdict: Verdict, items: Sequence[Item]) -> None:
        """Examples of what hurt, for the report; what becomes a failure is told with the failures."""
        if verdict.kind in NOTHING_TO_STORE:
            ids = [item.id for item in items]
            if verdict.kind is VerdictKind.RETRY:
                self._last_trouble = verdict.message or f"HTTP {verdict.http_status}"
            self._tally.specimens.answers.note(verdict.kind, verdict.code, verdict.message, ids)

    def _forget_notes(self, items: Sequence[Item]) -> None:
        """Their call brought nothing that will be stored."""
        for item in items:
            self._desk.notes.answered(item.id)

    def not_sent(self, key: Key, items: Sequence[Item]) -> None:
        """A call that was to start did not."""
        key.not_started(self._clock)
        self._forget_notes(items)
        self._carrying.back(items)

    def no_connection(self, lost: NoReply) -> None:
        """A connection could not be opened."""
        self._tally.attempt(Attempt(lost.started_s, lost.ended_s, lost.kind, 0, sent=False))
        self._last_trouble = lost.detail
        self._parts.breaker.record(False, lost.ended_s, started_s=lost.started_s)
        if self._parts.breaker.is_open:
            self._carrying.release_parked()
        self._judge_unreached(lost)

    def judge_outage(self, now_s: float) -> None:
        """Has it lasted too long?"""
        parts = self._parts
        if not parts.breaker.given_up(now_s):
            return
        lasted = duration(parts.settings.max_outage_s)
        last = f"; the last trouble: {self._last_trouble}" if self._last_trouble else ""
        remedy = "no ID was lost or marked failed for it; run the same command again when it is back"
        if not any(key.accepted_calls for key in parts.keys):
            remedy += ". Nothing was ever answered well: check --gateway, and ask `fetcher check`"
        self._desk.stop(LimitReached(f"the gateway has not answered well for {lasted}{last}", remedy))

    def _judge_unreached(self, lost: NoReply) -> None:
        """Nothing could be sent: say so while waiting, and give up soon where nothing was ever reached."""
        parts = self._parts
        self._tally.waiting(f"no connection to the gateway: {lost.detail}", None)
        if parts.reached:
            return
        if lost.permanent or lost.ended_s - parts.started_s > NO_CONNECTION_PATIENCE_S:
            self._desk.stop(unreached(parts, lost.detail))

    def _unanswered(self, key: Key, items: tuple[Item, ...], lost: NoReply) -> None:
        parts = self._parts
        if not lost.sent:  # nothing left, so nothing was charged and no limit of calls was used
            key.not_started(self._clock)
            self._forget_notes(items)
        self._tally.attempt(Attempt(lost.started_s, lost.ended_s, lost.kind, 0, lost.sent))
        self._tally.specimens.answers.note(lost.kind, None, lost.detail, [item.id for item in items])
        self._last_trouble = lost.detail
        probed = self._record(False, items, lost)
        if not lost.sent:  # the httpx lane connects within the exchange
            self._judge_unreached(lost)
        actions = [parts.policy.decide(lost, item, outage=parts.breaker.is_open) for item in items]
        self._carrying.out(key, items, actions, lost, probed=probed)

    def _verdicts(self, answer: Reply, call: Call) -> Verdict | list[Verdict]:
        said = self._parts.gateway.verdicts(answer, call)
        if answer.retry_after is None or isinstance(said, list):
            return said
        asked_s = parse_retry_after(answer.retry_after, self._clock.wall_ms())
        return said if asked_s is None else msgspec.structs.replace(said, wait_s=asked_s)

    def _record(self, ok: bool, items: tuple[Item, ...], answer: Reply | NoReply) -> bool:
        """Tell the outage breaker. True: this was its probe, and it failed."""
        first = any(item.attempt == 1 for item in items)
        probed = self._parts.breaker.record(ok, answer.ended_s, first, answer.started_s)
        if self._parts.breaker.is_open:
            self._carrying.release_parked()
        return probed

    def _accepted(self, key: Key, answer: Reply, calls: int = 1) -> None:
        parts = self._parts
        if self._desk.parked:
            self._carrying.settle_parked()
        key.accepted_calls += calls
        key.refusals.succeeded(calls)
        parts.retry_budget.completed(calls)
        key.throttle.succeeded(answer.ended_s)
        self._tally.waiting("", None)


def _follow_spread(key: Key, latency_s: float, now_s: float, answers: int = 1) -> None:
    """How even the way is decides how much of the cap is left unused."""
    if key.headroom.answered(latency_s, now_s, answers):
        key.pacer.set_headroom(key.headroom.share)
