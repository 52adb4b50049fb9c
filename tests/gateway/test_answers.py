"""What answers mean: every documented refusal, every spelling met, and anything at all."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fetcher.gateway.answers import Answers
from fetcher.gateway.apis import APIS
from fetcher.model import Kind, Reply, VerdictKind
from fetcher.secret import Redactor, Secret
from tests.gateway.speaking import ID, ITEM, TOKEN, gateway, refusal, said, verdict

FOUND: dict[str, Any] = {
    "product": {"productInfo": {"productID": int(ID), "subject": "连衣裙"}, "bizGroupInfos": [], "errMsg": None},
    "product-cross": {"success": True, "message": None, "productInfo": {"productID": int(ID)}},
    "product-detail": {"result": {"success": True, "code": "200", "message": "成功", "result": {"offerId": int(ID)}}},
    "order-buyer": {"result": {"baseInfo": {"id": 1, "idOfStr": ID}}, "success": "true"},
}


@pytest.mark.parametrize("status", [200, 400, 401, 500])
@pytest.mark.parametrize("prefix", ["gw.", ""])
@pytest.mark.parametrize(
    ("code", "message", "kind", "why"),
    [
        ("QosAppFrequencyLimit", "App call exceeds limited frequency", "throttle", "the app is over its rate"),
        ("QosAPIFrequencyLimit", "", "throttle", "one API is over its rate"),
        ("QosRequestLimit", "", "throttle", "any Qos is a limit"),
        ("qosSomethingNew", "", "throttle", "whatever the letters' case"),
        ("SomeFREQUENCYLIMIT", "", "throttle", "any frequency limit"),
        ("SignatureInvalid", "", "fatal", "wrong secret"),
        ("SignatureMissing", "", "fatal", "no signature"),
        ("AppKeyMissing", "", "fatal", "no key"),
        ("AppKeyNotFound", "", "fatal", "unknown key"),
        ("APIUnsupported", "", "fatal", "no such API"),
        ("APIACLDecline", "AppKey is not allowed(acl)", "fatal", "no permission"),
        ("NoUsageLeftError", "SLA bill has no usage left", "quota", "the package is used up"),
        ("ParamMissing", "Required argument offerId", "reject", "this call's arguments"),
        ("ISPInvokeTimeout", "", "retry", "the service behind is slow"),
        ("ISPInvokeError", "", "retry", "the service behind is ill"),
    ],
)
def test_a_documented_code_means_the_same_everywhere(
    status: int, prefix: str, code: str, message: str, kind: str, why: str
) -> None:
    """Under any status, with and without its prefix, in both spellings of the keys: the body decides."""
    bodies = [refusal(prefix + code, message)]
    if prefix or status >= 400:
        bodies.append({"errorCode": prefix + code, "errorMessage": message})
    for body in bodies:
        for api in ("product", "com.alibaba.x/any"):
            found = verdict(body, status, api)
            assert (found.kind, found.code, found.http_status) == (kind, prefix + code, status), why


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        ("401", "Request need user authorized", "refresh"),
        ("401", "Request need user authenticated", "refresh"),
        ("", "User authorization is required", "refresh"),
        ("400", "com.alibaba.openapi.exception.request.RequestValidateException: Request is expired.", "clock"),
        ("400", "API need time stamp verify, so request must has _aop_timestamp. ", "clock"),
        ("400", "…RequestValidateException: Invalid appKey, unsport appKey: 1", "fatal"),
        ("", "Beyond the app call frequency limit", "throttle"),
        ("gw.Whatever", "SLA bill has no usage left", "quota"),
    ],
)
@pytest.mark.parametrize("status", [200, 400, 401])
def test_a_message_tells_what_a_code_does_not(code: str, message: str, kind: str, status: int) -> None:
    """The old codes are HTTP numbers; their texts are in the gateway's FAQ."""
    assert verdict(refusal(code, message), status).kind == kind


