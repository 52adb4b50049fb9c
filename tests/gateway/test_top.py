"""The TOP family: what is sent, how it is signed, what its answers mean."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher.errors import UsageError
from fetcher.gateway import APIS, Credentials, Family, Gateway, find_api, top_signature
from fetcher.gateway.top_signing import SIGN_METHODS, china_time
from fetcher.model import Item, Request, Verdict
from fetcher.secret import Secret
from tests.gateway.speaking import BASE_URL, ID, ITEM, SECRET, TOKEN, gateway, said, verdict

NOW_MS = 1_700_000_000_123
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


def sent(request: Request) -> dict[str, str]:
    """Parameters as a server decodes them."""
    return dict(parse_qsl(request.body.decode() or request.target.partition("?")[2], keep_blank_values=True))


@pytest.mark.parametrize(
    ("sign_method", "signature"),
    [
        ("md5", "EF16F26C937CF52AE6F85DF2FD08B24A"),
        ("hmac", "41EC77C97D8E808985B688BBB518A251"),
        ("hmac-sha256", "3A9F9E53162A24430830CCA87B7FB623401B81EB6616A6EA75B3614AEBDC7F4D"),
    ],
)
def test_the_published_signatures_hold(sign_method: str, signature: str) -> None:
    """Whatever the order; the signature itself takes no part."""
    assert top_signature("secret", {"a": "1", "b": "2"}, sign_method) == signature
    assert top_signature("secret", {"b": "2", "sign": "x", "a": "1"}, sign_method) == signature


@given(st.dictionaries(TEXT, TEXT, max_size=5), TEXT.filter(bool))
def test_each_way_to_sign_is_what_its_name_says(params: dict[str, str], secret: str) -> None:
    """Beside the standard library, over any text."""
    text = "".join(key + params[key] for key in sorted(params) if key != "sign").encode()
    key = secret.encode()
    right = {
        "md5": hashlib.md5(key + text + key).hexdigest(),
        "hmac": hmac.new(key, text, "md5").hexdigest(),
        "hmac-sha256": hmac.new(key, text, "sha256").hexdigest(),
    }
    for sign_method in SIGN_METHODS:
        assert top_signature(secret, params, sign_method) == right[sign_method].upper()


@pytest.mark.parametrize("sign_method", [None, *SIGN_METHODS])
def test_a_call_is_a_posted_form_to_one_address(sign_method: str | None) -> None:
    """With the family's system parameters, the session among them; signed over all."""
    own = gateway("taobao-item", sign_method=sign_method)
    request = own.request(own.call([ITEM]), NOW_MS)
    assert (own.origin, request.method, request.target) == ("https://eco.taobao.com", "POST", "/router/rest")
    params = sent(request)
    assert params.pop("fields").startswith("num_iid,")
    signature = params.pop("sign")
    assert params == {
        "app_key": "1000000",
        "method": "taobao.item.seller.get",
        "sign_method": sign_method or "md5",
        "timestamp": "2023-11-15 06:13:20",
        "num_iid": ID,
        "session": TOKEN,
        "format": "json",
        "v": "2.0",
    }
    params = sent(request)
    assert signature == top_signature(SECRET, params, sign_method or "md5")


def test_many_ids_stand_with_commas() -> None:
    """At most twenty."""
    own = gateway("taobao-items")
    assert own.batch == 20
    assert dict(own.call([Item("1", 1), Item("22", 2)]).params)["num_iids"] == "1,22"


@pytest.mark.parametrize(
    ("base_url", "origin", "path"),
    [
        (BASE_URL, "https://eco.taobao.com", "/router/rest"),
        ("https://gw.api.taobao.com/router/rest", "https://gw.api.taobao.com", "/router/rest"),
        ("https://gw.api.taobao.com/", "https://gw.api.taobao.com", "/router/rest"),
        ("http://127.0.0.1:8688/openapi", "http://127.0.0.1:8688", "/router/rest"),
        ("https://proxy.example/top", "https://proxy.example", "/top/router/rest"),
    ],
)
def test_the_address_may_be_given_whole(base_url: str, origin: str, path: str) -> None:
    """1688's own stands for that family's."""
    own = Gateway(find_api("taobao-item"), "top", Credentials("1", Secret("x")), base_url)
    assert (own.origin, own.request(own.call([ITEM]), NOW_MS).target) == (origin, path)


def test_the_time_is_chinas() -> None:
    """To the second, whatever this machine's zone."""
    assert china_time(0) == "1970-01-01 08:00:00"
    assert china_time(NOW_MS) == china_time(NOW_MS + 800) == "2023-11-15 06:13:20"


def test_the_gateways_time_is_asked_for_in_the_familys_way() -> None:
    """Without a session."""
    params = sent(gateway("taobao-item").current_time(NOW_MS))
    assert (params["method"], params["timestamp"]) == ("taobao.time.get", "2023-11-15 06:13:20")
    assert "session" not in params
    assert params["sign"] == top_signature(SECRET, params)


