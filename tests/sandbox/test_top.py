"""The sister family's address: signatures by its documents, its order of checks, its envelope."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any
from xml.etree import ElementTree

import pytest

from fetcher.sandbox.top import sign
from tests.sandbox.calls import ID, KEY, PRODUCT, SECRET, SITE, Caller, sandbox

TIME = "2026-11-18 19:06:40"
"""What the still clock says, in China."""
ITEM = {"method": "taobao.item.seller.get", "num_iid": ID, "fields": "num_iid,title"}


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("md5", "EF16F26C937CF52AE6F85DF2FD08B24A"),
        ("hmac", "41EC77C97D8E808985B688BBB518A251"),
        ("hmac-sha256", "3A9F9E53162A24430830CCA87B7FB623401B81EB6616A6EA75B3614AEBDC7F4D"),
    ],
)
def test_the_documents_vectors(method: str, expected: str) -> None:
    """a=1, b=2, under `secret`; `sign` itself takes no part."""
    assert sign("secret", {"b": "2", "a": "1", "sign": "x"}, method) == expected


def signed(params: dict[str, str], method: str = "md5", secret: str = SECRET) -> dict[str, str]:
    """A call, signed by hand."""
    whole = {"app_key": KEY, "timestamp": TIME, "format": "json", "v": "2.0", "sign_method": method, **params}
    text = "".join(key + whole[key] for key in sorted(whole))
    if method == "md5":
        digest = hashlib.md5(f"{secret}{text}{secret}".encode()).hexdigest()
    else:
        kind = {"hmac": "md5", "hmac-sha256": "sha256"}[method]
        digest = hmac.new(secret.encode(), text.encode(), kind).hexdigest()
    return {**whole, "sign": digest.upper()}


async def ask(caller: Caller, params: dict[str, str]) -> Any:
    """A call by POST."""
    return await caller.client.post("/router/rest", data=params)


def error(response: Any) -> tuple[int, str]:
    """Code and sub-code; the status is 200 whatever happens."""
    assert response.status_code == 200
    said = response.json()["error_response"]
    return said["code"], said.get("sub_code", "")


@pytest.mark.parametrize("method", ["md5", "hmac", "hmac-sha256"])
async def test_an_item(method: str) -> None:
    """In the method's own envelope, by GET and by POST."""
    async with sandbox() as caller:
        params = signed(ITEM, method)
        posted, got = await ask(caller, params), await caller.client.get("/router/rest", params=params)
    for response in (posted, got):
        item = response.json()["item_seller_get_response"]["item"]
        assert item["num_iid"] == int(ID) and item["skus"]["sku"]
    assert caller.app.stats()["keys"][KEY]["charged"] == 2


async def test_a_1688_api_and_the_time() -> None:
    """The answer is wrapped; `taobao.time.get` needs no session."""
    async with sandbox(require_token=True) as caller:
        product = {"method": PRODUCT.partition("/")[2], "productID": ID, **SITE}
        good = await ask(caller, signed({**product, "session": "sandbox-access-token"}))
        time = await ask(caller, signed({"method": "taobao.time.get"}))
    assert good.json()["alibaba_product_get_response"]["productInfo"]["productID"] == int(ID)
    assert time.json()["time_get_response"]["time"] == TIME


