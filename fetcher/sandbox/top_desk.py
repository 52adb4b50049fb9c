"""A call to the sister family's address, from its parameters to its answer."""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from fetcher.sandbox import top
from fetcher.sandbox.accounts import Account
from fetcher.sandbox.answers import JSON, Answer, as_top_xml
from fetcher.sandbox.apis import SESSION_METHOD, TIME_METHOD, TOP_SERVED, VERSION, Service
from fetcher.sandbox.catalog import Catalog
from fetcher.sandbox.checks import Address, Asked, Facts, Refusal
from fetcher.sandbox.faults import Fault
from fetcher.sandbox.service import Services
from fetcher.sandbox.state import State

TOP_XML = b"text/xml;charset=UTF-8"


class TopDesk:
    """Answers calls, all under HTTP 200 unless something between breaks."""

    def __init__(self, state: State, services: Services, catalog: Catalog) -> None:
        self._state = state
        self._services = services
        self._catalog = catalog

    def answer(self, params: dict[str, str], now_s: float) -> tuple[Answer, Fault | None]:
        """The answer, and what is to go wrong with it on its way out."""
        state, key = self._state, params.get("app_key", "")
        account = state.accounts.get(key)
        if account is None:
            account = state.first
        else:
            state.ledger.called_by(key, now_s)
        said, fault = self._said(params, account, now_s)
        if isinstance(said, top.Error):
            body = top.error_body(said, state.new_request_id())
            answer = Answer(200, body, JSON, f"top:{said.code}")
        else:
            answer = said
        state.ledger.answered(f"fault:{fault}" if fault else answer.code, key)
        if answer.content_type is JSON and params.get("format", "xml") != "json":
            answer = Answer(answer.status, as_top_xml(answer.body), TOP_XML, answer.code, answer.headers)
        return answer, fault

    def _said(self, params: dict[str, str], account: Account, now_s: float) -> tuple[Answer | top.Error, Fault | None]:
        token_good = account.tokens.is_good(params.get("session", ""), now_s)
        error = top.refusal(params, account.rules, Facts(self._state.now_ms(), token_good))
        if error is not None:
            return error, None
        method = params["method"]
        overrun = account.admit(method, now_s)
        if overrun is not None:
            return top.over_limit(overrun.wait_s, each_api=overrun.each_api, daily=overrun.daily), None
        error = top.forbidden(method, account.rules)
        if error is not None:
            return error, None
        if method == TIME_METHOD:
            return self._enveloped(method, orjson.dumps({"time": top.clock_text(self._state.now_ms())})), None
        if method == SESSION_METHOD:
            return self._session(params, account, now_s), None
        if method in TOP_SERVED:
            return self._own(method, params, account)
        return self._served(method, params, account)

    def _session(self, params: Mapping[str, str], account: Account, now_s: float) -> Answer | top.Error:
        """A new session. Documented is that `token_result` is a JSON text; what stands in it, beyond the tokens and
        their life, is left out."""
        granted = account.tokens.renew_session(params, now_s)
        if isinstance(granted, Refusal):
            return top.Error(15, "Remote service error", "isv.invalid-parameter", granted.message)
        body = orjson.dumps({"token_result": orjson.dumps(granted).decode()})
        return self._enveloped(SESSION_METHOD, body, "token")

    def _own(self, method: str, params: Mapping[str, str], account: Account) -> tuple[Answer | top.Error, Fault | None]:
        """One of the family's own APIs."""
        served = TOP_SERVED[method]
        ids = top.asked_ids(params, served)
        if isinstance(ids, top.Error):
            return ids, None
        struck = self._services.strike(Service.PRODUCT, ids, account)
        if struck is not None:
            return _as_top(struck), None
        there = [self._catalog.of_top(served.kind, each) for each in ids if self._catalog.has(each)]
        if served.most_ids > 1:
            return self._enveloped(method, b'{"items":{"item":[%b]}}' % b",".join(there)), None
        if not there:
            return top.absent(served, ids[0]), None
        return self._enveloped(method, b'{"%b":%b}' % (served.kind.encode(), there[0])), None

    def _served(self, method: str, params: dict[str, str], account: Account) -> tuple[Answer | top.Error, Fault | None]:
        """One of the 1688 APIs."""
        address = Address("param2", VERSION, top.API_OF[method], account.app.app_key, "")
        said, fault = self._services.serve(Asked(address, params, guide=False), account)
        if isinstance(said, Refusal) or said.content_type is not JSON or fault is not None:
            return _as_top(said), fault
        if not said.body.startswith(b"{"):
            said.body = b'{"result":%b}' % said.body
        return self._enveloped(method, said.body, said.code), fault

    def _enveloped(self, method: str, body: bytes, code: str = "ok") -> Answer:
        return Answer(200, top.envelope(method, body, self._state.new_request_id()), JSON, code)


def _as_top(said: Answer | Refusal) -> Answer | top.Error:
    return top.unserved(said.code, said.message) if isinstance(said, Refusal) else said
