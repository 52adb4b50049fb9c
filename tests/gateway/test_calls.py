"""Values as text, parameters on the wire, base URLs."""

from __future__ import annotations

from decimal import Decimal
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher.errors import UsageError
from fetcher.gateway.calls import encode_pair, split_base_url, text_of, wire_pairs

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("", ""),
        ("连 衣", "连 衣"),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (2**63, "9223372036854775808"),
        (1.5, "1.5"),
        (1e22, "10000000000000000000000"),
        (Decimal("1.50"), "1.50"),
        ({"a": [1, True, None, "连"]}, '{"a":[1,true,null,"连"]}'),
        (None, None),
    ],
)
def test_a_value_has_one_text(value: object, text: str | None) -> None:
    """Nothing false is lost, nothing but None is left out."""
    assert text_of("name", value) == text


@pytest.mark.parametrize("value", [b"x", float("nan"), [float("inf")], {1, 2}, object(), {"a": b""}])
def test_what_has_no_text_is_refused_by_name(value: object) -> None:
    """Rather than sent as something that nobody meant."""
    with pytest.raises(UsageError, match="'scene'"):
        wire_pairs([("scene", value)])


def test_a_name_that_stands_twice_counts_once() -> None:
    """The last wins; None takes it away."""
    assert wire_pairs([("a", "1"), ("b", 2), ("a", "3"), ("b", None)]) == (("a", "3"),)


def test_text_that_cannot_be_encoded_is_refused_before_anything_is_sent() -> None:
    """Half a surrogate pair has no UTF-8."""
    with pytest.raises(UsageError):
        wire_pairs([("a", "\ud800")])


@given(TEXT.filter(bool), TEXT)
def test_decoding_what_is_sent_gives_what_was_signed(name: str, value: str) -> None:
    """As any server decodes a form."""
    assert parse_qsl(encode_pair(name, value), keep_blank_values=True, separator="&") == [(name, value)]


@pytest.mark.parametrize(
    ("url", "origin", "path"),
    [
        ("https://gw.open.1688.com/openapi", "https://gw.open.1688.com", "/openapi"),
        ("http://127.0.0.1:8688/openapi/", "http://127.0.0.1:8688", "/openapi"),
        ("https://[::1]:8443/a/b", "https://[::1]:8443", "/a/b"),
        ("https://HOST", "https://host", ""),
    ],
)
def test_a_base_url_is_split(url: str, origin: str, path: str) -> None:
    """Where to connect, and what stands before the protocol."""
    assert split_base_url(url) == (origin, path)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "gw.open.1688.com/openapi",
        "ftp://host/x",
        "https://",
        "https:///openapi",
        "https://user:pass-word@host/openapi",
        "https://host/openapi?a=pass-word",
        "https://host/openapi#x",
        "https://host:99999/",
        "https://host:0/",
        "https://host/a b",
        "https://host/\r\nX: y",
        "https://主机/",
        "https://[::1/",
    ],
)
def test_any_other_url_is_refused_without_repeating_it(url: str) -> None:
    """It may hold a password."""
    with pytest.raises(UsageError) as caught:
        split_base_url(url)
    assert "pass-word" not in f"{caught.value} {caught.value.advice}"