@pytest.mark.parametrize(("status", "error"), [(200, Kind.REJECTED), (400, Kind.REJECTED), (503, Kind.SERVER)])
def test_an_unknown_code_is_never_a_success(status: int, error: Kind) -> None:
    """Not even beside a product; the policy tries RETRY with `rejected` once more only."""
    for body in (refusal("gw.Mystery"), refusal("Mystery"), FOUND["product"] | refusal("gw.Mystery")):
        found = verdict(body, status)
        assert (found.kind, found.error) == ("retry", error)
        assert "Mystery" in (found.code or "")
    assert verdict({"success": True, "errorCode": "gw.Mystery", "data": 1}, 200, "com.x/any").kind == "retry"


@pytest.mark.parametrize("status", [403, 404, 405])
def test_a_refusal_without_a_code_and_not_under_the_gateways_statuses_refuses_the_call(status: int) -> None:
    """A wrong path is no outage that one waits for: something else answers there, in whatever words."""
    found = verdict({"error_message": "no such path"}, status)
    assert (found.kind, found.message) == ("reject", "no such path") and "check --gateway" in found.remedy
    assert verdict({"error_message": "no such path"}, 400).kind == "retry"
    assert verdict({"error_code": "gw.QosAppFrequencyLimit", "error_message": ""}, status).kind == "throttle"


@pytest.mark.parametrize("code", ["gw.AppKeyMissing", "gw.SignatureMissing"])
def test_a_gateway_of_the_other_kind_is_recognised(code: str) -> None:
    """The remedy names the switch."""
    assert "--protocol param2" in verdict(refusal(code), 400, protocol="guide").remedy
    assert "--protocol guide" in verdict(refusal(code), 400).remedy
    assert "--protocol guide" in verdict(b"<html>", 404, content_type="text/html").remedy
    assert "--protocol param2" in verdict(b"", 404, protocol="guide").remedy


@pytest.mark.parametrize(
    "code",
    ["gw.SignatureInvalid", "gw.AppKeyNotFound", "gw.APIUnsupported", "gw.APIACLDecline", "gw.NoUsageLeftError", "401"],
)
def test_every_end_of_a_run_has_a_remedy_of_one_line(code: str) -> None:
    """A person must know what to correct."""
    remedy = verdict(refusal(code), 400).remedy
    assert len(remedy) > 20
    assert "\n" not in remedy


@pytest.mark.parametrize("api", list(FOUND))
def test_a_product_is_kept_to_the_byte(api: str) -> None:
    """White space around it goes, nothing else."""
    for body in (json.dumps(FOUND[api], ensure_ascii=False), json.dumps(FOUND[api], indent=2)):
        found = verdict(b"\xef\xbb\xbf \r\n" + body.encode() + b"\n", 200, api)
        assert (found.kind, found.payload) == ("done", body.encode())


@pytest.mark.parametrize(
    "wrapped",
    [
        {"result": FOUND["product"]},
        {"result": {"result": FOUND["product"]}},
        {"productInfo": {"offerId": ID}},
        {"productInfo": {"productId": ID}, "success": 1, "errorCode": "", "message": "x"},
        {"productInfo": {"subject": "says no ID"}},
        {"productInfo": {"productID": f"{ID}.0"}, "errMsg": "a remark"},
    ],
)
def test_spellings_met_in_the_wild_are_products(wrapped: dict[str, Any]) -> None:
    """Wrappers, names and types differ from one version to the next."""
    assert verdict(wrapped).kind == "done"


@pytest.mark.parametrize(
    ("api", "body"),
    [
        ("product", {"productInfo": {"productID": 7}}),
        ("product", {"productInfo": {"offerId": "7"}}),
        ("product", {"result": {"productInfo": {"productID": 7}}}),
        ("product-detail", {"result": {"success": True, "result": {"offerId": 7}}}),
        ("order-buyer", {"result": {"baseInfo": {"idOfStr": "7", "id": int(ID)}}, "success": "true"}),
        ("order-buyer", {"result": {"baseInfo": {"id": int(ID) + 1}}}),
    ],
)
def test_an_answer_for_another_id_is_never_kept(api: str, body: dict[str, Any]) -> None:
    """It is asked for again."""
    found = verdict(body, 200, api)
    assert (found.kind, found.error, found.payload) == ("retry", Kind.MALFORMED, b"")


