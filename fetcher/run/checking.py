"""`fetcher check`: two questions to the gateway, and what each answer proves, leaves open, or shows to be wrong.

    system/currentTime   network, key, secret, algorithm, clock: it needs no permission
    the chosen API       token, permission, arguments, usage: with one ID

The gateway checks in that order, so a refusal proves all that stands before it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from fetcher.clock import Clock, SystemClock
from fetcher.errors import FetcherError
from fetcher.model import Item, Kind, NoReply, Reply, Request, Verdict, VerdictKind
from fetcher.run.asking import ask, unreached
from fetcher.run.assemble import Parts, assemble, gateway_of
from fetcher.run.event_loop import with_loop
from fetcher.run.gateway_time import ask_time
from fetcher.settings import Settings

if TYPE_CHECKING:
    import httpx

State = Literal["ok", "wrong", "open"]
CLOCK_NOTE_S: Final = 5.0
"""A clock that is off by less is not worth a word: the header's whole seconds and the way there are as much."""
HOW_TO_GET_ONE: Final = "fetcher login gets one; or set FETCHER_ACCESS_TOKEN"
NO_GATEWAY: Final = "what answers there is no 1688 gateway, or something stands between: check --gateway"
UNREACHABLE, REFUSED, LIMITED = 2, 3, 4


class Finding(msgspec.Struct, frozen=True):
    """One line: a step, how it stands, what was seen, and what to do."""

    step: str
    state: State
    said: str
    remedy: str = ""


class Diagnosis(msgspec.Struct):
    """What was found; `exit_code` is that of the contract."""

    findings: list[Finding] = []
    exit_code: int = 0
    clock_offset_ms: int | None = None
    """How far the gateway's clock is ahead of this machine's."""
    calls: int = 0

    def add(self, step: str, state: State, said: str, remedy: str = "", exit_code: int = 0) -> None:
        """One more line."""
        self.findings.append(Finding(step, state, said, remedy))
        self.exit_code = self.exit_code or exit_code


async def diagnose(
    settings: Settings, clock: Clock, product_id: str, *, own_id: bool, client: httpx.AsyncClient | None = None
) -> Diagnosis:
    """Ask, and say what the answers mean.

    Args:
        settings: as for a run.
        clock: both clocks.
        product_id: what the API is asked for.
        own_id: the user named it, so it should be there.
        client: see `Fetcher`.

    Raises:
        UsageError: a setting is wrong, or a credential is missing: nothing was sent.
    """
    parts = assemble(settings, clock=clock, client=client)
    try:
        return await _Check(parts, Item(product_id, 0), own_id).run()
    finally:
        await parts.aclose()


def check(settings: Settings, product_id: str, *, own_id: bool) -> Diagnosis:
    """`diagnose` on an event loop of its own. Raises what it raises."""
    return with_loop(diagnose(settings, SystemClock(), product_id, own_id=own_id))


