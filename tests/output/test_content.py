"""What a line holds, and when two contents are the same."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher.model import Product
from fetcher.output.content import content_hash, split_data, stored
from fetcher.output.line import encode
from tests.output.files import failure

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=20,
)


def turned(value: Any) -> Any:
    """The same with every object's members the other way round."""
    if isinstance(value, dict):
        return {name: turned(inner) for name, inner in reversed(value.items())}
    return [turned(inner) for inner in value] if isinstance(value, list) else value


@pytest.mark.untraced
@given(VALUES)
def test_order_of_members_and_spaces_do_not_count(value: Any) -> None:
    """However it is written down."""
    close = json.dumps(value, separators=(",", ":")).encode()
    wide = json.dumps(turned(value), indent=2, ensure_ascii=False).encode("utf-8", "surrogatepass")
    assert content_hash(close) == content_hash(wide)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b'{"a":1.50}', b'{"a":1.5}'),
        (b'{"a":1}', b'{"a":"1"}'),
        (b'{"a":12345678901234567890123}', b'{"a":12345678901234567890124}'),
        (b'{"a":1.0,"b":1.00}', b'{"a":1.00,"b":1.0}'),
        (b"[1,2]", b"[2,1]"),
        (b'{"a":null}', b"{}"),
        (b'{"a":[1.5]}', b'{"a":["1.5"]}'),
    ],
)
def test_what_does_count(one: bytes, other: bytes) -> None:
    """A number's text, its type, the order of lists, what is there at all."""
    assert content_hash(one) != content_hash(other)


def test_half_an_emoji_and_deep_nesting_are_compared_by_their_bytes() -> None:
    """They do not stop a run."""
    for odd in (b'{"a":"\\ud83d"}', b"[" * 2000 + b"]" * 2000):
        assert content_hash(odd) == content_hash(odd) != content_hash(odd + b" ")


@given(st.text(min_size=1), st.sampled_from([b"{}", b'{"x":",\\"data\\":1"}', b'[{"data":2}]']))
def test_a_line_is_taken_apart_as_it_was_made(product_id: str, payload: bytes) -> None:
    """Whatever the ID and the content hold."""
    line = encode(Product(product_id, 1_700_000_000_123, 2, 3.25, payload)).rstrip(b"\n")
    found = stored(line)
    if product_id.encode("utf-8", "replace").decode() == product_id:
        assert found is not None and found.id == product_id
    if found is not None:
        assert (found.fetched_at, found.data) == (b"2023-11-14T22:13:20.123Z", payload)
        assert split_data(line)[1] == payload


def test_a_failure_and_a_foreign_line_are_no_products() -> None:
    """Nor is the head of one."""
    head = encode(Product("1", 0, 1, 1.0, b"{}"))[:60]
    for line in (encode(failure(1)).rstrip(b"\n"), b'{"id":"1"}', b"", head, b"[]"):
        assert stored(line) is None
