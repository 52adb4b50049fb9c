"""Calls about many IDs: what is asked, and whose part of the answer is whose."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fetcher.errors import UsageError
from fetcher.gateway import APIS
from fetcher.model import Item, Kind, Reply, Verdict, VerdictKind
from tests.gateway.speaking import gateway, refusal, said

THREE = ("610947572360", "610947572361", "58218860983545941")


def items(*ids: str) -> list[Item]:
    """Items of these IDs."""
    return [Item(id_, line) for line, id_ in enumerate(ids, 1)]


def judged(body: Any, *ids: str, api: str = "product-batch", status: int = 200) -> Verdict | list[Verdict]:
    """What an answer means for a call about `ids`."""
    own = gateway(api)
    return own.verdicts(said(body, status), own.call(items(*ids)))


def each(body: Any, *ids: str, api: str = "product-batch") -> list[Verdict]:
    """The same, where there is a verdict for each."""
    found = judged(body, *ids, api=api)
    assert isinstance(found, list) and len(found) == len(ids)
    return found


def kinds(verdicts: Sequence[Verdict]) -> list[str]:
    """Only what they say."""
    return [str(verdict.kind) for verdict in verdicts]


def test_all_ids_go_into_one_parameter() -> None:
    """As JSON numbers, however long; the call knows its items."""
    asked = items(*THREE)
    call = gateway("product-batch").call(asked)
    assert call.items == tuple(asked)
    assert dict(call.params) == {"productIdList": "[610947572360,610947572361,58218860983545941]"}


def test_each_id_gets_its_own_part_to_the_byte() -> None:
    """In the order of the call, whatever that of the answer; nothing is rounded or written anew."""
    body = (
        b'{"success":true,"productList":[ {"productID":58218860983545941, "price":1.10,"big":1234567890123456789012},\n'
        b'{"productID":610947572360,"subject":"\xe8\xbf\x9e\\u8863"} ]}'
    )
    first, second, third = each(body, *THREE)
    assert first.payload == b'{"productInfo":{"productID":610947572360,"subject":"\xe8\xbf\x9e\\u8863"}}'
    assert third.payload == (
        b'{"productInfo":{"productID":58218860983545941, "price":1.10,"big":1234567890123456789012}}'
    )
    assert (second.kind, second.error, second.payload) == ("absent", Kind.NOT_FOUND, b"")


def test_an_api_whose_elements_are_whole_answers_keeps_them_as_they_are() -> None:
    """Another family of the gateway: its list is one level deeper, its IDs too."""
    body = {
        "success": True,
        "result": {"success": True, "result": [{"instanceCode": "x", "productInfo": {"productID": 7}}]},
    }
    (found,) = each(body, "7", api="product-selected")
    assert json.loads(found.payload) == {"instanceCode": "x", "productInfo": {"productID": 7}}


@pytest.mark.parametrize(
    "body",
    [
        {"productList": [], "success": True},
        {"productList": [], "success": True, "message": "Business result information"},
        {"productList": None, "success": "true"},
        {"productList": []},
        {"productList": [None, None]},
        {"result": {"productList": []}, "success": True},
        {"result": []},
        b"<r><success>true</success><productList/></r>",
    ],
)
def test_an_empty_list_is_no_product(body: Any) -> None:
    """For one ID as for many, in a batch or alone."""
    assert kinds(each(body, *THREE)) == ["absent"] * 3
    assert kinds(each(body, "1")) == ["absent"]
    alone = gateway("product-batch").verdict(said(body), Item("1", 1))
    assert (alone.kind, alone.payload) == ("absent", b"")


@pytest.mark.parametrize(
    ("ids", "elements", "expected"),
    [
        ("1 2", [{"productID": 1}, {"productID": 2}], "done done"),
        ("1 2", [{"productId": "2"}, {"offerId": "1"}], "done done"),
        ("1 2", [{"productID": 1}, {"productID": 9}], "done absent"),
        ("1 2", [{"productID": 1}, None], "done absent"),
        ("1 2", [{"productID": 1}, {"subject": "no ID"}], "done retry"),
        ("1 2", [{"productID": 1}, 2], "done retry"),
        ("1 2", [{"productID": 1}, {"productID": 1, "x": 1}], "done absent"),
        ("1 2", [{"productID": 1, "success": False, "message": "不存在"}, {"productID": 2}], "absent done"),
        ("1 2", [{"productID": 1, "success": False, "message": "no"}, {"productID": 1}], "done absent"),
        ("1 2", [{"productID": 1, "errMsg": "没有权限"}], "done absent"),
        ("1 2", [{"productID": 1, "errorCode": "gw.QosAppFrequencyLimit"}, {"productID": 2}], "throttle done"),
        ("042 7", [{"productID": 42}, {"productID": "7.0"}], "done done"),
    ],
)
def test_parts_are_matched_by_the_id_in_them(ids: str, elements: list[Any], expected: str) -> None:
    """What is surplus or stands twice is left alone; nothing without an ID is given to anybody."""
    assert " ".join(kinds(each({"productList": elements}, *ids.split()))) == expected


@pytest.mark.parametrize("elements", [[{"productID": 9}], [{"productID": 9}, {"productID": 8}], [{"x": 1}], [1]])
def test_an_answer_about_others_belongs_to_nobody(elements: list[Any]) -> None:
    """It is asked for again as a whole."""
    found = judged({"productList": elements, "success": True}, "1", "2")
    assert isinstance(found, Verdict)
    assert (found.kind, found.error) == ("retry", Kind.MALFORMED)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, refusal("gw.QosAppFrequencyLimit"), "throttle"),
        (200, refusal("gw.QosAppFrequencyLimit"), "throttle"),
        (401, refusal("401", "Request need user authorized"), "refresh"),
        (400, refusal("gw.SignatureInvalid"), "fatal"),
        (400, refusal("gw.NoUsageLeftError"), "quota"),
        (400, refusal("gw.ParamMissing"), "reject"),
        (200, {"success": False, "message": "offerId:1004582496795 不是精选货源商品"}, "reject"),
        (200, {"result": {"success": False, "message": "no"}, "success": True}, "reject"),
        (200, {"success": False, "message": "商品[1]不存在"}, "reject"),
        (200, {"success": True}, "retry"),
        (200, {}, "retry"),
        (200, [], "retry"),
        (200, {"productList": "text"}, "retry"),
        (200, b"", "retry"),
        (200, b'{"productList":[{"productID":1}', "retry"),
        (200, b'{"productList":[{"productID":1,"x":"\xff"}]}', "retry"),
        (500, {"productList": [{"productID": 1}]}, "retry"),
        (429, b"", "throttle"),
        (502, b"<html>", "retry"),
    ],
)
def test_what_is_about_the_whole_call_is_one_verdict(status: int, body: Any, kind: str) -> None:
    """One that does not exist must not make all of them absent: the call is refused, to be tried in parts."""
    found = judged(body, "1", "2", status=status)
    assert isinstance(found, Verdict)
    assert found.kind == kind


@pytest.mark.parametrize(
    ("message", "names"),
    [
        ("offerId:2 不是精选货源商品", ("2",)),
        ("商品[3]不存在, 2 too", ("2", "3")),
        ("1, 2 and 3", ()),
        ("offerId:23", ()),
        ("参数错误", ()),
    ],
)
def test_a_refusal_may_name_whose_fault_it_is(message: str, names: tuple[str, ...]) -> None:
    """Some of the call's IDs, as whole numbers; all of them say nothing."""
    found = judged({"success": False, "message": message}, "1", "2", "3")
    assert isinstance(found, Verdict)
    assert (found.kind, found.names) == ("reject", names)


