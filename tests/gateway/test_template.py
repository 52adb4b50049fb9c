"""Calls from a template are, byte for byte, the calls that are written out each time."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher.gateway import param2_signature
from fetcher.gateway.calls import encode_pair
from fetcher.gateway.signing import Signer, guide_text, param2_text
from fetcher.gateway.template import Layout, Pair, make_template
from fetcher.model import Item, Request
from fetcher.secret import Secret
from tests.gateway.speaking import SECRET, gateway

NAMES = st.text("abpirod_ID~连", min_size=1, max_size=4)
ANY = st.characters(exclude_categories=["Cs"])
VALUES = st.text(st.one_of(st.sampled_from("ab~ 连&=%\ue000\x00"), ANY), max_size=6)
PATH = "param2/1/a/b/7"
SIGN = Signer(Secret(SECRET)).sign


def plain(text: object, pairs: list[Pair], method: str) -> Request:
    """The call written out."""
    signature = SIGN(text(pairs))  # type: ignore[operator]
    wire = "&".join(encode_pair(*pair) for pair in [*pairs, ("s", signature)])
    return Request(method, f"/{PATH}?{wire}") if method == "GET" else Request(method, f"/{PATH}", wire.encode())


@pytest.mark.untraced
@pytest.mark.parametrize("text", [guide_text, param2_text], ids=["by key", "as wholes"])
@given(
    fixed=st.lists(st.tuples(NAMES, VALUES), max_size=5, unique_by=lambda pair: pair[0]),
    gaps=st.lists(NAMES, min_size=1, max_size=2, unique=True),
    places=st.tuples(st.integers(0, 6), st.integers(0, 6)),
    values=st.tuples(VALUES, VALUES),
    method=st.sampled_from(["GET", "POST"]),
)
def test_both_ways_write_the_same(
    text: object, fixed: list[Pair], gaps: list[str], places: tuple[int, int], values: tuple[str, str], method: str
) -> None:
    """Any names, one of which may begin another; any values; the ID before the time or after it."""
    fixed = [pair for pair in fixed if pair[0] not in gaps]
    marked: list[tuple[str, str, int]] = [(name, value, -1) for name, value in fixed]
    for number, name in enumerate(gaps):
        marked.insert(min(places[number], len(marked)), (name, values[number], number))
    pairs = [(name, value) for name, value, _ in marked]
    at = {number: index for index, (_, _, number) in enumerate(marked)}
    signed = lambda some: ("" if text is guide_text else PATH) + text("", some)  # type: ignore[operator]  # noqa: E731
    layout = Layout(
        tuple((name, "") if number >= 0 else (name, value) for name, value, number in marked), at[0], at.get(1)
    )
    template = make_template((method, f"/{PATH}"), "s", signed, SIGN, layout)
    if template is not None:
        assert template.write(values[0], values[1] if 1 in at else "") == plain(signed, pairs, method)
    else:
        strings = ["".join(pair) for pair in fixed]
        begun = any(other.startswith(name) for name in gaps for other in [*strings, *gaps] if other is not name)
        assert begun or any(mark in other for other in strings for mark in "\ue000\ue001")


def test_a_parameter_that_begins_with_the_ids_name_moves_with_the_id() -> None:
    """`productID2` + value stands before or behind `productID` + ID, by what the ID is: such calls are written out."""
    own = gateway(token=False, params=[("productID2", "5")])
    assert own._template is None
    path = "param2/1/com.alibaba.product/alibaba.product.get/1000000"
    for product_id in ("1", "24", "26", "3"):
        request = own.request(own.call([Item(product_id, 1)]), 0)
        params = dict(parse_qsl(request.body.decode()))
        assert params.pop("_aop_signature") == param2_signature(SECRET, path, params)


def test_presets_have_templates() -> None:
    """The usual calls go the short way."""
    for api in ("product", "product-detail", "order-buyer", "product-batch"):
        for protocol in ("param2", "guide"):
            assert gateway(api, protocol, send_timestamp=True)._template is not None
