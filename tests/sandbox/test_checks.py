"""The gateway's checks and their order."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher.sandbox.checks import (
    BEFORE_LIMIT,
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
from tests.sandbox.calls import KEY, PRODUCT, SECRET, SITE, guide_params, signed, url_path

NOW_MS = 1_795_000_000_000
RULES = Rules(KEY, SECRET)
FACTS = Facts(NOW_MS, token_valid=False)
DETAIL = "com.alibaba.fenxiao.crossborder/product.search.queryProductDetail"


def asked(params: dict[str, str], path: str | None = None, *, strict: bool = False) -> Asked:
    """A call as the checks see it."""
    address = parse_address(path or url_path())
    assert address is not None
    return understand(address, params, strict=strict)


def code(call: Asked, rules: Rules = RULES, facts: Facts = FACTS) -> str | None:
    """What all checks together say, in order."""
    refusal = first_refusal((*BEFORE_LIMIT, permission), call, rules, facts)
    if refusal is None:
        ids = asked_ids(call)
        refusal = ids if isinstance(ids, Refusal) else None
    return refusal.code if refusal else None


def test_the_documents_vector_is_accepted() -> None:
    """The published signature of `currentTime` under `test123`."""
    call = asked(
        {"a": "1", "b": "2", "_aop_signature": "33E54F4F7B989E3E0E912D3FBD2F1A03CA7CCE88"},
        "param2/1/system/currentTime/1000000",
    )
    assert code(call, Rules("1000000", "test123")) is None


def test_the_tutorials_vector_is_accepted() -> None:
    """Its time is long past, so the tolerance is wide."""
    params = {
        "app_key": "your_app_key",
        "method": "alibaba.product.get",
        "timestamp": "1700000000",
        "productId": "123456789",
        "format": "json",
        "v": "2.0",
        "sign": "7726208782D4E109C351711397EF21AD4E4E7F49",
    }
    rules = Rules("your_app_key", "your_app_secret", timestamp_tolerance_s=1e9)
    assert code(asked(params, f"param2/1/{PRODUCT}"), rules) is None


def test_joined_strings_are_sorted_not_keys() -> None:
    """Where one key begins another the two differ; key order is refused."""
    params = {"productID": "1", **SITE, "subject": "连衣裙", "subjectTrans": "dress"}
    assert code(asked(signed(params, url_path()))) is None
    by_key = signed({}, url_path() + "".join(key + params[key] for key in sorted(params)))
    assert code(asked({**params, **by_key})) == "gw.SignatureInvalid"


@given(st.dictionaries(st.text(min_size=1), st.text(), max_size=6))
def test_any_text_can_be_signed(params: dict[str, str]) -> None:
    """Whatever is sent, its right signature holds and no other does."""
    special = {"_aop_signature", "_aop_timestamp", "access_token"}
    params = {key: value for key, value in params.items() if key not in special}
    params |= {"productID": "1", **SITE}
    right = signed(params, url_path())
    assert code(asked(right)) is None
    assert code(asked({**right, "productID": "2"})) == "gw.SignatureInvalid"


FAULTY: list[tuple[str, dict[str, Any]]] = [
    ("gw.AppKeyMissing", {"path": f"param2/1/{PRODUCT}"}),
    ("gw.AppKeyNotFound", {"path": url_path(key="7")}),
    ("gw.APIUnsupported", {"path": url_path("com.alibaba.product/alibaba.product.got")}),
    ("gw.SignatureMissing", {"signature": None}),
    ("gw.SignatureInvalid", {"signature": "0" * 40}),
    ("400", {"timestamp": "1"}),
    ("401", {"token": False}),
    ("gw.APIACLDecline", {"denied": frozenset({PRODUCT, "com.alibaba.product/alibaba.product.got"})}),
    ("gw.ParamMissing", {"params": {"productId": "1"}}),
]
"""Faults in the order in which the gateway finds them."""


@pytest.mark.parametrize("first", range(len(FAULTY)))
def test_the_first_fault_is_the_one_that_is_named(first: int) -> None:
    """A call with this fault and all later ones is refused for this one."""
    wrong: dict[str, Any] = {}
    for _, fault in reversed(FAULTY[first:]):
        wrong |= fault
    path = wrong.get("path", url_path())
    params = dict(wrong.get("params", {"productID": "1", **SITE}))
    if "timestamp" in wrong:
        params["_aop_timestamp"] = wrong["timestamp"]
    params = signed(params, path)
    if "signature" in wrong:
        params.pop("_aop_signature")
        if wrong["signature"]:
            params["_aop_signature"] = wrong["signature"]
    rules = msgspec.structs.replace(RULES, require_token="token" in wrong, denied_apis=wrong.get("denied", frozenset()))
    assert code(asked(params, path), rules) == FAULTY[first][0]


@pytest.mark.parametrize("path", ["param2/2/" + PRODUCT + "/" + KEY, "json2/1/" + PRODUCT + "/" + KEY])
def test_other_versions_and_protocols_are_unsupported(path: str) -> None:
    """Only version 1 under param2 is served."""
    assert code(asked(signed({"productID": "1", **SITE}, path), path)) == "gw.APIUnsupported"


@pytest.mark.parametrize("path", ["", "param2", "param2/1/ns", "param2//ns/name/1", "param2/1/ns/name/1/2"])
def test_what_is_no_address_is_none(path: str) -> None:
    """Too few segments, too many, or empty ones."""
    assert parse_address(path) is None


def test_an_empty_app_key_is_missing() -> None:
    """A slash at the end names no key."""
    assert code(asked({}, f"param2/1/{PRODUCT}/")) == "gw.AppKeyMissing"


def test_a_sign_in_a_param2_path_is_not_a_signature() -> None:
    """Measured: with the key in the path only `_aop_signature` counts."""
    assert code(asked({"productID": "1", "sign": "x"})) == "gw.SignatureMissing"


def test_the_tutorials_scheme() -> None:
    """Signed without the path; strict refuses it as the live gateway does."""
    path = f"param2/1/{PRODUCT}"
    assert code(asked(guide_params(), path)) is None
    assert code(asked(guide_params(secret="other"), path)) == "gw.SignatureInvalid"
    assert code(asked(guide_params(app_key="7"), path)) == "gw.AppKeyNotFound"
    assert code(asked(guide_params(app_key=""), path)) == "gw.AppKeyMissing"
    assert code(asked(guide_params(timestamp="1795000000000"), path)) == "400"
    assert code(asked(guide_params(productId=""), path)) == "gw.ParamMissing"
    assert code(asked(guide_params(), path, strict=True)) == "gw.AppKeyMissing"


@pytest.mark.parametrize(
    ("given_ms", "refused"),
    [("0", True), (str(NOW_MS - 900_000), False), (str(NOW_MS + 900_001), True), ("now", True), ("", True)],
)
def test_a_timestamp_is_checked_if_sent(given_ms: str, refused: bool) -> None:
    """Up to the tolerance on either side, in milliseconds."""
    params = signed({"productID": "1", **SITE, "_aop_timestamp": given_ms}, url_path())
    assert code(asked(params)) == ("400" if refused else None)


def test_a_timestamp_may_be_demanded() -> None:
    """Of business calls; the clock itself can be asked without one."""
    rules = msgspec.structs.replace(RULES, demand_timestamp=True)
    assert code(asked(signed({"productID": "1", **SITE}, url_path())), rules) == "400"
    clock = url_path("system/currentTime")
    assert code(asked(signed({}, clock), clock), rules) is None


def test_a_token_that_is_sent_must_be_good() -> None:
    """Even where none is required; with its HTTP status."""
    call = asked(signed({"productID": "1", **SITE, "access_token": "t"}, url_path()))
    refusal = first_refusal(BEFORE_LIMIT, call, RULES, FACTS)
    assert refusal == Refusal("401", "Request need user authorized", 401)
    assert first_refusal(BEFORE_LIMIT, call, RULES, Facts(NOW_MS, token_valid=True)) is None


def test_system_calls_need_no_token_and_the_millisecond_one_no_signature() -> None:
    """A signature that is sent is checked all the same."""
    rules = msgspec.structs.replace(RULES, require_token=True)
    path = url_path("system/currentTimeMillis")
    assert code(asked({}, path), rules) is None
    assert code(asked({"_aop_signature": "0"}, path), rules) == "gw.SignatureInvalid"
    path = url_path("system/currentTime")
    assert code(asked({}, path), rules) == "gw.SignatureMissing"
    assert code(asked(signed({}, path), path), rules) is None


@pytest.mark.parametrize(
    ("api", "params", "expected"),
    [
        (PRODUCT, {"productID": "610947572360", **SITE}, (610947572360,)),
        (PRODUCT, {"productID": str(2**63 - 1), **SITE}, (2**63 - 1,)),
        (PRODUCT, {"productID": str(2**63), **SITE}, "gw.ParamInvalid"),
        (PRODUCT, {"productID": "１２３", **SITE}, "gw.ParamInvalid"),
        (PRODUCT, {"productID": "-5", **SITE}, "gw.ParamInvalid"),
        (PRODUCT, {"productID": "9" * 5000, **SITE}, "gw.ParamInvalid"),
        (PRODUCT, {"productID": "", **SITE}, "gw.ParamMissing"),
        (PRODUCT, {"productID": "1"}, "gw.ParamMissing"),
        ("com.alibaba.product/alibaba.cross.productInfo", {"productId": "5"}, (5,)),
        ("com.alibaba.product/alibaba.cross.productInfo", {"productID": "5"}, "gw.ParamMissing"),
        (
            "com.alibaba.trade/alibaba.trade.get.buyerView",
            {"orderId": "58218860983545941", **SITE},
            (58218860983545941,),
        ),
        ("com.alibaba.product/alibaba.product.getByIdList", {"productIdList": "[1,2]"}, (1, 2)),
        ("com.alibaba.product/alibaba.product.getByIdList", {"productIdList": "[1,"}, "gw.ParamInvalid"),
        ("com.alibaba.product/alibaba.product.getByIdList", {"productIdList": "1"}, "gw.ParamInvalid"),
        (DETAIL, {"offerDetailParam": json.dumps({"offerId": 7, "country": "en"})}, (7,)),
        (DETAIL, {"offerDetailParam": json.dumps({"offerId": "7", "country": "en"})}, (7,)),
        (DETAIL, {"offerDetailParam": json.dumps({"offerId": 7})}, "gw.ParamMissing"),
        (DETAIL, {"offerDetailParam": json.dumps({"country": "en"})}, "gw.ParamMissing"),
        (DETAIL, {"offerDetailParam": "[]"}, "gw.ParamInvalid"),
        (DETAIL, {"offerDetailParam": json.dumps({"offerId": {}, "country": "en"})}, "gw.ParamMissing"),
        (DETAIL, {"offerDetailParam": json.dumps({"offerId": 1.5, "country": "en"})}, "gw.ParamInvalid"),
    ],
)
def test_arguments(api: str, params: dict[str, str], expected: tuple[int, ...] | str) -> None:
    """Each API names its ID in its own way."""
    ids = asked_ids(asked(params, url_path(api)))
    assert (ids.code if isinstance(ids, Refusal) else ids) == expected


def test_query_and_form_are_one() -> None:
    """Empty values stay, encoded text is decoded, the form comes last."""
    merged = merge_parameters("a=1&b=&c=%E8%BF%9E+x", "a=2&d=%26%3D")
    assert merged == {"a": "2", "b": "", "c": "连 x", "d": "&="}


def test_the_secret_is_not_shown() -> None:
    """Rules carry it; what is printed of them does not."""
    assert SECRET not in repr(RULES)