def test_alone_the_id_that_does_not_exist_is_absent() -> None:
    """A refusal of a call of one is about that one."""
    found = judged({"success": False, "message": "商品[1]不存在"}, "1")
    assert isinstance(found, Verdict)
    assert found.kind == "absent"


def test_an_api_for_one_id_answers_about_one() -> None:
    """Through the same door."""
    own = gateway("product")
    call = own.call(items("7"))
    found = own.verdicts(said({"productInfo": {"productID": 7}}), call)
    assert isinstance(found, Verdict)
    assert found.kind == "done"


@pytest.mark.parametrize("lead", ["", '"success":"yes",', '"x":"\\ud83d",'])
def test_a_title_cut_in_an_emoji_does_not_cost_its_neighbours(lead: str) -> None:
    """Half a surrogate pair is no text, but it is in answers; each part is kept as it came."""
    body = f"{{{lead}" + ' "productList" : [ {"productID":1,"s":"\\ud83d","p":1.50} ,{"productID":2}, null ] }'
    first, second, third = each(body.encode(), "1", "2", "3")
    assert first.payload == b'{"productInfo":{"productID":1,"s":"\\ud83d","p":1.50}}'
    assert (second.kind, third.kind) == ("done", "absent")


def test_xml_lists_are_split_too() -> None:
    """Children named `item` are the list."""
    body = b"<r><productList><item><productID>7</productID><p>1.50</p></item></productList></r>"
    first, second = each(body, "7", "8")
    assert (first.payload, second.kind) == (b'{"productInfo":{"productID":"7","p":"1.50"}}', "absent")


