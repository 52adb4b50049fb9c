"""The table: what came back × what the ID has behind it → what is done.

It must not know: clocks and dice (a function is passed in), codes of the gateway (a verdict has read them), the run.

| came back | action |
|---|---|
| DONE | Keep |
| ABSENT / REJECT | Fail not_found / rejected, permanent |
| RETRY | Again, after full jitter; attempts used up: Fail, not permanent |
| RETRY with the error `rejected` (an unknown code) | Again once, then Fail, not permanent |
| RETRY that asks for more than 300 s | Stop as QUOTA: resumable, says when |
| THROTTLE | Throttled; never an attempt |
| REFRESH / CLOCK | Refresh once an ID and key, then Stop as FATAL |
| FATAL / QUOTA | Stop (`Refusals` may know better about FATAL) |
| no reply, nothing sent | Free; permanent: Stop as FATAL |
| no reply, sent: timeout, disconnected, malformed | Again, in doubt; attempts or doubts used up: Fail, not permanent |
| no reply, too large | Fail too_large, permanent |

During an outage attempts are still counted, but none is the last: where an ID would fail for a transient reason it goes
back to wait at no cost, so that an outage fails no ID.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from fetcher.model import (
    Action,
    Again,
    Asked,
    ErrorInfo,
    Fail,
    Free,
    Item,
    Keep,
    Kind,
    Lost,
    NoReply,
    Refresh,
    Stop,
    Throttled,
    Verdict,
    VerdictKind,
)
from fetcher.policy.backoff import full_jitter_s

LONGEST_WAIT_S: Final = 300.0
"""A server that asks for more ends the run, resumable; a run that sleeps for an hour looks dead."""
NOT_SENT_PAUSE_S: Final = 0.5

FAILURE_KINDS: Final = {Lost.TIMEOUT: Kind.TIMEOUT, Lost.MALFORMED: Kind.MALFORMED, Lost.TOO_LARGE: Kind.TOO_LARGE}
"""What a lost exchange is called in the failed file; every other is `network`."""


class Policy:
    """Decides about answers, one at a time; remembers nothing.

    Args:
        retries: further attempts after the first.
        doubts: retries of calls that were sent and never answered, so may have been charged; None: as many as retries.
        random: dice, 0 <= random() < 1.
    """

    def __init__(self, retries: int, doubts: int | None = 2, *, random: Callable[[], float]) -> None:
        self._retries, self._doubts, self._random = retries, doubts, random

    def decide(self, answer: Verdict | NoReply, item: Item, *, outage: bool = False, key: str = "") -> Action:
        """What to do about `answer`, which attempt number `item.attempt` brought.

        Args:
            answer: an understood answer, or none.
            item: the ID with what it has behind it.
            outage: the breaker is open: a transient failure is then not the ID's fault.
            key: whose call it was.
        """
        if isinstance(answer, NoReply):
            return self._unanswered(answer, item, outage)
        if answer.kind is VerdictKind.DONE:
            return Keep(answer.payload)
        if answer.kind in (VerdictKind.REFRESH, VerdictKind.CLOCK):
            if Asked(answer.kind, key) in item.refreshed:
                return Stop(msgspec.structs.replace(answer, kind=VerdictKind.FATAL))
            return Refresh(answer.kind)
        return self._answered(answer, item, outage)

    def pause_s(self, lost: NoReply) -> float:
        """Seconds to wait before connecting again, after `lost` was never sent: a quarter to half a second.

        The breaker makes the long waits; this one keeps a refusing port from being hammered until it opens.
        """
        return NOT_SENT_PAUSE_S * (0.5 + 0.5 * self._random())

    def _answered(self, verdict: Verdict, item: Item, outage: bool) -> Action:
        match verdict.kind:
            case VerdictKind.ABSENT:
                return _failed(verdict, Kind.NOT_FOUND, permanent=True)
            case VerdictKind.REJECT:
                return rejected(verdict)
            case VerdictKind.RETRY:
                return self._transient(verdict, item, outage)
            case VerdictKind.THROTTLE:
                return Throttled(verdict.wait_s)
            case _:  # FATAL, QUOTA
                return Stop(verdict)

    def _transient(self, verdict: Verdict, item: Item, outage: bool) -> Action:
        asked_s = verdict.wait_s or 0.0
        if asked_s > LONGEST_WAIT_S:
            return Stop(_come_back_later(verdict, asked_s))
        # An unknown code is not known to be transient: one more try shows it, more would only cost.
        retries = min(self._retries, 1) if verdict.error is Kind.REJECTED else self._retries
        wait_s = max(asked_s, self._backoff_s(item))
        if item.attempt <= retries:
            return Again(wait_s)
        if outage and verdict.error is not Kind.REJECTED:
            return Free(wait_s)
        return _failed(verdict, verdict.error, permanent=False)

    def _unanswered(self, lost: NoReply, item: Item, outage: bool) -> Action:
        if lost.kind is Lost.TOO_LARGE:
            return _lost(lost, permanent=True)
        if not lost.sent:
            return Stop(_cannot_reach(lost)) if lost.permanent else Free(self.pause_s(lost))
        doubts_left = self._doubts is None or item.doubts < self._doubts
        if item.attempt <= self._retries and doubts_left:
            return Again(self._backoff_s(item), doubt=True)
        if outage:
            return Free(self._backoff_s(item))
        return _lost(lost, permanent=False)

    def _backoff_s(self, item: Item) -> float:
        return full_jitter_s(item.attempt, self._random())


def rejected(verdict: Verdict, *, permanent: bool = True) -> Fail:
    """The gateway refuses this one ID: also for a FATAL answer that turned out to be the ID's own."""
    return _failed(verdict, Kind.REJECTED, permanent=permanent)


def _failed(verdict: Verdict, kind: Kind, *, permanent: bool) -> Fail:
    return Fail(ErrorInfo(kind, verdict.code, verdict.message, verdict.http_status, permanent))


def _lost(lost: NoReply, *, permanent: bool) -> Fail:
    return Fail(ErrorInfo(FAILURE_KINDS.get(lost.kind, Kind.NETWORK), None, lost.detail, None, permanent))


def _cannot_reach(lost: NoReply) -> Verdict:
    if lost.kind is Lost.TLS:
        remedy = "the gateway's certificate does not verify: check the gateway's URL, the proxy and the CA file"
    else:
        remedy = "check the gateway's URL, the proxy and the network"
    return Verdict(VerdictKind.FATAL, error=Kind.NETWORK, message=lost.detail, remedy=remedy)


def _come_back_later(verdict: Verdict, asked_s: float) -> Verdict:
    remedy = f"the gateway asks to wait {asked_s:.0f} s: run the same command again then"
    return msgspec.structs.replace(verdict, kind=VerdictKind.QUOTA, remedy=remedy)
