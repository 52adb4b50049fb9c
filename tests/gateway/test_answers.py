"""What answers mean: one row, one sentence."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher.gateway import Credentials, Gateway, find_api
from fetcher.model import Item, Kind, Reply, Verdict, VerdictKind
from fetcher.secret import Redactor, Secret

ID = "610947572360"
ITEM = Item(ID, 1)
PRODUCT = (
    '{"productInfo":{"productID":610947572360,"subject":"连衣裙","big":12345678901234567890123,"p":1.10},"errMsg":null}'
)


def ask(
    body: str | bytes, status: int = 200, content_type: str = "application/json", api: str = "product", **options: Any
) -> Verdict:
    data = body.encode() if isinstance(body, str) else body
    found = find_api(api, "theID" if "/" in api else None)
    speaker = Gateway(
        found, options.pop("protocol", "param2"), Credentials("1", Secret("s")), "https://h/openapi", **options
    )
    return speaker.verdict(Reply(status, data, 0.0, 0.1, content_type), ITEM)


def refusal(code: str, message: str = "no") -> str:
    return json.dumps({"error_code": code, "error_message": message, "exception": message})


ROWS = [
    ("a product is kept", PRODUCT, 200, VerdictKind.DONE, None),
    ("white space around it is dropped", f"\n {PRODUCT}\n", 200, VerdictKind.DONE, None),
    (
        "a product under another wrapper",
        '{"result":{"productInfo":{"productID":610947572360}}}',
        200,
        VerdictKind.DONE,
        None,
    ),
    (
        "no such product",
        '{"productInfo":null,"errMsg":"商品[610947572360]不存在"}',
        200,
        VerdictKind.ABSENT,
        Kind.NOT_FOUND,
    ),
    ("taken off the shelf", '{"errMsg":"商品已下架"}', 200, VerdictKind.ABSENT, Kind.NOT_FOUND),
    ("another failure of the API", '{"errMsg":"没有权限查看该商品"}', 200, VerdictKind.REJECT, Kind.REJECTED),
    (
        "success is a text",
        '{"success":"false","message":"product [1] does not exist"}',
        200,
        VerdictKind.ABSENT,
        Kind.NOT_FOUND,
    ),
    ("neither product nor error", "{}", 200, VerdictKind.RETRY, Kind.MALFORMED),
    ("another ID's product", '{"productInfo":{"productID":1}}', 200, VerdictKind.RETRY, Kind.MALFORMED),
    ("empty", "", 200, VerdictKind.RETRY, Kind.MALFORMED),
    ("cut off", PRODUCT[:-5], 200, VerdictKind.RETRY, Kind.MALFORMED),
    ("two documents", PRODUCT + PRODUCT, 200, VerdictKind.RETRY, Kind.MALFORMED),
    ("NaN is no JSON", '{"productInfo":{"productID":610947572360,"p":NaN}}', 200, VerdictKind.RETRY, Kind.MALFORMED),
    ("no UTF-8", b'{"productInfo":{"productID":610947572360,"s":"\xff\xfe"}}', 200, VerdictKind.RETRY, Kind.MALFORMED),
    (
        "very deep",
        '{"productInfo":{"productID":610947572360,"x":' + "[" * 100_000,
        200,
        VerdictKind.RETRY,
        Kind.MALFORMED,
    ),
    ("a web page", "<html><body>502</body></html>", 200, VerdictKind.RETRY, Kind.SERVER),
    ("a web page under 502", "<html><body>502</body></html>", 502, VerdictKind.RETRY, Kind.SERVER),
    ("busy", "busy", 503, VerdictKind.RETRY, Kind.SERVER),
    ("over the app's rate", refusal("gw.QosAppFrequencyLimit"), 400, VerdictKind.THROTTLE, Kind.THROTTLED),
    ("over the API's rate, under 200", refusal("gw.QosAPIFrequencyLimit"), 200, VerdictKind.THROTTLE, Kind.THROTTLED),
    ("without the prefix", refusal("QosAppFrequencyLimit"), 400, VerdictKind.THROTTLE, Kind.THROTTLED),
    ("the old words", refusal("7", "Beyond the app call frequency limit"), 400, VerdictKind.THROTTLE, Kind.THROTTLED),
    ("an edge's 429", "slow down", 429, VerdictKind.THROTTLE, Kind.THROTTLED),
    (
        "TOP's limit",
        '{"error_response":{"code":7,"msg":"App Call Limited"}}',
        200,
        VerdictKind.THROTTLE,
        Kind.THROTTLED,
    ),
    ("token expired", refusal("401", "Request need user authorized"), 401, VerdictKind.REFRESH, None),
    ("wrong secret", refusal("gw.SignatureInvalid"), 400, VerdictKind.FATAL, None),
    ("no signature", refusal("gw.SignatureMissing"), 400, VerdictKind.FATAL, None),
    ("no app key", refusal("gw.AppKeyMissing"), 400, VerdictKind.FATAL, None),
    ("unknown app key", refusal("gw.AppKeyNotFound"), 400, VerdictKind.FATAL, None),
    ("unknown API", refusal("gw.APIUnsupported"), 400, VerdictKind.FATAL, None),
    ("no permission", refusal("gw.APIACLDecline", "AppKey is not allowed(acl)"), 400, VerdictKind.FATAL, None),
    ("the camel spelling", '{"errorCode":"gw.APIACLDecline","errorMessage":"no"}', 400, VerdictKind.FATAL, None),
    ("used up", refusal("gw.NoUsageLeftError", "SLA bill has no usage left"), 400, VerdictKind.QUOTA, None),
    ("a parameter is missing", refusal("gw.ParamMissing"), 400, VerdictKind.REJECT, Kind.REJECTED),
    ("expired request", refusal("400", "Request is expired."), 400, VerdictKind.CLOCK, None),
    ("a time is wanted", refusal("400", "API need time stamp verify, so"), 400, VerdictKind.CLOCK, None),
    ("the service timed out", refusal("ISPInvokeTimeout"), 400, VerdictKind.RETRY, Kind.SERVER),
    ("nobody knows the code", refusal("gw.SomethingNew"), 400, VerdictKind.RETRY, Kind.REJECTED),
    ("nobody knows it, under 200", refusal("gw.SomethingNew"), 200, VerdictKind.RETRY, Kind.REJECTED),
    ("a redirect", "", 302, VerdictKind.REJECT, Kind.REJECTED),
    ("no such page", "not here", 404, VerdictKind.REJECT, Kind.REJECTED),
]


@pytest.mark.parametrize(("sentence", "body", "status", "kind", "error"), ROWS, ids=[row[0] for row in ROWS])
def test_answers(sentence: str, body: str | bytes, status: int, kind: VerdictKind, error: Kind | None) -> None:
    """The table."""
    verdict = ask(body, status)
    assert verdict.kind is kind
    assert error is None or verdict.error is error
    assert verdict.kind is not VerdictKind.FATAL or verdict.remedy


def test_the_answers_own_bytes_are_kept() -> None:
    """Integers of any size, decimals and Chinese stay as they were sent."""
    assert ask(f" {PRODUCT} ").payload == PRODUCT.encode()


@pytest.mark.parametrize("charset", ["gbk", "GB18030", "gb2312"])
def test_other_charsets_by_declaration(charset: str) -> None:
    """GBK becomes UTF-8, value for value."""
    verdict = ask(PRODUCT.encode("gb18030"), content_type=f"text/json; charset={charset}")
    assert verdict.payload == PRODUCT.encode()


ORDER = '{"result":{"baseInfo":{"id":58218860983545944,"idOfStr":"%s"}},"success":"true"}'


def test_orders() -> None:
    """Their ID stands as text beside a number that the official sample shows damaged; failures have their own codes."""
    assert ask(ORDER % ID, api="order-buyer").kind is VerdictKind.DONE
    assert ask(ORDER % "7", api="order-buyer").error is Kind.MALFORMED
    verdict = ask('{"success":false,"errorCode":"500_2","errorMessage":"订单尚未发货"}', api="order-buyer")
    assert (verdict.kind, verdict.code, verdict.message) == (VerdictKind.REJECT, "500_2", "订单尚未发货")


def test_cross_border_detail() -> None:
    """`result.success` decides there."""
    good = '{"result":{"success":true,"code":"200","result":{"offerId":610947572360}}}'
    assert ask(good, api="product-detail").kind is VerdictKind.DONE
    gone = '{"result":{"success":false,"code":"400","message":"商品已下架"}}'
    assert ask(gone, api="product-detail").kind is VerdictKind.ABSENT


@pytest.mark.parametrize("body", ['"20261010164552223+0800"', "1484033752883", "[1]", '{"any":1}'])
def test_any_value_is_an_answer_of_an_unknown_api(body: str) -> None:
    """Scalars too; only refusals and broken JSON are none."""
    assert ask(body, api="a.b/c.d").payload == body.encode()
    assert ask('{"success":false,"message":"x"}', api="a.b/c.d").kind is VerdictKind.REJECT


def test_xml_answers_and_refusals() -> None:
    """XML is read by its rule; a refusal in it is a refusal."""
    body = '<?xml version="1.0" encoding="UTF-8"?><r><productInfo><productID>610947572360</productID></productInfo></r>'
    verdict = ask(body, content_type="text/xml")
    assert verdict.kind is VerdictKind.DONE
    assert json.loads(verdict.payload) == {"productInfo": {"productID": ID}}
    refused = "<error><error_code>gw.QosAppFrequencyLimit</error_code><error_message>x</error_message></error>"
    assert ask(refused, 400, "text/xml").kind is VerdictKind.THROTTLE
    top = "<error_response><code>7</code><msg>App Call Limited</msg></error_response>"
    assert ask(top, 200, "text/xml").kind is VerdictKind.THROTTLE
    assert ask("<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>", content_type="text/xml").error is Kind.MALFORMED


def test_an_echoed_secret_is_cut_before_the_message_is_shortened() -> None:
    """Half a secret is one too."""
    echo = refusal("gw.ParamMissing", "x" * 490 + " s3cr3t-value-of-the-token\x1b[31m")
    verdict = ask(echo, 400, redact=Redactor([Secret("s3cr3t-value-of-the-token")]).redact)
    assert "s3cr3t" not in verdict.message
    assert "\x1b" not in verdict.message
    assert len(verdict.message) <= 500


def test_the_wrong_scheme_is_named() -> None:
    """What the live gateway says to the tutorial's call leads to the switch."""
    assert "--protocol param2" in ask(refusal("gw.AppKeyMissing"), 400, protocol="guide").remedy
    assert "--protocol guide" in ask(refusal("gw.SignatureMissing"), 400).remedy


@given(
    st.binary(max_size=200),
    st.integers(100, 599),
    st.sampled_from(["", "text/xml", "text/json; charset=gbk", "x; charset=nope"]),
)
def test_no_answer_makes_it_raise(body: bytes, status: int, content_type: str) -> None:
    """Whatever the bytes, there is a verdict, and garbage is never a product."""
    assert ask(body, status, content_type).kind is not VerdictKind.DONE
    ask(gzip.compress(body), status, content_type, api="a.b/c.d")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["productInfo", "error_code", "errMsg", "result", "success", "productID", "error_response", "code"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(
    json_values,
    st.sampled_from(["product", "product-detail", "order-buyer", "a.b/c.d"]),
    st.sampled_from([200, 400, 500]),
)
def test_no_shape_makes_it_raise(value: Any, api: str, status: int) -> None:
    """The envelope's names with anything under them."""
    ask(json.dumps(value), status, api=api)