@pytest.mark.parametrize(
    ("api", "chosen", "ids"),
    [
        ("product", 0, 1),
        ("product", 1, 1),
        ("product-batch", 0, 20),
        ("product-batch", 1, 1),
        ("product-batch", 50, 50),
    ],
)
def test_how_many_ids_a_call_takes(api: str, chosen: int, ids: int) -> None:
    """The API's usual number, unless the user chose another."""
    assert gateway(api, batch=chosen).batch == ids


@pytest.mark.parametrize(
    ("api", "chosen", "words"),
    [
        ("product", 2, "takes one ID a call, not 2.*fetcher apis"),
        ("product-batch", 51, "at most 50"),
        ("a/b", 5, "one ID"),
    ],
)
def test_more_than_an_api_takes_is_refused(api: str, chosen: int, words: str) -> None:
    """With what to do."""
    with pytest.raises(UsageError) as refused:
        gateway(api, batch=chosen)
    assert re.search(words, f"{refused.value} {refused.value.advice}")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.untraced
@given(st.data())
@settings(max_examples=150)
def test_nobody_gets_what_is_anothers(data: st.DataObject) -> None:
    """Any subset, in any order, with strangers, in any spacing: each its own value for value, all others absent."""
    asked = data.draw(st.lists(st.integers(1, 2**63 - 1).map(str), unique=True, min_size=1, max_size=8))
    there = data.draw(st.lists(st.sampled_from(asked), unique=True, min_size=1))
    strangers = data.draw(st.lists(st.integers(2**63, 2**64 - 1).map(str), max_size=3))
    told = {id_: data.draw(VALUES) for id_ in (*there, *strangers)}
    elements = [{"productID": int(id_), "it": value} for id_, value in told.items()]
    body = json.dumps({"success": True, "productList": elements}, indent=data.draw(st.sampled_from([None, 1])))
    for id_, verdict in zip(asked, each(body.encode(), *asked), strict=True):
        if id_ in there:
            assert json.loads(verdict.payload) == {"productInfo": {"productID": int(id_), "it": told[id_]}}
        else:
            assert verdict.kind == "absent"


LISTS = [name for name, api in APIS.items() if api.listing]
KEYS = st.sampled_from(["productList", "result", "success", "errMsg", "error_code", "productID", "productInfo"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=10,
)


@pytest.mark.untraced
@given(JSON | st.binary(max_size=40), st.sampled_from([200, 400, 500]), st.sampled_from(LISTS))
@settings(max_examples=300)
def test_no_answer_can_raise_or_lose_an_id(value: Any, status: int, api: str) -> None:
    """One verdict for all or one for each; a product never without its ID in it."""
    own = gateway(api)
    call = own.call(items("1", "2", "3"))
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    found = own.verdicts(Reply(status, body, 0.0, 0.1, "application/json"), call)
    if isinstance(found, Verdict):
        assert found.kind not in (VerdictKind.DONE, VerdictKind.ABSENT)
    else:
        assert len(found) == 3
        for item, verdict in zip(call.items, found, strict=True):
            assert verdict.kind is not VerdictKind.DONE or item.id.encode() in verdict.payload