def test_xml_can_be_asked_for() -> None:
    """In each protocol's own way; whatever comes is understood."""
    assert sent_format("taobao-item", "top", "xml")["format"] == "xml"
    assert sent_format("product", "guide", "xml")["format"] == "xml"
    assert sent_format("product", "guide", "json")["format"] == "json"
    assert sent_format("product", "param2", "xml")["_aop_responseFormat"] == "xml2"
    assert "_aop_responseFormat" not in sent_format("product", "param2", "json")


def sent_format(api: str, protocol: str, answer_format: str) -> dict[str, str]:
    """The parameters of a call."""
    own = gateway(api, protocol, answer_format=answer_format)
    return sent(own.request(own.call([ITEM]), NOW_MS))


@pytest.mark.parametrize(
    ("api", "protocol", "options", "words"),
    [
        ("product", "top", {}, "does not speak --protocol top"),
        ("taobao-item", "param2", {}, "is an API of the TOP family"),
        ("taobao-item", "guide", {}, "is an API of the TOP family"),
        ("product", "param2", {"sign_method": "md5"}, "sign_method belongs to the TOP family"),
        ("taobao-item", "top", {"sign_method": "hmac-md5"}, "no sign_method 'hmac-md5'; did you mean"),
        ("taobao-item", "top", {"params": [("session", "x")]}, "'session' is set by the program"),
        ("taobao-item", "top", {"params": [("sign_method", "x")]}, "'sign_method' is set by the program"),
    ],
)
def test_what_does_not_go_together_is_refused(api: str, protocol: str, options: dict[str, Any], words: str) -> None:
    """Before anything is sent."""
    with pytest.raises(UsageError, match=words):
        Gateway(find_api(api), protocol, Credentials("1", Secret("x")), BASE_URL, **options)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"item_seller_get_response": {"item": {"num_iid": int(ID), "title": "x"}, "request_id": "r"}}, "done"),
        ({"item_seller_get_response": {"item": {"num_iid": 7}}}, "retry"),
        ({"item_seller_get_response": {"request_id": "r"}}, "retry"),
        (b"<item_seller_get_response><item><num_iid>610947572360</num_iid></item></item_seller_get_response>", "done"),
        ({"error_response": {"code": 15, "sub_code": "isv.item-not-exist:invalid-numIid-or-iid"}}, "absent"),
        ({"error_response": {"code": 15, "sub_code": "isv.item-is-delete:invalid-numIid-or-iid-tmall"}}, "absent"),
    ],
)
def test_an_item_is_checked_for_its_id(body: Any, kind: str) -> None:
    """In JSON as in XML, which keeps its root as JSON has it."""
    found = verdict(body, api="taobao-item")
    assert found.kind == kind
    if kind == "done":
        assert list(json.loads(found.payload)) == ["item_seller_get_response"]


ITEMS_XML = "<items_seller_list_get_response><items{}><item><num_iid>2</num_iid><price>1.50</price></item></items>{}"
ITEMS_END = "</items_seller_list_get_response>"


@pytest.mark.parametrize(
    "body",
    [
        {"items_seller_list_get_response": {"items": {"item": [{"num_iid": 2, "price": "1.50"}]}}},
        ITEMS_XML.format("", ITEMS_END).encode(),
        ITEMS_XML.format(' list="true"', ITEMS_END).encode(),
    ],
)
def test_a_list_of_items_is_split(body: Any) -> None:
    """Those of others, and those that do not exist, are simply not in it."""
    own = gateway("taobao-items")
    found = own.verdicts(said(body), own.call([Item("1", 1), Item("2", 2)]))
    assert not isinstance(found, Verdict)
    assert [each.kind for each in found] == ["absent", "done"]
    assert json.loads(found[1].payload)["price"] == "1.50"


@pytest.mark.parametrize("inside", [{"request_id": "r"}, {"items": {}}, {"items": {"item": []}}, {}])
def test_a_list_of_none_is_none(inside: Any) -> None:
    """The family leaves empty lists out."""
    own = gateway("taobao-items")
    found = own.verdicts(said({"items_seller_list_get_response": inside}), own.call([Item("1", 1)]))
    if inside:
        assert not isinstance(found, Verdict)
        assert [each.kind for each in found] == ["absent"]


def test_an_error_in_the_root_of_an_unknown_api_is_seen() -> None:
    """As in any other envelope."""
    body = {"wholesale_goods_get_response": {"success": False, "error_message": "系统繁忙", "code": "X"}}
    assert verdict(body, api="alibaba.wholesale.goods.get").kind != "done"
    body = {"x_response": {"goods": None, "errMsg": "商品不存在", "request_id": "r"}}
    assert verdict(body, api="alibaba.wholesale.goods.get").kind == "absent"
    assert verdict({"wholesale_goods_get_response": {"goods": 1}}, api="alibaba.wholesale.goods.get").kind == "done"


@pytest.mark.parametrize("name", [name for name, api in APIS.items() if api.family is Family.TOP])
def test_its_presets_read(name: str) -> None:
    """And nothing else."""
    assert APIS[name].api_name.endswith(".get")
