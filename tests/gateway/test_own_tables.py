"""APIs of the user's own, from tables of `fetcher.toml`."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest

from fetcher.errors import UsageError
from fetcher.gateway import Credentials, Gateway, chosen_api, find_api, own_apis
from fetcher.gateway.api import PRODUCT_IDS, Family, IdList, Listing
from fetcher.model import Item, Verdict
from fetcher.secret import Secret
from fetcher.settings import Settings
from tests.gateway.speaking import BASE_URL, ID, said


def own(text: str) -> Any:
    """The presets of a file."""
    return own_apis(tomllib.loads(text)["apis"])


def speaking(api: Any) -> Gateway:
    """A gateway for it."""
    return Gateway(api, "param2", Credentials("1", Secret("x")), BASE_URL)


def test_an_api_described_from_nothing() -> None:
    """Called and answered as the table says."""
    api = own(
        """
        [apis.chosen]
        api = "com.alibaba.fenxiao/alibaba.fenxiao.productInfo.get/2"
        id_param = "offerId"
        params = { webSite = "1688", deep = true, level = 2 }
        answer = "data.productInfo"
        answer_id = ["productID", "offer.id"]
        absent_codes = ["P404"]
        method = "GET"
        needs_token = false
        """
    )["chosen"]
    assert (api.path, api.needs_token, api.method) == (
        "2/com.alibaba.fenxiao/alibaba.fenxiao.productInfo.get",
        False,
        "GET",
    )
    gateway = speaking(api)
    item = Item(ID, 1)
    call = gateway.call([item])
    assert dict(call.params) == {"offerId": ID, "webSite": "1688", "deep": "true", "level": "2"}
    assert gateway.request(call, 0).method == "GET"
    for thing, kind in (({"productID": int(ID)}, "done"), ({"offer": {"id": ID}}, "done"), ({"productID": 7}, "retry")):
        assert gateway.verdict(said({"data": {"productInfo": thing}}), item).kind == kind
    assert gateway.verdict(said({"data": {"success": False, "productInfo": {"productID": 7}}}), item).kind == "reject"
    assert gateway.verdict(said({"success": False, "errorCode": "p404"}), item).kind == "absent"
    assert gateway.verdict(said({"success": False, "errorCode": "P500"}), item).kind == "reject"


def test_an_api_like_a_preset() -> None:
    """Only what is said differs."""
    api = own('[apis.japanese]\nlike = "product-detail"\nparams = { country = "ja" }\n')["japanese"]
    call = speaking(api).call([Item(ID, 1)])
    assert dict(call.params) == {"offerDetailParam": f'{{"offerId":{ID},"country":"ja"}}'}
    assert api.form == find_api("product-detail").form
    tutorial = own('[apis.mine]\nlike = "product"\n')["mine"]
    assert tutorial.tutorial_id_parameter == "productId"


def test_an_api_that_takes_many() -> None:
    """Its list, its IDs, how many at a time."""
    api = own(
        """
        [apis.many]
        api = "com.alibaba.fenxiao/some.list"
        id_param = "ids"
        list = "result.rows"
        answer_id = "offerId"
        batch = 10
        most = 30
        id_list = "comma"
        wrap = "offer"
        """
    )["many"]
    assert api.listing == Listing(10, 30, (("result", "rows"),), (("offerId",),), "offer", IdList.COMMA)
    gateway = speaking(api)
    call = gateway.call([Item("1", 1), Item("2", 2)])
    assert dict(call.params) == {"ids": "1,2"}
    found = gateway.verdicts(said({"result": {"success": True, "rows": [{"offerId": 2, "p": 1.5}]}}), call)
    assert not isinstance(found, Verdict)
    assert [verdict.kind for verdict in found] == ["absent", "done"]
    assert json.loads(found[1].payload) == {"offer": {"offerId": 2, "p": 1.5}}
    smaller = own('[apis.few]\nlike = "product-batch"\nmost = 5\n')["few"]
    assert smaller.listing == Listing(5, 5, find_api("product-batch").listing.lists, PRODUCT_IDS, "productInfo")  # type: ignore[union-attr]


def test_a_part_of_the_answer_can_be_kept() -> None:
    """Dotted, through lists."""
    api = own('[apis.prices]\nlike = "product-cross"\nkeep = ["productInfo.productID", "productInfo.skuInfos.price"]\n')
    body = {"success": True, "productInfo": {"productID": int(ID), "skuInfos": [{"price": 1.5, "skuId": 1}], "x": 1}}
    found = speaking(api["prices"]).verdict(said(body), Item(ID, 1))
    assert json.loads(found.payload) == {"productInfo": {"productID": int(ID), "skuInfos": [{"price": 1.5}]}}


def test_one_of_the_other_family() -> None:
    """By its dotted name."""
    api = own('[apis.goods]\napi = "alibaba.wholesale.goods.get"\nid_param = "id"\n')["goods"]
    assert (api.family, api.path) == (Family.TOP, "alibaba.wholesale.goods.get")


def test_the_settings_choose_among_them() -> None:
    """An own one is stronger than a preset of that name, and found by its full name too."""
    tables = {
        "product": {"like": "product-agent", "price": 0.5},
        "mine": {"api": "a/b", "id_param": "x", "price": 0.25},
    }
    assert chosen_api(Settings(apis=tables, api="product")).api_name == "alibaba.agent.product.get"
    assert chosen_api(Settings(apis=tables, api="a/b")).name == "mine"
    assert chosen_api(Settings(apis=tables, api="stock")).name == "stock"
    assert Settings(apis=tables, api="mine").price == 0.25
    assert Settings(apis=tables, api="mine", price=2).price == 2
    assert Settings(apis=tables, api="mine", max_cost=10).calls_allowed == 40
    assert Settings(apis=tables, api="stock").price is None


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({}, "apis.mine.api is missing"),
        ({"api": "a/b"}, "apis.mine.id_param must be the name"),
        ({"api": "a/b", "id_param": "x y"}, "apis.mine.id_param must be the name"),
        ({"api": "nonsense", "id_param": "x"}, "apis.mine.api must be namespace/name/version"),
        ({"like": "prodct"}, "apis.mine.like must be a preset.*did you mean 'product'"),
        ({"like": "product", "parms": {}}, "apis.mine.parms is not a key; did you mean 'params'"),
        ({"like": "product", "method": "PUT"}, "apis.mine.method is wrong"),
        ({"like": "product", "needs_token": "yes"}, "apis.mine.needs_token is wrong: expected bool"),
        ({"like": "product", "price": -1}, "apis.mine.price is wrong"),
        ({"like": "product", "params": {"a": []}}, "apis.mine.params.* is wrong"),
        ({"like": "product", "batch": 5}, "apis.mine.batch is for an API that takes many"),
        ({"like": "product-batch", "batch": 0}, "apis.mine.batch is wrong"),
        ({"like": "product-batch", "batch": 20, "most": 10}, "apis.mine.batch must not be over"),
        ({"api": "a/b", "id_param": "x", "list": "rows"}, "apis.mine.answer_id is missing"),
        ({"api": "a/b", "id_param": "x", "list": "", "answer_id": "id"}, "apis.mine.list must say where"),
        ({"api": "a/b", "id_param": "x", "list": "a..b", "answer_id": "id"}, "apis.mine.list must say where"),
        ({"api": "a/b", "id_param": "x", "answer_id": "id"}, "apis.mine.answer_id needs `answer`"),
    ],
)
def test_a_wrong_table_says_which_key(table: dict[str, Any], words: str) -> None:
    """And where to look it up."""
    with pytest.raises(UsageError, match=words) as refused:
        own_apis({"mine": table})
    assert "docs/apis.md" in refused.value.advice


@pytest.mark.parametrize("name", ["", "a/b", "a.b.c", "a:b"])
def test_a_name_must_be_ones_own(name: str) -> None:
    """It could not be told from a full name otherwise."""
    with pytest.raises(UsageError, match="a name of your own"):
        own_apis({name: {"like": "product"}})