@pytest.mark.parametrize(
    ("api", "body", "kind"),
    [
        ("product", {"productInfo": None, "errMsg": f"商品[{ID}]不存在"}, "absent"),
        ("product", {"productInfo": {}, "errMsg": "商品已下架"}, "absent"),
        ("product", {"errMsg": "no right to see it"}, "reject"),
        ("product", {"productInfo": None, "code": "X", "message": "refused"}, "reject"),
        ("product-cross", {"success": False, "message": "product [1] does not exist"}, "absent"),
        ("product-cross", {"success": "false", "message": "no permission to query this product"}, "reject"),
        ("product-cross", {"success": 0}, "reject"),
        ("product-detail", {"result": {"success": False, "code": "404", "message": "商品已下架"}}, "absent"),
        ("product-detail", {"result": {"success": False, "code": "401", "message": "x"}}, "reject"),
        ("order-buyer", {"success": "false", "errorCode": "500_2", "errorMessage": "订单尚未发货"}, "reject"),
        ("order-buyer", {"success": False, "code": "500", "message": "不是自己的订单"}, "reject"),
        ("com.x/any", {"success": False, "message": "不存在"}, "absent"),
        ("com.x/any", {"result": {"success": False}}, "reject"),
        ("com.x/any", {"errorMessage": "only words"}, "reject"),
        ("product-cross", {"success": False, "message": "系统繁忙，请稍后再试"}, "retry"),
        ("product-cross", {"success": False, "errorCode": "gw.QosAppFrequencyLimit"}, "throttle"),
    ],
)
def test_a_business_failure_belongs_to_its_id(api: str, body: dict[str, Any], kind: str) -> None:
    """Each API says it in its own envelope, under HTTP 200."""
    assert verdict(body, 200, api).kind == kind


@pytest.mark.parametrize(
    "body", [{}, [], "text", 1, None, {"productInfo": None}, {"productInfo": {}}, {"success": True}, {"productInfo": 3}]
)
def test_neither_product_nor_error_is_asked_for_again(body: Any) -> None:
    """It is no answer to the call."""
    for api in ("product", "product-detail", "order-buyer"):
        found = verdict(body, 200, api)
        assert (found.kind, found.error) == ("retry", Kind.MALFORMED)


@pytest.mark.parametrize(
    "body",
    [
        {},
        [1],
        "20261010164552223+0800",
        1484033752883,
        None,
        {"data": 1, "errorCode": 0},
        {"errorMessage": "该订单没有物流跟踪信息。", "success": True},
        {"result": [1, {"success": False}], "success": "true"},
        {"error_code": "0", "rows": []},
    ],
)
def test_of_an_unknown_api_whatever_is_no_error_is_the_answer(body: Any) -> None:
    """Scalars too; a remark beside `success` is no error."""
    assert verdict(body, 200, "com.x/any").kind == "done"