class _Check:
    def __init__(self, parts: Parts, item: Item, own_id: bool) -> None:
        self._parts, self._keeper, self._item, self._own_id = parts, parts.tokens, item, own_id
        self._settings = parts.settings
        self._found = Diagnosis()

    async def run(self) -> Diagnosis:
        if await self._time():
            await self._api()
        return self._found

    async def _time(self, *, again: bool = False) -> bool:
        """The first question. False: the second need not be asked."""
        parts, found = self._parts, self._found
        found.calls += 1
        asked = await ask_time(parts)
        answer = asked.answer
        if isinstance(answer, NoReply):
            found.calls -= not answer.sent
            wrong = unreached(parts, answer.detail)
            found.add("network", "wrong", str(wrong), wrong.advice, UNREACHABLE)
            return False
        if not again:
            found.add("network", "ok", f"{parts.gateway.origin} answered in {answer.latency_s * 1000:.0f} ms")
        if asked.exact_ms is not None:
            found.add("credentials", "ok", "the gateway took the app key, the secret and the signature")
            self._clock(asked.exact_ms)
            return True
        verdict = parts.gateway.verdict(answer, self._item)
        if verdict.kind is VerdictKind.CLOCK and asked.by_header_ms is not None and not again:
            parts.clock_offset_ms = asked.by_header_ms  # the TOP family wants the time of whoever asks for the time
            return await self._time(again=True)
        return self._no_time(verdict, asked.by_header_ms)

    def _no_time(self, verdict: Verdict, offset_ms: int | None) -> bool:
        if self._settings.protocol == "guide" and verdict.kind not in (VerdictKind.THROTTLE, VerdictKind.QUOTA):
            # A gateway that follows the tutorial need not have it.
            self._found.add("credentials", "open", f"no system/currentTime here ({_words(verdict)})")
            if offset_ms is not None:
                self._clock(offset_ms)
            return True
        self._trouble(verdict, "credentials" if verdict.kind is VerdictKind.FATAL else "gateway")
        return False

    def _clock(self, offset_ms: int) -> None:
        self._found.clock_offset_ms = self._parts.clock_offset_ms = offset_ms
        off_s = abs(offset_ms) / 1000
        side = "behind" if offset_ms > 0 else "ahead of"
        if off_s < CLOCK_NOTE_S:
            self._found.add("clock", "ok", f"{off_s:.1f} s {side} the gateway's")
            return
        self._found.add(
            "clock",
            "ok",
            f"this machine is {off_s:.0f} s {side} the gateway; times are sent by the gateway's clock",
            "set this machine's clock: the times in OUT are its own",
        )

    async def _api(self) -> None:
        """The second question; asked again once after a new token, or with the time that the API wants."""
        verdict = await self._ask_api()
        if verdict is not None and verdict.kind is VerdictKind.REFRESH and self._keeper.can_renew:
            if not await self._renew():
                return
            verdict = await self._ask_api()
        if verdict is not None and verdict.kind is VerdictKind.CLOCK and self._may_send_time:
            self._found.add("time", "ok", "this API wants the time, so it is sent", "--timestamp spares one call")
            self._parts.keys[0].gateway = gateway_of(
                dataclasses.replace(self._settings, timestamp=True, access_token=self._keeper.access)
            )
            verdict = await self._ask_api()
        if verdict is not None:
            self._judge(verdict)

    @property
    def _may_send_time(self) -> bool:
        """The time was not sent so far; the other protocols always send it."""
        return self._settings.protocol == "param2" and not self._settings.timestamp

    async def _ask_api(self) -> Verdict | None:
        parts = self._parts
        self._found.calls += 1
        answer = await ask(
            parts,
            lambda: parts.gateway.request(parts.gateway.call([self._item]), parts.gateway_ms()),
        )
        if isinstance(answer, NoReply):
            self._found.add(
                "answer", "open", f"the call was not answered: {answer.detail}", "run it again", exit_code=LIMITED
            )
            return None
        self._bytes = len(answer.body)
        return parts.gateway.verdict(answer, self._item)

    async def _renew(self) -> bool:
        async def asking(make: Callable[[], Request]) -> Reply | NoReply:
            self._found.calls += 1
            return await ask(self._parts, make)

        try:
            await self._parts.keys[0].renew(asking, self._settings.access_token, self._parts.gateway_ms)
        except FetcherError as error:
            self._found.add("token", "wrong", str(error), error.advice, error.exit_code)
            return False
        kept = "" if self._settings.token_file else "; --token-file keeps it for the next run"
        self._found.add("token", "ok", f"expired, and renewed with the refresh token{kept}")
        return True

    def _judge(self, verdict: Verdict) -> None:
        """What the API's answer proves: all that the gateway checks before it says so."""
        found, api = self._found, self._parts.gateway.api
        if verdict.kind is VerdictKind.REFRESH:
            self._token_refused(verdict)
            return
        if verdict.kind is VerdictKind.CLOCK:
            found.add("clock", "wrong", _words(verdict), verdict.remedy, REFUSED)
            return
        if verdict.kind is VerdictKind.FATAL or _is_trouble(verdict):
            self._trouble(verdict, _step_of(verdict))
            return
        self._token_proven()
        found.add("permission", "ok", f"the app may call {api.api_name}")
        if verdict.kind is VerdictKind.DONE:
            found.add("answer", "ok", f"{self._item.id}: {self._bytes:,} bytes".replace(",", " "))
        elif verdict.kind is VerdictKind.QUOTA:
            found.add("usage", "wrong", _words(verdict), verdict.remedy, LIMITED)
        elif (verdict.code or "").startswith("gw."):
            found.add("arguments", "wrong", _words(verdict), verdict.remedy, REFUSED)
        else:
            which = "this ID" if self._own_id else "the example ID"
            remedy = "" if self._own_id else "name one of yours: fetcher check --id ID"
            found.add("answer", "open", f"{which}: {_words(verdict)}", remedy, 1 if self._own_id else 0)

    def _token_refused(self, verdict: Verdict) -> None:
        if self._keeper.access is None:
            said = f"this API wants an access token, and there is none ({_words(verdict)})"
            self._found.add("token", "wrong", said, HOW_TO_GET_ONE, REFUSED)
        else:
            said = f"the access token is wrong or expired ({_words(verdict)})"
            self._found.add("token", "wrong", said, f"{HOW_TO_GET_ONE} anew", REFUSED)

    def _token_proven(self) -> None:
        if any(finding.step == "token" for finding in self._found.findings):
            return
        said = "accepted" if self._keeper.access is not None else "none is set, and none was asked for"
        self._found.add("token", "ok", said)

    def _trouble(self, verdict: Verdict, step: str) -> None:
        """A refusal of the whole run, or an answer that proves nothing."""
        if verdict.kind is VerdictKind.THROTTLE:
            self._found.add(step, "open", _words(verdict), "wait, and run a lower --qps", LIMITED)
        elif verdict.kind is VerdictKind.RETRY and verdict.error is Kind.SERVER:
            self._found.add(step, "open", _words(verdict), "the gateway is in trouble: run it again later", LIMITED)
        elif verdict.kind is VerdictKind.RETRY and verdict.error is Kind.MALFORMED:
            self._found.add(step, "wrong", _words(verdict), NO_GATEWAY, UNREACHABLE)
        else:
            if step == "permission":
                self._token_proven()
            remedy = verdict.remedy or (NO_GATEWAY if step == "gateway" else "")
            self._found.add(step, "wrong", _words(verdict), remedy, REFUSED)


def _is_trouble(verdict: Verdict) -> bool:
    by_status = (verdict.code or "").startswith("http_")
    return verdict.kind in (VerdictKind.THROTTLE, VerdictKind.RETRY) or by_status


def _step_of(verdict: Verdict) -> str:
    """Which of the gateway's checks refused."""
    code = (verdict.code or "").lower()
    if "acl" in code:
        return "permission"
    if "signature" in code or "appkey" in code:
        return "credentials"
    return "api" if "unsupported" in code else "answer"


def _words(verdict: Verdict) -> str:
    return " ".join(
        [verdict.code or f"HTTP {verdict.http_status}", *([f'"{verdict.message}"'] if verdict.message else [])]
    )
