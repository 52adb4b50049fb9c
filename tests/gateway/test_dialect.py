"""Calls and requests: what is signed is what is sent, and nothing secret shows."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher.errors import UsageError
from fetcher.gateway import APIS, Credentials, Gateway, find_api, guide_signature, param2_signature
from fetcher.model import Item, Request
from fetcher.secret import Secret
from tests.gateway.speaking import BASE_URL, ID, ITEM, SECRET, TOKEN, gateway

NOW_MS = 1_700_000_000_123
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
VALUE = st.one_of(TEXT, st.booleans(), st.integers(), st.none(), st.lists(TEXT), st.dictionaries(TEXT, st.integers()))
OWN_NAMES = {"", "app_key", "method", "timestamp", "format", "v", "sign", "access_token", "productID", "productId"}
PARAMS = st.dictionaries(TEXT.filter(lambda name: name not in OWN_NAMES and name[0] != "_"), VALUE, max_size=4)


def sent(request: Request) -> list[tuple[str, str]]:
    """Parameters as a server decodes them."""
    coded = request.body.decode() or request.target.partition("?")[2]
    return parse_qsl(coded, keep_blank_values=True)


def test_a_product_call_is_a_posted_form_with_nothing_secret_in_its_url() -> None:
    """The gateway's own scheme; the signature is over path and all the rest."""
    own = gateway()
    request = own.request(own.call([ITEM]), NOW_MS)
    path = "param2/1/com.alibaba.product/alibaba.product.get/1000000"
    assert (request.method, request.target) == ("POST", f"/openapi/{path}")
    params = dict(sent(request))
    signature = params.pop("_aop_signature")
    assert params == {"productID": ID, "webSite": "1688", "access_token": TOKEN}
    assert signature == param2_signature(SECRET, path, params)


def test_the_tutorials_call_is_exact() -> None:
    """Its URL, its names in its order, its signature; no app key in the path, no webSite."""
    own = Gateway(find_api("product"), "guide", Credentials("your_app_key", Secret("your_app_secret")), BASE_URL)
    request = own.request(own.call([Item("123456789", 1)]), 1_700_000_000_999)
    assert request == Request(
        "GET",
        "/openapi/param2/1/com.alibaba.product/alibaba.product.get?app_key=your_app_key&method=alibaba.product.get"
        "&timestamp=1700000000&productId=123456789&format=json&v=2.0&sign=7726208782D4E109C351711397EF21AD4E4E7F49",
    )


def test_other_apis_under_guide_keep_their_own_parameters() -> None:
    """The tutorial knows only one API."""
    own = gateway("order-buyer", "guide", token=False)
    request = own.request(own.call([ITEM]), NOW_MS)
    params = dict(sent(request))
    assert request.target.startswith("/openapi/param2/1/com.alibaba.trade/alibaba.trade.get.buyerView?")
    assert (params["method"], params["orderId"], params["webSite"]) == ("alibaba.trade.get.buyerView", ID, "1688")


@pytest.mark.untraced
@pytest.mark.parametrize("protocol", ["param2", "guide"])
@pytest.mark.parametrize("method", ["GET", "POST"])
@given(params=PARAMS)
def test_what_is_decoded_is_what_was_signed(protocol: str, method: str, params: dict[str, Any]) -> None:
    """Any names and values: Chinese, spaces, empty ones, objects; signed as they are, encoded to be sent."""
    own = gateway("product", protocol, params=tuple(params.items()), method=method)
    call = own.call([ITEM])
    request = own.request(call, NOW_MS)
    assert bool(request.body) is (method == "POST")
    decoded = sent(request)
    names = dict(decoded)
    assert len(names) == len(decoded)
    name, signature = decoded.pop()
    assert dict(call.params).items() <= names.items()
    path = request.target.partition("?")[0].removeprefix("/openapi/")
    if protocol == "param2":
        assert (name, signature) == ("_aop_signature", param2_signature(SECRET, path, dict(decoded)))
    else:
        assert (name, signature) == ("sign", guide_signature(SECRET, dict(decoded)))