@pytest.mark.parametrize(
    ("body", "kind", "wait_s"),
    [
        (
            {"code": 7, "msg": "App Call Limited", "sub_msg": "This ban will last for 31062 more seconds"},
            "throttle",
            31062,
        ),
        ({"code": 15, "msg": "Remote", "sub_code": "accesscontrol.limited-by-api-access-count"}, "throttle", None),
        ({"code": 15, "msg": "Remote service error", "sub_code": "isp.top-remote-service-timeout"}, "retry", None),
        ({"code": 15, "sub_code": "isv.item-not-exist", "sub_msg": "商品不存在"}, "absent", None),
        ({"code": 25, "msg": "Invalid signature"}, "fatal", None),
        ({"code": 27, "msg": "Invalid session"}, "refresh", None),
        ({"code": 40, "msg": "Missing required arguments"}, "reject", None),
        ({"code": 999}, "retry", None),
        ({}, "retry", None),
    ],
)
def test_the_sister_familys_envelope_is_understood(body: dict[str, Any], kind: str, wait_s: float | None) -> None:
    """It comes with HTTP 200; a client that took code 7 for a business failure lost records."""
    found = verdict({"error_response": body})
    assert (found.kind, found.wait_s) == (kind, wait_s)


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        ("invalid_token", 401, "refresh"),
        ("access_denied", 403, "fatal"),
        ("temporarily_unavailable", 200, "retry"),
        ("Not Found", 404, "reject"),
        ("Internal Server Error", 500, "retry"),
    ],
)
def test_errors_of_the_oauth_form_are_understood(error: str, status: int, kind: str) -> None:
    """Also those of frameworks that look alike."""
    assert verdict({"error": error, "error_description": "words"}, status).kind == kind


@pytest.mark.parametrize(
    ("status", "body", "kind", "error"),
    [
        (200, b"", "retry", Kind.MALFORMED),
        (204, b"", "retry", Kind.MALFORMED),
        (200, b"<html><body>Welcome", "retry", Kind.SERVER),
        (200, b"plain words", "retry", Kind.MALFORMED),
        (301, b"", "reject", Kind.REJECTED),
        (307, b'{"productInfo":{"productID":610947572360}}', "reject", Kind.REJECTED),
        (400, b'{"error_code":"gw.Sig', "retry", Kind.MALFORMED),
        (400, b"Bad Request", "reject", Kind.REJECTED),
        (401, b"<html>", "reject", Kind.REJECTED),
        (403, b'{"message":"denied"}', "reject", Kind.REJECTED),
        (404, b'{"message":"no Route matched, not found"}', "reject", Kind.REJECTED),
        (405, b"", "reject", Kind.REJECTED),
        (408, b"", "retry", Kind.SERVER),
        (429, b"", "throttle", Kind.THROTTLED),
        (429, b'{"message":"slow down"}', "throttle", Kind.THROTTLED),
        (429, b'{"success":false,"message":"slow down"}', "throttle", Kind.THROTTLED),
        (500, b'{"productInfo":{"productID":610947572360}}', "retry", Kind.SERVER),
        (502, b"<html>502 Bad Gateway", "retry", Kind.SERVER),
        (503, b"{torn", "retry", Kind.SERVER),
    ],
)
def test_where_the_body_says_nothing_the_status_decides(status: int, body: bytes, kind: str, error: Kind) -> None:
    """Load balancers and proxies stand in front."""
    found = verdict(body, status)
    assert (found.kind, found.error, found.http_status) == (kind, error, status)
    assert found.message


@pytest.mark.parametrize(
    ("inside", "kind"),
    [
        (b"NaN", "retry"),
        (b"Infinity", "retry"),
        (b"-Infinity", "retry"),
        (b'"\xff"', "retry"),
        (b'"\xed\xa0\x80"', "retry"),
        (b'"\n"', "retry"),
        (b'"\\x"', "retry"),
        (b"01", "retry"),
        (b"1}{", "retry"),
        (b"1} {}", "retry"),
        (b"[" * 199 + b"]" * 199, "done"),
        (b"[" * 200 + b"]" * 200, "retry"),
        (b"[" * 100_000 + b"]" * 100_000, "retry"),
        (b'{"a":[' * 150 + b"]}" * 150, "retry"),
        (b"[" + b",".join([b'{"a":"[[{{\\""}'] * 300) + b"]", "done"),
        (b"1" * 5000, "done"),
        (b"1e999", "done"),
        (b"0.10", "done"),
        (b'"\\ud83d"', "done"),
        (b'1,"x":2', "done"),
    ],
)
def test_only_sound_json_is_kept(inside: bytes, kind: str) -> None:
    """Numbers of any size and doubled keys stay as they are; half a surrogate pair, escaped, is legal and stays too."""
    for template in (
        b'{"productInfo":{"productID":%s},"x":%b}',
        b'{"x":%b,"success":1.0,"productInfo":{"productID":%s}}',
    ):
        pair = (ID.encode(), inside) if template.startswith(b'{"p') else (inside, ID.encode())
        body = template % pair
        found = verdict(body)
        assert found.kind == kind
        assert found.payload == (body if kind == "done" else b"")
        assert kind == "done" or found.error is Kind.MALFORMED


