"""What is left out, what stays, and that what stays is untouched."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher.policy import FieldFilter
from fetcher.settings import field_steps

ORDER = (
    b'{"result":{"baseInfo":{"id":12345678901234567890123,"price":1.50,'
    b'"buyerContact":{"name":"\xe5\xbc\xa0\xe4\xb8\x89","phone":"1"}},'
    b'"items":[{"name":"a","price":2.0},{"name":"b","sku":[{"name":"c","n":1}]}]},"ok":true}'
)


def drop(*paths: str) -> FieldFilter:
    return FieldFilter(drop=[field_steps(path) for path in paths])


def keep(*paths: str, without: str = "") -> FieldFilter:
    return FieldFilter([field_steps(path) for path in paths], [field_steps(without)] if without else [])


@pytest.mark.parametrize(
    ("fields", "left"),
    [
        (
            drop("result.baseInfo", "result.items"),
            b'{"result":{},"ok":true}',
        ),
        (
            drop("result.baseInfo.buyerContact", "result.items.name"),
            (
                b'{"result":{"baseInfo":{"id":12345678901234567890123,"price":1.50},'
                b'"items":[{"price":2.0},{"sku":[{"name":"c","n":1}]}]},"ok":true}'
            ),
        ),
        (
            drop("result.baseInfo", "result.items.*.sku.*.name", "ok"),
            b'{"result":{"items":[{"name":"a","price":2.0},{"name":"b","sku":[{"n":1}]}]}}',
        ),
        (drop("*.baseInfo", "result.items.*"), b'{"result":{"items":[]},"ok":true}'),
        (keep("ok"), b'{"ok":true}'),
        (
            keep("result.baseInfo.price", "result.items.sku"),
            b'{"result":{"baseInfo":{"price":1.50},"items":[{},{"sku":[{"name":"c","n":1}]}]}}',
        ),
        (keep("result.*.id"), b'{"result":{"baseInfo":{"id":12345678901234567890123},"items":[{},{}]}}'),
        (
            keep("result.baseInfo", without="result.baseInfo.buyerContact"),
            b'{"result":{"baseInfo":{"id":12345678901234567890123,"price":1.50}}}',
        ),
        (keep("ok.deeper"), b"{}"),
    ],
)
def test_what_is_left(fields: FieldFilter, left: bytes) -> None:
    """Numbers as they were written; `name` through lists, `*` for any member or element; drop wins over keep."""
    assert fields.apply(ORDER) == left


def test_what_nothing_is_left_out_of_stays_to_the_byte() -> None:
    """Spaces and all."""
    odd = b' { "a" : [ 1.0 , {"b":2} ] , "c":"\\u00e9" } '
    assert drop("x", "c.d").apply(odd) == odd


def test_half_an_emoji_stays_as_it_was_sent() -> None:
    """Beside fields that are left out, in names and values; an escaped backslash before `ud83d` is not one."""
    odd = b'{"a":1,"b\\ud83d":"x\\ud83d\\ude00 \\\\ud83d \\ud83d","c":{"d":"\\udc00"}}'
    assert drop("a").apply(odd) == odd.replace(b'"a":1,', b"")
    assert drop("c.d").apply(odd) == odd.replace(b'"d":"\\udc00"', b"")


def test_paths_that_lead_to_nothing_are_known() -> None:
    """A misspelt one must not go unnoticed: something would be stored that should not be."""
    fields = drop("result.baseInfo.buyerContcat", "ok", "result.items.name")
    fields.apply(ORDER)
    assert fields.unmatched == (("result", "baseInfo", "buyerContcat"),)


@pytest.mark.parametrize("bad", [b"{", b'{"a":1}}', b'{"\xff":1}', b'{"a":' * 2000 + b"1" + b"}" * 2000])
def test_what_cannot_be_taken_apart_is_said(bad: bytes) -> None:
    """It must not be stored as it is."""
    with pytest.raises(ValueError, match=r"fields cannot|too deep"):
        drop("a.b", "*.c", "a.a.a.a.*").apply(bad)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=15,
)
PATHS = st.lists(st.lists(st.sampled_from("abc*"), min_size=1, max_size=3).map(tuple), max_size=3)


def without(value: Any, places: list[tuple[str, ...]]) -> Any:
    """The rule in the plainest words."""
    if isinstance(value, dict):
        further = {name: [path[1:] for path in places if path[0] in (name, "*")] for name in value}
        return {name: without(inner, further[name]) for name, inner in value.items() if () not in further[name]}
    if isinstance(value, list):
        inside = [path[1:] if path[0] == "*" else path for path in places]
        return [] if () in inside else [without(inner, inside) for inner in value]
    return value


@pytest.mark.untraced
@given(VALUES, PATHS)
def test_it_does_what_the_rule_says(value: Any, paths: list[tuple[str, ...]]) -> None:
    """For any value and any paths."""
    left = FieldFilter(drop=paths).apply(json.dumps(value).encode())
    assert json.loads(left) == without(value, paths)


@given(VALUES, PATHS.filter(bool))
def test_kept_and_dropped_share_nothing(value: Any, paths: list[tuple[str, ...]]) -> None:
    """What is kept by some paths has nothing left when the same are dropped but what leads to them."""
    text = json.dumps(value).encode()
    rest = json.loads(FieldFilter(paths, paths).apply(text))
    if isinstance(value, dict | list):
        assert _leaves(rest) == []


def _leaves(value: Any) -> list[Any]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [leaf for each in inner for leaf in _leaves(each)] if isinstance(value, dict | list) else [value]