@pytest.mark.untraced
@given(PARAMS, st.randoms(use_true_random=False))
def test_the_order_of_params_does_not_change_the_signature(params: dict[str, Any], random: Any) -> None:
    """Only that of what is written."""
    shuffled = list(params.items())
    random.shuffle(shuffled)
    signatures = set()
    for order in (params.items(), shuffled):
        own = gateway(params=tuple(order))
        signatures.add(sent(own.request(own.call([ITEM]), NOW_MS))[-1])
    assert len(signatures) == 1


def test_values_go_out_as_documented() -> None:
    """None is left out, false and 0 and nothing are sent, objects are compact JSON."""
    own = gateway(
        params=[("a", None), ("b", False), ("c", 0), ("d", ""), ("e", {"k": [1, "连"]}), ("webSite", "alibaba")]
    )
    params = dict(own.call([ITEM]).params)
    assert params == {"productID": ID, "webSite": "alibaba", "b": "false", "c": "0", "d": "", "e": '{"k":[1,"连"]}'}


def test_the_id_in_a_json_text_is_a_number() -> None:
    """Further parameters of such an API stand in that text; system parameters beside it."""
    own = gateway("product-detail", params=[("country", "ja"), ("outMemberId", "m"), ("_aop_datePattern", "yyyy")])
    params = dict(own.call([ITEM]).params)
    assert params == {
        "offerDetailParam": f'{{"offerId":{ID},"country":"ja","outMemberId":"m"}}',
        "_aop_datePattern": "yyyy",
    }
    assert dict(gateway("product-detail").call([ITEM]).params) == {
        "offerDetailParam": f'{{"offerId":{ID},"country":"en"}}'
    }
    odd = dict(own.call([Item('7","x":"', 1)]).params)["offerDetailParam"]
    assert json.loads(odd)["offerId"] == '7","x":"'


def test_the_timestamp_is_of_the_moment_of_sending() -> None:
    """Milliseconds only where asked for; the tutorial's seconds always; a kept call is signed anew."""
    own = gateway(send_timestamp=True)
    call = own.call([ITEM])
    first, second = (dict(sent(own.request(call, now_ms))) for now_ms in (NOW_MS, NOW_MS + 1))
    assert (first["_aop_timestamp"], second["_aop_timestamp"]) == ("1700000000123", "1700000000124")
    assert first["_aop_signature"] != second["_aop_signature"]
    assert "_aop_timestamp" not in dict(sent(gateway().request(gateway().call([ITEM]), NOW_MS)))


@pytest.mark.parametrize("protocol", ["param2", "guide"])
def test_the_time_is_asked_for_in_the_gateways_own_protocol(protocol: str) -> None:
    """It needs neither token nor permission."""
    request = gateway(protocol=protocol).current_time()
    path = "param2/1/system/currentTime/1000000"
    assert (request.method, request.target) == ("POST", f"/openapi/{path}")
    assert sent(request) == [("_aop_signature", param2_signature(SECRET, path, {}))]


@pytest.mark.parametrize("name", list(APIS))
def test_no_repr_shows_a_secret(name: str) -> None:
    """Of the gateway, its credentials, its calls and its requests."""
    own = gateway(name, "guide")
    request = own.request(own.call([ITEM]), NOW_MS)
    shown = f"{own!r} {own.credentials!r} {own.call([ITEM])!r} {request!r}"
    assert SECRET not in shown
    assert TOKEN not in shown
    assert sent(request)[-1][1] not in shown


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"protocol_name": "param"}, "did you mean 'param2'"),
        ({"method": "PUT"}, "GET, POST"),
        ({"base_url": "gw.open.1688.com"}, "URL"),
        ({"credentials": Credentials("", Secret("x"))}, "app key"),
        ({"credentials": Credentials("1/../2", Secret("x"))}, "app key"),
        ({"params": [("access_token", "x")]}, "access_token"),
        ({"params": [("_aop_signature", "x")]}, "_aop_signature"),
        ({"params": [("productID", "1")]}, "productID"),
    ],
)
def test_wrong_settings_are_refused_before_anything_is_sent(options: dict[str, Any], words: str) -> None:
    """With a sentence that names what is wrong."""
    usual: dict[str, Any] = {
        "api": find_api("product"),
        "protocol_name": "param2",
        "credentials": Credentials("1", Secret("x")),
        "base_url": BASE_URL,
    }
    with pytest.raises(UsageError, match=words):
        Gateway(**(usual | options))