def test_chinese_charsets_become_utf8() -> None:
    """By what is declared; what does not fit is malformed."""
    text = json.dumps(FOUND["product"], ensure_ascii=False)
    for charset in ("gbk", "GB18030", '"gb2312"'):
        found = verdict(text.encode("gb18030"), 200, content_type=f"application/json; charset={charset}")
        assert (found.kind, found.payload) == ("done", text.encode())
    assert verdict(text.encode("gbk")).error is Kind.MALFORMED
    assert verdict(b"\xff\xff", 200, content_type="text/plain;charset=gbk").error is Kind.MALFORMED
    assert verdict(text, 200, content_type="application/json;charset=rot13").kind == "retry"


@pytest.mark.parametrize(
    ("xml", "kind"),
    [
        (f"<response><productInfo><productID>{ID}</productID></productInfo><errMsg/></response>", "done"),
        (f"<productInfo><productID>{ID}</productID></productInfo>", "done"),
        ("<response><productInfo><productID>7</productID></productInfo></response>", "retry"),
        ("<response><productInfo/><errMsg>商品不存在</errMsg></response>", "absent"),
        ("<error_response><code>7</code><msg>App Call Limited</msg></error_response>", "throttle"),
        ("<error><error_code>gw.SignatureInvalid</error_code></error>", "fatal"),
        ("<error><code>gw.SignatureInvalid</code><message>x</message></error>", "fatal"),
        ("<r><error_code>401</error_code><error_message>Request need user authorized</error_message></r>", "refresh"),
        ("<!DOCTYPE r [<!ENTITY a 'x'>]><r>&a;</r>", "retry"),
        ("<html xmlns='x'><body/></html>", "retry"),
        ("<r>", "retry"),
    ],
)
@pytest.mark.parametrize("content_type", ["application/xml;charset=UTF-8", "", "text/xml"])
def test_xml_is_judged_by_the_same_tables(xml: str, kind: str, content_type: str) -> None:
    """Whatever it is declared to be."""
    assert verdict(xml.encode(), 200, content_type=content_type).kind == kind


def test_messages_are_fit_to_be_stored() -> None:
    """No control characters, no secret, not even half of one at the cut; no half of a character either."""
    redact = Redactor([Secret(TOKEN)]).redact
    own = gateway(redact=redact)
    for lead in (0, 480, 495):
        message = "x" * lead + f"\x1b[31m\r\n\u202e access {TOKEN} \ud800" + "y" * 1000
        body = json.dumps(refusal("gw.\x1bMystery", message)).encode()
        found = own.verdict(said(body, 400), ITEM)
        assert found.message.isprintable()
        assert len(found.message) <= 500
        assert TOKEN[:6] not in found.message
        assert found.code == "gw. Mystery"
        found.message.encode()


def test_an_id_of_another_is_redacted_before_it_is_cut() -> None:
    """A token where an ID should be: not even its first half is shown."""
    own = gateway(redact=Redactor([Secret(TOKEN)]).redact)
    found = own.verdict(said(json.dumps({"productInfo": {"productID": "x" * 35 + TOKEN}}).encode(), 200), ITEM)
    assert "another ID" in found.message and TOKEN[:4] not in found.message


def test_of_a_gigantic_message_only_so_much_is_searched() -> None:
    """A message of many megabytes must not hold up the run."""
    lengths: list[int] = []
    own = gateway(redact=lambda text: (lengths.append(len(text)), text)[1])
    body = json.dumps(refusal("gw.Mystery", "%" * 3_000_000)).encode()
    assert len(own.verdict(said(body, 400), ITEM).message) == 500
    assert max(lengths) <= 100_000


