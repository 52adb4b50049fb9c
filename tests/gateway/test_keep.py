"""Presets that keep a part of the answer."""

from __future__ import annotations

import json

import pytest

from fetcher.gateway import find_api
from fetcher.gateway.keep import keeper
from fetcher.model import Item
from tests.gateway.speaking import ID, gateway, said

WHOLE = (
    b'{"productInfo":{"subject":"x","productID":610947572360,"status":"published","description":"long",'
    b'"skuInfos":[{"skuId":4000000000001,"price":1.10,"amountOnSale":7,"attributes":[{"attributeID":1,"attributeValue":"red"}]},'
    b'{"skuId":4000000000002,"amountOnSale":0.50}],"saleInfo":{"amountOnSale":12345678901234567890,"unit":"\xe4\xbb\xb6","x":1}},'
    b'"bizGroupInfos":[{"code":"a"}],"errMsg":null}'
)


def test_stock_is_the_amounts_of_a_product() -> None:
    """In the product's own form and to the byte, so that the same paths read both."""
    found = gateway("stock").verdict(said(WHOLE), Item(ID, 1))
    assert found.kind == "done"
    assert found.payload == (
        b'{"productInfo":{"productID":610947572360,"status":"published",'
        b'"saleInfo":{"amountOnSale":12345678901234567890,"unit":"\xe4\xbb\xb6"},'
        b'"skuInfos":[{"skuId":4000000000001,"amountOnSale":7,"attributes":[{"attributeValue":"red"}]},'
        b'{"skuId":4000000000002,"amountOnSale":0.50}]}}'
    )


def test_stock_and_product_do_not_share_a_file() -> None:
    """Their lines differ, though they make the same call."""
    stock, product = find_api("stock"), find_api("product")
    assert stock.path == product.path
    assert stock.identity != product.identity


@pytest.mark.parametrize(
    ("paths", "answer", "kept"),
    [
        ("a.b c", '{"c": 1.50, "x": 2, "a": [{"b": 1, "y": 3}, null]}', '{"a":[{"b":1},null],"c":1.50}'),
        ("a.b", '{"a": null}', '{"a":null}'),
        ("a.b", '{"x": 1}', "{}"),
        ("a.b", '{"a": "another form"}', '{"a": "another form"}'),
        ("a.b", "[1]", "[1]"),
        ("a", '{"a": {"deep": [1, 2.0]}}', '{"a":{"deep": [1, 2.0]}}'),
    ],
)
def test_members_are_kept_as_they_are(paths: str, answer: str, kept: str) -> None:
    """Through lists; an answer of another form is kept whole."""
    keep = keeper([tuple(path.split(".")) for path in paths.split()])
    assert keep(answer.encode()).decode() == kept
    json.loads(kept)
