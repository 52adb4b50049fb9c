"""Signatures against three official SDKs, the documented vectors, and the tutorial."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher.gateway import (
    Credentials,
    Gateway,
    Manner,
    find_api,
    guide_signature,
    param2_signature,
    params_only_signature,
)
from fetcher.model import Item
from fetcher.secret import Secret

VECTORS: dict[str, Any] = json.loads((Path(__file__).parent / "aop_vectors.json").read_text(encoding="utf-8"))
BASE = "https://gw.open.1688.com/openapi"


@pytest.mark.parametrize("vector", [*VECTORS["vectors"], *VECTORS["literal"], *VECTORS["params_only"]])
def test_the_official_sdks_sign_alike(vector: dict[str, Any]) -> None:
    """Every vector on which the SDKs agree, with the URL path or without."""
    if vector.get("url_path"):
        found = param2_signature(vector["secret"], vector["url_path"], vector["params"])
    else:
        found = params_only_signature(vector["secret"], vector["params"])
    assert found == vector["signature"]


def gateway(protocol: str = "param2", secret: str = "test123", app_key: str = "1000000", **options: Any) -> Gateway:
    api = options.pop("api", find_api("product"))
    credentials = Credentials(app_key, Secret(secret), options.pop("token", None))
    return Gateway(api, protocol, credentials, BASE, manner=Manner(**options))


def test_the_documented_call() -> None:
    """`a=1`, `b=2` under `system/currentTime`: the vector of the official page."""
    api = find_api("system/currentTime", "a")
    request = gateway(api=api, params=(("b", "2"),)).request(
        gateway(api=api, params=(("b", "2"),)).call(Item("1", 1)), 0
    )
    assert request.target == "/openapi/param2/1/system/currentTime/1000000"
    assert request.body == b"a=1&b=2&_aop_signature=33E54F4F7B989E3E0E912D3FBD2F1A03CA7CCE88"


def test_the_tutorials_call_byte_for_byte() -> None:
    """`--protocol guide`: the seed tutorial's request with its signature."""
    speaker = gateway("guide", "your_app_secret", "your_app_key")
    request = speaker.request(speaker.call(Item("123456789", 1)), 1_700_000_000_000)
    assert request.method == "GET"
    assert request.target == (
        "/openapi/param2/1/com.alibaba.product/alibaba.product.get?app_key=your_app_key&method=alibaba.product.get"
        "&timestamp=1700000000&productId=123456789&format=json&v=2.0&sign=7726208782D4E109C351711397EF21AD4E4E7F49"
    )
    assert request.body == b""


def test_a_product_call_keeps_secrets_out_of_the_url() -> None:
    """POST form with `productID`, `webSite` and the token; the URL holds the app key only, the repr no body."""
    speaker = gateway(token=Secret("tok-1"))
    request = speaker.request(speaker.call(Item("610947572360", 1)), 0)
    sent = dict(parse_qsl(request.body.decode()))
    assert request.method == "POST"
    assert request.target.endswith("/param2/1/com.alibaba.product/alibaba.product.get/1000000")
    assert sent.pop("_aop_signature") == param2_signature("test123", request.target.removeprefix("/openapi/"), sent)
    assert sent == {"productID": "610947572360", "webSite": "1688", "access_token": "tok-1"}
    assert "tok-1" not in repr(request)


def test_the_timestamp_is_signed_when_it_is_asked_for() -> None:
    """Milliseconds, under its own name, part of what is signed."""
    speaker = gateway(send_timestamp=True)
    sent = dict(parse_qsl(speaker.request(speaker.call(Item("1", 1)), 1_700_000_000_123).body.decode()))
    assert sent["_aop_timestamp"] == "1700000000123"
    path = "param2/1/com.alibaba.product/alibaba.product.get/1000000"
    assert sent["_aop_signature"] == param2_signature("test123", path, sent)


def test_the_detail_api_takes_an_object() -> None:
    """`offerDetailParam` is JSON text, signed exactly as sent."""
    speaker = gateway(api=find_api("product-detail"))
    sent = dict(parse_qsl(speaker.request(speaker.call(Item("620201390233", 1)), 0).body.decode()))
    assert json.loads(sent["offerDetailParam"]) == {"offerId": 620201390233, "country": "en"}


names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
values = st.one_of(st.text(st.characters(exclude_categories=["Cs"]), max_size=40), st.just('{"a": "连衣裙 &+%"}'))


@given(st.dictionaries(names, values, max_size=8), st.sampled_from(["GET", "POST"]), st.text(max_size=10))
def test_what_is_sent_decodes_to_what_was_signed(params: dict[str, str], method: str, secret: str) -> None:
    """Any parameters: signed unencoded, sent encoded, and the far end reads the same values."""
    secret = secret.encode("utf-8", "replace").decode()
    api = find_api("com.any/any.get", "theID")
    params.pop("theID", None)
    params.pop("_aop_signature", None)
    speaker = gateway(api=api, secret=secret, params=tuple(params.items()), method=method)
    request = speaker.request(speaker.call(Item("x y", 1)), 0)
    text = request.body.decode() if method == "POST" else urlsplit("http://h" + request.target).query
    received = dict(parse_qsl(text, keep_blank_values=True, strict_parsing=True))
    signature = received.pop("_aop_signature")
    assert received == {"theID": "x y", **params}
    assert signature == param2_signature(secret, "param2/1/com.any/any.get/1000000", received)


@given(st.dictionaries(names, values, min_size=2, max_size=8), st.randoms())
def test_the_order_of_parameters_does_not_matter(params: dict[str, str], random: Any) -> None:
    """A mapping has no order, and neither has its signature."""
    shuffled = list(params.items())
    random.shuffle(shuffled)
    assert param2_signature("s", "p", dict(shuffled)) == param2_signature("s", "p", params)
    assert guide_signature("s", dict(shuffled)) == guide_signature("s", params)


def test_joined_strings_are_sorted_as_wholes() -> None:
    """`subjectTrans=a` sorts before `subject=z`: the joined texts decide, not the keys."""
    from fetcher.gateway.signing import joined

    assert joined([("subject", "z"), ("subjectTrans", "a")]) == "subjectTransasubjectz"
