"""Made-up products: the same every time, and of the sizes and shapes that were promised."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher.sandbox.catalog import Catalog, example_ids

IDS = [int(text) for text in example_ids(400)]


def test_the_same_seed_and_id_make_the_same_product() -> None:
    """In whatever order they are asked for."""
    one, other = Catalog(7), Catalog(7)
    forth = [one.product(each) for each in IDS[:20]]
    back = [other.product(each) for each in reversed(IDS[:20])]
    assert forth == back[::-1]


def test_seeds_and_ids_differ() -> None:
    """Another seed is another world; no two products are alike."""
    assert Catalog(1).product(IDS[0]) != Catalog(2).product(IDS[0])
    assert len({Catalog(1).product(each) for each in IDS[:50]}) == 50


def test_a_product_is_as_it_was() -> None:
    """The catalogue does not change between versions by accident: its looks are part of what tests rely on."""
    product = json.loads(Catalog().product(610947572360))
    sku = product["skuInfos"][0]
    assert (product["productID"], len(product["skuInfos"]), sku["skuId"]) == (610947572360, 4, 4004739031730)


@pytest.mark.parametrize("kind", ["product", "detail", "order"])
def test_every_answer_is_json_without_gaps(kind: str) -> None:
    """All gaps of a mould are filled, and what stands in them are numbers where numbers are due."""
    catalog = Catalog()
    for each in IDS:
        text = getattr(catalog, kind)(each)
        json.loads(text)
        assert b"%(" not in text and not re.search("[\ue000-\ue002]", text.decode())


@given(st.integers(0, 2**63 - 1), st.integers(0, 2**31))
def test_any_id_and_seed_will_do(id_number: int, seed: int) -> None:
    """Big integers come back whole."""
    product = json.loads(Catalog(seed).product(id_number))
    assert product["productID"] == id_number
    assert product["shippingInfo"]["sendGoodsAddressId"] > 2**53
    assert all(re.fullmatch("[0-9a-f]{32}", sku["specId"]) for sku in product["skuInfos"])


def test_sizes_are_those_of_real_answers() -> None:
    """Three to ten kilobytes, and a tail up to thirty."""
    catalog = Catalog()
    sizes = sorted(len(catalog.product(each)) for each in IDS)
    assert sizes[0] >= 3_000 and sizes[len(sizes) * 9 // 10] <= 10_000
    assert 20_000 <= sizes[-1] <= 32_000


def test_products_look_like_products() -> None:
    """Chinese text, relative images, dates and decimals as the documents show them, HTML with its percent sign."""
    text = Catalog().product(IDS[0]).decode()
    product: dict[str, Any] = json.loads(text)
    assert re.search("[\u4e00-\u9fff]{4}", product["subject"]) and len(product["subject"]) <= 128
    assert all(each.startswith("img/ibank/") for each in product["image"]["images"])
    assert re.fullmatch(r"\d{17}\+0800", product["createTime"])
    assert 'width:100%"' in product["description"]
    assert re.search(r'"price":\d+\.\d\d,', text), "prices keep their cents, even zero ones"
    assert product["skuInfos"][0]["skuId"] >= 10**12


def test_the_absent_share_is_kept() -> None:
    """By seed: about the share that was asked for, none, or all."""
    few = Catalog(3, 0.02)
    assert 0.01 < sum(not few.has(each) for each in range(10_000)) / 10_000 < 0.03
    assert all(Catalog(3, 0.0).has(each) for each in IDS)
    assert not any(Catalog(3, 1.0).has(each) for each in IDS)


def test_examples() -> None:
    """Different 12-digit numbers, the first ones always the same, a few of them absent."""
    ids = example_ids()
    assert len(set(ids)) == len(ids) == 200
    assert all(re.fullmatch("[1-9][0-9]{11}", each) for each in ids)
    assert example_ids(500)[:200] == ids and len(set(example_ids(5000))) == 5000
    absent = [k for k, each in enumerate(ids) if not Catalog().has(int(each))]
    assert absent == [20, 51, 105, 147]
