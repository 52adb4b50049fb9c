"""What stands behind the gateway's checks: arguments, the package, what goes wrong by plan, and the thing itself."""

from __future__ import annotations

from typing import Final

import orjson

from fetcher.sandbox.accounts import Account
from fetcher.sandbox.answers import HTML, HTML_PAGE, JSON, Answer, absent, found, row_answer, service_says, time_text
from fetcher.sandbox.apis import SERVED, Service
from fetcher.sandbox.catalog import Catalog
from fetcher.sandbox.checks import Asked, Refusal, asked_ids
from fetcher.sandbox.faults import Fault
from fetcher.sandbox.state import State

NO_USAGE: Final = Refusal("gw.NoUsageLeftError", "SLA bill has no usage left")


class Services:
    """Serves calls that the gateway has let through."""

    def __init__(self, state: State, catalog: Catalog) -> None:
        self._state = state
        self._catalog = catalog

    def serve(self, asked: Asked, account: Account) -> tuple[Answer | Refusal, Fault | None]:
        """The answer, or the gateway's refusal of it; and what is to go wrong with it on its way out."""
        state, served = self._state, SERVED[asked.address.api]
        ids = asked_ids(asked, state.settings.most_ids)
        if isinstance(ids, Refusal):
            return ids, None
        if served.service is Service.TIME:
            return Answer(200, orjson.dumps(time_text(state.now_ms())), JSON, "ok"), None
        if served.service is Service.TIME_MILLIS:
            return Answer(200, b"%d" % state.now_ms(), JSON, "ok"), None
        struck = self.strike(served.service, ids, account)
        if struck is not None:
            return struck, None
        fault = state.faults.strike(ids[0]) if ids else None
        return self._struck(fault) or self._found(served.service, ids, fault), fault

    def strike(self, service: Service, ids: tuple[int, ...], account: Account) -> Answer | Refusal | None:
        """The row of the error table that a rule has for one of these IDs, or the end of the package. Else the call is
        charged: None."""
        state = self._state
        rows = ((each, state.rules.strike(each)) for each in ids)
        id_number, row = next(((each, row) for each, row in rows if row is not None), (0, None))
        if row is not None and not row.charged:
            return Refusal(row.code, row.message, row.status)
        if not account.use():
            return NO_USAGE
        state.ledger.charged(account.app.app_key)
        for each in ids:
            state.ledger.served(each)
        if row is None:
            return None
        if row.form == "gateway":
            return Refusal(row.code, row.message, row.status)
        return row_answer(row, service, id_number)

    def _found(self, service: Service, ids: tuple[int, ...], fault: Fault | None) -> Answer:
        if fault is Fault.WRONG_ID:
            return Answer(200, found(service, tuple(each + 1 for each in ids), self._catalog), JSON, "ok")
        if service is Service.POOL:
            outside = [each for each in ids if not self._catalog.has(each)]
            if outside:
                return Answer(200, service_says(service, "", f"offer[{outside[0]}]不存在"), JSON, "absent")
        elif service is not Service.LIST and not self._catalog.has(ids[0]):
            return Answer(200, absent(service, ids[0]), JSON, "absent")
        return Answer(200, found(service, ids, self._catalog), JSON, "ok")

    def _struck(self, fault: Fault | None) -> Answer | Refusal | None:
        """The answer of a fault that replaces the service's."""
        if fault is Fault.ERROR:
            return Answer(503, b"", HTML, "503")
        if fault is Fault.HTML:
            return Answer(502, HTML_PAGE, HTML, "502")
        if fault is Fault.SERVICE_TIMEOUT:
            return Refusal("gw.ISPInvokeTimeout", "ISP invoke timeout")
        if fault is Fault.UNKNOWN_CODE:
            return Refusal("gw.SandboxUnheardOf", "A refusal that no document knows")
        return None
