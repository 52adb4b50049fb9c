"""One call, from its parts to its answer: checks in order, limit, faults, service. No sockets and no waiting; what it
remembers are the counts of limiter, faults, tokens and ledger.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec
import orjson

from fetcher.clock import Clock
from fetcher.sandbox.answers import HTML, HTML_PAGE, JSON, XML, Answer, absent, as_xml, found, refusal_answer, time_text
from fetcher.sandbox.apis import SERVED, TOKEN_APIS, Service
from fetcher.sandbox.catalog import Catalog
from fetcher.sandbox.checks import (
    BEFORE_LIMIT,
    Address,
    Asked,
    Facts,
    Refusal,
    Rules,
    asked_ids,
    first_refusal,
    merge_parameters,
    parse_address,
    permission,
    understand,
)
from fetcher.sandbox.faults import Fault, Faults
from fetcher.sandbox.ledger import Ledger
from fetcher.sandbox.limiter import Limiter, make_limiter
from fetcher.sandbox.options import SandboxSettings
from fetcher.sandbox.tokens import Tokens

_NO_USAGE: Final = Refusal("gw.NoUsageLeftError", "SLA bill has no usage left")
_NO_ADDRESS: Final = Refusal("404", "no such path here; calls go to /openapi/param2/1/{namespace}/{name}/{appKey}", 404)
_XML_LABEL: Final = ((b"x-sandbox-invented", b"xml"),)


class Incoming(msgspec.Struct, frozen=True):
    """A call as HTTP brought it."""

    path: str
    """Below `/openapi/`."""
    query: str
    form: str
    arrived_s: float
    """Monotonic; of the first byte."""


class Desk:
    """Answers calls, one at a time."""

    def __init__(self, settings: SandboxSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._catalog = Catalog(settings.seed, settings.absent)
        self._tokens = Tokens(settings, clock.monotonic_s())
        self._rules = Rules(
            app_key=settings.app_key,
            app_secret=settings.app_secret.reveal(),
            require_token=settings.require_token,
            demand_timestamp=settings.demand_timestamp,
            timestamp_tolerance_s=settings.timestamp_tolerance_s,
            denied_apis=frozenset(settings.denied_apis),
        )
        self.reset()

    def reset(self) -> None:
        """Forget all calls: counts, limit, faults, usage. Tokens stay good."""
        self.ledger = Ledger()
        self._limiters: dict[str, Limiter | None] = {}
        self._faults = Faults(self._settings)
        self._used = 0
        self._answered = 0

    def answer(self, incoming: Incoming) -> tuple[Answer, Fault | None]:
        """The answer, and what is to go wrong with it on its way out."""
        params = merge_parameters(incoming.query, incoming.form)
        address = parse_address(incoming.path)
        fault = None
        if address is None:
            answer = self._refuse(_NO_ADDRESS)
        elif address.api in TOKEN_APIS and address.protocol in ("http", "param2"):
            answer = self._grant(params, incoming.arrived_s)
        else:
            answer, fault = self._serve(address, params, incoming.arrived_s)
        self.ledger.answered(f"fault:{fault}" if fault else answer.code)
        tutorial_xml = address is not None and not address.app_key and params.get("format") == "xml"
        if (self._settings.xml or tutorial_xml) and answer.content_type is JSON:
            answer = _rewritten(answer)
        return (_malformed(answer) if fault is Fault.MALFORMED else answer), fault

    def _serve(self, address: Address, params: dict[str, str], now_s: float) -> tuple[Answer, Fault | None]:
        asked = understand(address, params, strict=self._settings.strict)
        now_ms = self._now_ms()
        facts = Facts(now_ms, self._tokens.is_good(params.get("access_token", ""), now_s))
        refusal = first_refusal(BEFORE_LIMIT, asked, self._rules, facts)
        if refusal is None and not self._admits(address.api, now_s):
            return self._throttle(), None
        refusal = refusal or permission(asked, self._rules, facts)
        if refusal is not None:
            return self._refuse(refusal), None
        return self._business(asked, now_ms)

    def _business(self, asked: Asked, now_ms: int) -> tuple[Answer, Fault | None]:
        ids = asked_ids(asked)
        if isinstance(ids, Refusal):
            return self._refuse(ids), None
        service = SERVED[asked.address.api].service
        if service is Service.TIME:
            return Answer(200, orjson.dumps(time_text(now_ms)), JSON, "ok"), None
        if service is Service.TIME_MILLIS:
            return Answer(200, b"%d" % now_ms, JSON, "ok"), None
        if self._settings.usage is not None and self._used >= self._settings.usage:
            return self._refuse(_NO_USAGE), None
        self._used += 1
        for each in ids:
            self.ledger.served(each)
        fault = self._faults.strike(ids[0]) if ids else None
        return self._struck(fault) or self._found(service, ids, fault), fault

    def _found(self, service: Service, ids: tuple[int, ...], fault: Fault | None) -> Answer:
        if fault is Fault.WRONG_ID:
            return Answer(200, found(service, tuple(each + 1 for each in ids), self._catalog), JSON, "ok")
        if service is not Service.LIST and not self._catalog.has(ids[0]):
            return Answer(200, absent(service, ids[0]), JSON, "absent")
        return Answer(200, found(service, ids, self._catalog), JSON, "ok")

    def _struck(self, fault: Fault | None) -> Answer | None:
        """The answer of a fault that replaces the service's."""
        if fault is Fault.ERROR:
            return Answer(503, b"", HTML, "503")
        if fault is Fault.HTML:
            return Answer(502, HTML_PAGE, HTML, "502")
        if fault is Fault.SERVICE_TIMEOUT:
            return self._refuse(Refusal("gw.ISPInvokeTimeout", "ISP invoke timeout"))
        if fault is Fault.UNKNOWN_CODE:
            return self._refuse(Refusal("gw.SandboxUnheardOf", "A refusal that no document knows"))
        return None

    def _admits(self, api: str, now_s: float) -> bool:
        scope = api if self._settings.limit_scope == "api" else ""
        if scope not in self._limiters:
            self._limiters[scope] = make_limiter(self._settings)
        limiter = self._limiters[scope]
        return limiter is None or limiter.admits(now_s)

    def _throttle(self) -> Answer:
        code = "gw.QosAPIFrequencyLimit" if self._settings.limit_scope == "api" else "gw.QosAppFrequencyLimit"
        message = code.removeprefix("gw.Qos").removesuffix("FrequencyLimit") + " call exceeds limited frequency"
        answer = self._refuse(Refusal(code, message, self._settings.limit_status))
        if self._settings.retry_after_s is not None:
            answer.headers = ((b"retry-after", b"%d" % self._settings.retry_after_s),)
        return answer

    def _grant(self, params: Mapping[str, str], now_s: float) -> Answer:
        granted = self._tokens.grant(params, now_s)
        if isinstance(granted, Refusal):
            return self._refuse(granted)
        return Answer(200, orjson.dumps(granted), JSON, "token")

    def _refuse(self, refusal: Refusal) -> Answer:
        self._answered += 1
        return refusal_answer(refusal, f"sandbox-{self._settings.seed}-{self._answered:08x}")

    def _now_ms(self) -> int:
        return self._clock.wall_ms() + int(self._settings.clock_offset_s * 1000)


def _rewritten(answer: Answer) -> Answer:
    headers = answer.headers + _XML_LABEL
    return Answer(answer.status, as_xml(answer.body), XML, answer.code, headers)


def _malformed(answer: Answer) -> Answer:
    """The length is right, the text is not: it ends in the middle."""
    return Answer(answer.status, answer.body[: len(answer.body) // 2], answer.content_type, answer.code, answer.headers)
