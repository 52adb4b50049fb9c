"""One call at the desk: what is counted, against whom, and by which clock."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import orjson
import pytest

from fetcher.sandbox import SandboxSettings, example_ids
from fetcher.sandbox.desk import Desk, Incoming
from fetcher.sandbox.faults import Fault
from tests.fakes import StillClock
from tests.sandbox.calls import ID, KEY, PRODUCT, SECRET, SITE, signed, url_path

MANY = "com.alibaba.product/alibaba.product.getByIdList"


class Counter:
    """A desk and someone in front of it."""

    def __init__(self, **settings: Any) -> None:
        self.desk = Desk(SandboxSettings(**{"absent": 0.0, **settings}), StillClock())

    def ask(
        self, product_id: str = ID, arrived_s: float = 0.0, *, secret: str = SECRET
    ) -> tuple[int, str, Fault | None]:
        """Status, what the ledger calls the answer, and the fault."""
        form = urlencode(signed({"productID": product_id, **SITE}, url_path(), secret))
        answer, fault = self.desk.answer(Incoming(url_path(), "", form, arrived_s))
        return answer.status, answer.code, fault

    def ask_many(self, ids: str) -> Any:
        """A call for many IDs."""
        form = urlencode(signed({"productIdList": ids}, url_path(MANY)))
        return orjson.loads(self.desk.answer(Incoming(url_path(MANY), "", form, 0.0))[0].body)


def test_limits_follow_arrival() -> None:
    """Not the time at which the desk got round to it."""
    counter = Counter(qps=1)
    codes = [counter.ask(arrived_s=time_s)[1] for time_s in (0.0, 0.5, 1.0, 1.2, 2.0)]
    assert codes == ["ok", "gw.QosAppFrequencyLimit", "ok", "gw.QosAppFrequencyLimit", "ok"]


def test_throttled_calls_strike_and_cost_nothing() -> None:
    """An ID's fault waits for a call that gets through; so does its first use of the package."""
    counter = Counter(qps=1, error_rate=1.0, usage=2)
    assert counter.ask("1")[2] is Fault.ERROR
    assert counter.ask("2")[1:] == ("gw.QosAppFrequencyLimit", None)
    assert counter.ask("2", 1.0)[2] is Fault.ERROR
    assert counter.ask("2", 2.0)[1] == "gw.NoUsageLeftError"
    assert counter.desk.stats()["ids"] == 2


def test_refused_calls_serve_no_id() -> None:
    """A wrong signature names an ID, but nobody looked it up."""
    counter = Counter()
    counter.ask(secret="wrong")
    stats = counter.desk.stats()
    assert stats["ids"] == 0 and stats["answers"] == {"gw.SignatureInvalid": 1}


def test_many_ids_in_one_call() -> None:
    """Each is served; those that do not exist are left out; an empty list is answered with one."""
    counter = Counter(absent=0.3)
    ids = [int(text) for text in example_ids(20)]
    listed = [each["productID"] for each in counter.ask_many(str(ids))["productList"]]
    assert 0 < len(listed) < 20 and listed == [each for each in ids if each in listed]
    assert counter.desk.stats()["ids"] == 20
    assert counter.ask_many("[]")["productList"] == []


def test_refusals_have_ids_of_their_own() -> None:
    """So that two of them can be told apart in a log."""
    counter = Counter()
    asked = [Incoming(url_path(key="7"), "", "", 0.0) for _ in range(3)]
    assert len({orjson.loads(counter.desk.answer(each)[0].body)["request_id"] for each in asked}) == 3


def test_faults_are_in_the_ledger_under_their_own_names() -> None:
    """Whatever status they were sent with."""
    counter = Counter(wrong_id_rate=1.0)
    assert counter.ask()[0] == 200 and counter.ask()[2] is None
    assert counter.desk.stats()["answers"] == {"fault:wrong_id": 1, "ok": 1}


def test_forgetting_leaves_tokens_alone() -> None:
    """Counts, limit, faults and usage begin anew; a token that was given out stays good."""
    counter = Counter(qps=1, usage=1, error_rate=1.0, require_token=True)
    grant = urlencode(
        {
            "grant_type": "refresh_token",
            "client_id": KEY,
            "client_secret": SECRET,
            "refresh_token": "sandbox-refresh-token",
        }
    )
    granted, _ = counter.desk.answer(Incoming(f"http/1/system.oauth2/getToken/{KEY}", "", grant, 0.0))
    token = orjson.loads(granted.body)["access_token"]
    form = urlencode(signed({"productID": ID, **SITE, "access_token": token}, url_path()))
    for _ in range(2):
        assert counter.desk.answer(Incoming(url_path(), "", form, 0.0))[1] is Fault.ERROR
        counter.desk.reset()


@pytest.mark.parametrize("path", ["", "param2/1", "/".join(["x"] * 6)])
def test_no_address(path: str) -> None:
    """An answer of our own: no source says what the real one does."""
    answer, _ = Counter().desk.answer(Incoming(path, "", "", 0.0))
    assert answer.status == 404 and PRODUCT not in answer.body.decode()
