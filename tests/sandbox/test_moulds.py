"""Moulds: JSON with gaps, and fields of the documented types."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher.sandbox.moulds import cast, gap, gap_in_text, product_mould

NUMBERS: dict[bytes, int | float] = {b"n": 12, b"price": 7.5, b"spec": 255}


def filled(value: dict[str, Any]) -> Any:
    """The mould of this value, filled and read again; decimals as texts, so that no digit is lost."""
    return json.loads(cast(value, 1).text % NUMBERS, parse_float=str)


def test_gaps_become_numbers_or_parts_of_texts() -> None:
    """With their format; one value can stand in several places."""
    value = {"a": gap("n"), "b": [gap("price", ".2f"), "x" + gap_in_text("n") + "y"], "c": gap_in_text("spec", "04x")}
    assert filled(value) == {"a": 12, "b": ["7.50", "x12y"], "c": "00ff"}


@given(st.dictionaries(st.text('%()sd"\\a连', max_size=8), st.text('%()sd"\\a连', max_size=8), max_size=4))
def test_everything_else_comes_through_as_it_was(value: dict[str, str]) -> None:
    """Percent signs, quotes and backslashes above all."""
    assert filled(value) == value


KINDS: dict[str, type | tuple[type, ...]] = {
    "productID": int,
    "categoryID": int,
    "attributes": list,
    "groupID": list,
    "status": str,
    "subject": str,
    "description": str,
    "bizType": int,
    "image": dict,
    "skuInfos": list,
    "saleInfo": dict,
    "shippingInfo": dict,
    "supplierUserId": str,
    "mainVedio": (str, type(None)),
    "referencePrice": str,
    "bookedCount": str,
    "createTime": str,
    "sevenDaysRefunds": bool,
}
"""Fields of `productInfo` and their types, after the documents."""


@pytest.mark.parametrize("dice", range(8))
def test_a_product_has_the_documented_fields(dice: int) -> None:
    """Whatever the dice say."""
    mould = product_mould(Random(dice))
    values: dict[bytes, int | float] = {b"id": 1, b"tail": 2, b"weight": 0.5, b"address": 2**60}
    for k in range(mould.skus):
        values |= {f"sku{k}".encode(): k, f"stock{k}".encode(): k, f"price{k}".encode(): 1.25, f"spec{k}".encode(): k}
    product = json.loads(mould.text % values)
    assert {name for name, kind in KINDS.items() if not isinstance(product[name], kind)} == set()
    assert len(product["skuInfos"]) == mould.skus >= 1
    assert {attribute["attrType"] for sku in product["skuInfos"] for attribute in sku["attributes"]} == {"1", "2"}
    assert all(isinstance(each["valueID"], int) for each in product["attributes"])
