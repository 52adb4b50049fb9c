"""One call, from its parts to its answer: checks in order, limit, service; and the pages of authorisation. No sockets
and no waiting; what it remembers is its `State`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
import orjson

from fetcher.clock import Clock
from fetcher.gateway import param2_signature
from fetcher.sandbox import oauth
from fetcher.sandbox.accounts import Account, Overrun
from fetcher.sandbox.answers import HTML, HTML_PAGE, JSON, XML, Answer, as_xml, refusal_answer
from fetcher.sandbox.apis import POSTPONE_TOKEN, TOKEN_APIS
from fetcher.sandbox.catalog import Catalog
from fetcher.sandbox.changes import Change, parse_change
from fetcher.sandbox.checks import (
    BEFORE_LIMIT,
    SIGNATURE,
    Address,
    Facts,
    Refusal,
    first_refusal,
    merge_parameters,
    parse_address,
    permission,
    understand,
)
from fetcher.sandbox.faults import Fault
from fetcher.sandbox.options import SandboxSettings
from fetcher.sandbox.rows import ROWS
from fetcher.sandbox.service import Services
from fetcher.sandbox.state import State
from fetcher.sandbox.top_desk import TopDesk

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

    def __init__(self, settings: SandboxSettings, clock: Clock, changes: Sequence[Change] = ()) -> None:
        self._state = State(settings, clock, changes)
        services = Services(self._state, catalog := Catalog(settings.seed, settings.absent))
        self._services = services
        self._top = TopDesk(self._state, services, catalog)

    @property
    def settings(self) -> SandboxSettings:
        """Those in force."""
        return self._state.settings

    def arrived(self, now_s: float) -> None:
        """A call's first byte came in."""
        self._state.ledger.arrived(now_s)

    def stats(self) -> dict[str, Any]:
        """See `Ledger.stats`."""
        return self._state.ledger.stats({key: account.left for key, account in self._state.accounts.items()})

    def reset(self) -> None:
        """See `State.begin`."""
        self._state.begin()

    def change(self, body: bytes) -> None:
        """Make a change that came as JSON.

        Raises:
            UsageError: it is none.
        """
        self._state.change(parse_change(body, self._state.settings), self._state.clock.monotonic_s())

    def answer(self, incoming: Incoming, *, top: bool = False) -> tuple[Answer, Fault | None]:
        """The answer, and what is to go wrong with it on its way out. `top`: it came to the sister family's address."""
        state = self._state
        state.pass_time(incoming.arrived_s)
        outage = state.outage(incoming.arrived_s)
        if outage is not None:
            state.ledger.answered("outage")
            return _during(outage)
        params = merge_parameters(incoming.query, incoming.form)
        if top:
            answer, fault = self._top.answer(params, incoming.arrived_s)
        else:
            answer, fault = self._openapi(incoming.path, params, incoming.arrived_s)
        return (_malformed(answer) if fault is Fault.MALFORMED else answer), fault

    def _openapi(self, path: str, params: dict[str, str], now_s: float) -> tuple[Answer, Fault | None]:
        address = parse_address(path)
        fault: Fault | None = None
        key = ""
        if address is None:
            answer = self._refuse(_NO_ADDRESS)
        elif address.api in TOKEN_APIS and address.protocol in ("http", "param2"):
            key = address.app_key
            answer = self._token(address, params, now_s)
        else:
            key = address.app_key or params.get("app_key", "")
            answer, fault = self._serve(address, params, now_s)
        self._state.ledger.answered(f"fault:{fault}" if fault else answer.code, key)
        if answer.content_type is JSON and self._wants_xml(address, params):
            answer = Answer(answer.status, as_xml(answer.body), XML, answer.code, answer.headers + _XML_LABEL)
        return answer, fault

    def _wants_xml(self, address: Address | None, params: Mapping[str, str]) -> bool:
        if self._state.settings.xml or address is None:
            return self._state.settings.xml
        tutorial = not address.app_key and params.get("format") == "xml"
        return tutorial or (params.get("_aop_responseFormat") or address.protocol).startswith("xml")

    def _account(self, key: str, now_s: float) -> Account:
        """The app's, or the first one's, whose rules then refuse the key."""
        account = self._state.accounts.get(key)
        if account is None:
            return self._state.first
        self._state.ledger.called_by(key, now_s)
        return account

    def _serve(self, address: Address, params: dict[str, str], now_s: float) -> tuple[Answer, Fault | None]:
        state = self._state
        asked = understand(address, params, strict=state.settings.strict)
        account = self._account(asked.app_key, now_s)
        facts = Facts(state.now_ms(), account.tokens.is_good(params.get("access_token", ""), now_s))
        refusal = first_refusal(BEFORE_LIMIT, asked, account.rules, facts)
        if refusal is None:
            overrun = account.admit(address.api, now_s)
            if overrun is not None:
                return self._throttle(overrun), None
            refusal = permission(asked, account.rules, facts)
        if refusal is not None:
            return self._refuse(refusal), None
        answer, fault = self._services.serve(asked, account)
        return (self._refuse(answer) if isinstance(answer, Refusal) else answer), fault

    def _throttle(self, overrun: Overrun) -> Answer:
        settings = self._state.settings
        row = ROWS["daily-limit" if overrun.daily else "api-limit" if overrun.each_api else "app-limit"]
        body = refusal_answer(
            Refusal(row.code, row.message, settings.limit_status), self._state.new_request_id(), settings.refusal_keys
        )
        if settings.retry_after_s is not None:
            body.headers = ((b"retry-after", b"%d" % settings.retry_after_s),)
        return body

    def _token(self, address: Address, params: Mapping[str, str], now_s: float) -> Answer:
        account = self._state.accounts.get(address.app_key)
        if account is None:
            return self._refuse(Refusal("gw.AppKeyNotFound", "App key is not found"))
        self._state.ledger.called_by(address.app_key, now_s)
        act = account.tokens.postpone if address.api == POSTPONE_TOKEN else account.tokens.grant
        granted = act(params, now_s, self._state.now_ms())
        if not isinstance(granted, Refusal):
            return Answer(200, orjson.dumps(granted), JSON, "token")
        if not self._state.settings.oauth_errors:
            return self._refuse(Refusal("400", granted.message))
        body = {"error": granted.code, "error_description": granted.message}
        return Answer(400, orjson.dumps(body), JSON, granted.code)

    def _refuse(self, refusal: Refusal) -> Answer:
        settings = self._state.settings
        if settings.refusal_status is not None and refusal is not _NO_ADDRESS:
            refusal = Refusal(refusal.code, refusal.message, settings.refusal_status)
        return refusal_answer(refusal, self._state.new_request_id(), settings.refusal_keys)

    def authorise(self, path: str, query: str) -> oauth.Page:
        """The page on which a member lets an app act, and the answer to it. It is no call: nothing is counted."""
        params = merge_parameters(query, "")
        account = self._state.accounts.get(params.get("client_id", ""))
        if account is None:
            return oauth.refused("client_id: no such app")
        redirect_uri = params.get("redirect_uri", "")
        if not oauth.is_address(redirect_uri):
            return oauth.refused("redirect_uri: no address that a browser could be sent to")
        said = params.pop("authorize", None)
        if path == oauth.OLD_AUTHORISE:
            right = param2_signature(account.app.secret("app_secret"), "", params)
            if params.get(SIGNATURE) != right:
                return oauth.refused("the signature is wrong")
        if said is None:
            return oauth.question(path, params)
        now_s = self._state.clock.monotonic_s()
        code = account.tokens.authorise(redirect_uri, now_s) if said == "yes" else None
        return oauth.answer(params, code)


def _during(outage: str) -> tuple[Answer, Fault | None]:
    if outage == "html":
        return Answer(502, HTML_PAGE, HTML, "outage"), None
    return Answer(503, b"", HTML, "outage"), Fault.RESET if outage == "reset" else None


def _malformed(answer: Answer) -> Answer:
    """The length is right, the text is not: it ends in the middle."""
    return Answer(answer.status, answer.body[: len(answer.body) // 2], answer.content_type, answer.code, answer.headers)