async def test_its_codes_in_its_order() -> None:
    """Method, key, time, version, format, signature, session, limit, permission, arguments, service."""
    asked: list[tuple[dict[str, str], tuple[int, str]]] = [
        ({}, (21, "")),
        ({"method": "no.such"}, (22, "")),
        ({**ITEM, "app_key": ""}, (28, "")),
        ({**ITEM, "app_key": "9"}, (29, "")),
        ({**ITEM, "timestamp": ""}, (30, "")),
        ({**ITEM, "timestamp": "2026-11-18 19:16:41"}, (31, "")),
        ({**ITEM, "timestamp": "yesterday"}, (31, "")),
        ({**ITEM, "v": ""}, (32, "")),
        ({**ITEM, "v": "1.0"}, (33, "")),
        (ITEM, (26, "")),
        ({**ITEM, "session": "other"}, (27, "")),
    ]
    async with sandbox(require_token=True, absent=1.0) as caller:
        for params, expected in asked:
            assert error(await ask(caller, signed(params))) == expected, params
        unsigned = signed(ITEM)
        assert error(await ask(caller, {**unsigned, "sign": ""})) == (24, "")
        assert error(await ask(caller, {**unsigned, "sign": "0"})) == (25, "")
        session = {"session": "sandbox-access-token"}
        assert error(await ask(caller, signed({**ITEM, **session, "num_iid": ""}))) == (40, "isv.missing-parameter")
        assert error(await ask(caller, signed({**ITEM, **session, "num_iid": "x"}))) == (41, "isv.invalid-parameter")
        absent = await ask(caller, signed({**ITEM, **session}))
        assert error(absent) == (15, "isv.item-not-exist:invalid-numIid")


async def test_its_limit_says_how_long() -> None:
    """One of a second a second, a day's until midnight in China."""
    async with sandbox(qps=1) as caller:
        assert "item_seller_get_response" in (await ask(caller, signed(ITEM))).json()
        second = await ask(caller, signed(ITEM))
    async with sandbox(caps=("1/day",)) as caller:
        await ask(caller, signed(ITEM))
        day = await ask(caller, signed(ITEM))
    assert error(second) == error(day) == (7, "accesscontrol.limited-by-app-access-count")
    assert second.json()["error_response"]["sub_msg"] == "This ban will last for 1 more seconds"
    assert day.json()["error_response"]["sub_msg"] == "This ban will last for 17600 more seconds"


async def test_its_permission_and_rules() -> None:
    """A missing permission is code 11; rows of the table come in this family's words."""
    async with sandbox(denied_apis=("taobao.item.seller.get",)) as caller:
        assert error(await ask(caller, signed(ITEM))) == (11, "isv.permission-api-package-limit")
    async with sandbox(rules=("isp-timeout@*x1",)) as caller:
        assert error(await ask(caller, signed(ITEM))) == (15, "isp.remote-service-timeout")
        assert (await ask(caller, signed(ITEM))).json()["item_seller_get_response"]


async def test_xml_is_its_default() -> None:
    """Root is the envelope, a list is its element repeated."""
    async with sandbox() as caller:
        good = await ask(caller, signed({**ITEM, "format": "xml"}))
        bad = await ask(caller, signed({**ITEM, "format": "xml", "num_iid": ""}))
    root = ElementTree.fromstring(good.content)
    assert root.tag == "item_seller_get_response" and root.findtext("item/num_iid") == ID
    assert len(root.findall("item/skus/sku")) == len(root.findall("item/skus/sku/sku_id")) > 0
    assert ElementTree.fromstring(bad.content).findtext("code") == "40"


async def test_items_and_a_trade() -> None:
    """Many items by commas, of which those that are not there are missing; a trade with its ID as a text too."""
    async with sandbox(absent=0.3) as caller:
        ids = [int(ID) + k for k in range(20)]
        items = {"method": "taobao.items.seller.list.get", "num_iids": ",".join(map(str, ids)), "fields": "num_iid"}
        said = (await ask(caller, signed(items))).json()["items_seller_list_get_response"]["items"]["item"]
        found = [item["num_iid"] for item in said]
        assert 5 < len(found) < 20 and set(found) < set(ids)
        missing = next(one for one in ids if one not in found)
        assert error(await ask(caller, signed({**items, "num_iids": f"{ID},x"}))) == (41, "isv.invalid-parameter")
        assert error(await ask(caller, signed({**items, "num_iids": ",".join([ID] * 21)})))[0] == 41
        trade = {"method": "taobao.trade.fullinfo.get", "tid": str(found[0]), "fields": "tid"}
        said = (await ask(caller, signed(trade))).json()["trade_fullinfo_get_response"]["trade"]
        assert said["tid"] == found[0] and said["tid_str"] == str(found[0]) and said["orders"]["order"]
        assert error(await ask(caller, signed({**trade, "tid": str(missing)}))) == (15, "isv.trade-not-exist")