FLAGS = st.sampled_from([None, "", "gw.X", "0", 0, 1, True, False, "true", "false", {}, [], {"a": 1}, "商品不存在"])
NAMES = ["success", "error_code", "errorCode", "error_message", "errMsg", "errorMessage", "message", "code", "error"]
LEVEL = st.dictionaries(st.sampled_from([*NAMES, "exception", "error_response", "msg"]), FLAGS, max_size=3)


@pytest.mark.untraced
@pytest.mark.parametrize("api", [*FOUND, "com.x/any"])
@given(top=LEVEL, inner=LEVEL, right=st.booleans())
@settings(max_examples=150)
def test_the_quick_look_never_says_more_than_the_patient_one(api: str, top: Any, inner: Any, right: bool) -> None:
    """Clean at a glance is DONE by the full reading too."""
    body = {**FOUND.get(api, {"result": {}}), **top}
    if isinstance(body.get("result"), dict) and api != "order-buyer":
        body["result"] = {**body["result"], **inner}
    raw = json.dumps(body).encode()
    own = gateway(api)
    asked = ID if right else "7"
    answers: Answers = own._answers
    if answers._is_clean(raw, asked):
        patient = Answers(own.api, "param2")
        patient._is_clean = lambda body, asked: False
        item = ITEM if right else type(ITEM)("7", 1)
        assert patient.verdict(said(raw), item).kind is VerdictKind.DONE


CONTENT_TYPES = st.sampled_from(["", "application/json", "text/xml", "text/html;charset=gbk", "a/b;charset=x", "\x00"])
PIECES = st.sampled_from(
    [
        b"{",
        b"}",
        b"[",
        b"]",
        b'"',
        b":",
        b",",
        b"\\",
        b"<a>",
        b"</a>",
        b"<",
        b"&",
        b"\xef\xbb\xbf",
        b"productInfo",
        b"1",
        b'"success"',
        b'"error_code"',
        b'"error_response"',
        b"null",
        b"\xff",
        b"<?xml version='1.0' encoding='gbk'?>",
    ]
)


@pytest.mark.untraced
@given(
    st.one_of(st.binary(max_size=60), st.lists(PIECES, max_size=15).map(b"".join)),
    st.integers(-1, 1000),
    CONTENT_TYPES,
    st.sampled_from([*APIS, "com.x/any"]),
)
@settings(max_examples=400)
def test_nothing_that_comes_back_can_raise(body: bytes, status: int, content_type: str, api: str) -> None:
    """And what is DONE is JSON."""
    found = gateway(api).verdict(Reply(status, body, 0.0, 0.0, content_type), ITEM)
    if found.kind is VerdictKind.DONE:
        json.loads(found.payload)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*NAMES, "result", "productInfo"]), inner)
    ),
    max_leaves=8,
)


@pytest.mark.untraced
@given(JSON, st.sampled_from([200, 204, 302, 400, 401, 404, 429, 500]), st.sampled_from([*APIS, "com.x/any"]))
@settings(max_examples=300)
def test_no_json_value_can_raise(value: Any, status: int, api: str) -> None:
    """Whatever stands under the names that are looked at."""
    found = verdict(json.dumps(value).encode(), status, api)
    assert found.kind is not VerdictKind.DONE or 200 <= status < 300


@given(st.binary(min_size=1, max_size=2), st.integers(0, 90))
@settings(max_examples=200)
def test_a_damaged_product_is_kept_only_if_it_is_json_still(damage: bytes, where: int) -> None:
    """The standard library is the judge of grammar."""
    raw = json.dumps(FOUND["product"], ensure_ascii=False).encode()
    body = raw[:where] + damage + raw[where + len(damage) :]
    if verdict(body).kind is VerdictKind.DONE:
        json.loads(body.decode(), parse_constant=pytest.fail)
