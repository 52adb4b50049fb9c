"""The reader of `KEY=VALUE` files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher.settings.env_file import Unreadable, Variable, parse_env


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("KEY=value", "value"),
        ("export KEY=value", "value"),
        ("  KEY = value  ", "value"),
        ("KEY=a b # comment", "a b"),
        ("KEY=a#b", "a#b"),
        ("KEY=", ""),
        ("KEY=   # only a comment", ""),
        ("KEY='$HOME # as it is'", "$HOME # as it is"),
        ("KEY='back\\slash'", "back\\slash"),
        ('KEY="a # b" # comment', "a # b"),
        (r'KEY="tab\t nl\n q\" b\\ d\$ x\x"', 'tab\t nl\n q" b\\ d$ x\\x'),
        ("KEY=$HOME", "$HOME"),
        ("KEY=a=b==", "a=b=="),
        ('KEY=""', ""),
        ("KEY=it's", "it's"),
        ("KEY=商品", "商品"),
    ],
)
def test_one_assignment(text: str, value: str) -> None:
    """Each spelling means the value that shells and other tools read, without expanding anything."""
    for ending in ("", "\n", "\r\n"):
        assert parse_env(text + ending) == [Variable("KEY", value, 1)]


def test_lines_are_counted_and_comments_skipped() -> None:
    """Line numbers are those of an editor; a byte order mark and CRLF change nothing."""
    text = "\ufeff# head\r\n\r\nA=1\r\n  # more\r\nB=2"
    assert parse_env(text) == [Variable("A", "1", 3), Variable("B", "2", 5)]


def test_a_quoted_value_may_span_lines() -> None:
    """A key in PEM form, as other programs keep it in `.env`, does not upset what follows."""
    text = 'PEM="-----BEGIN\nabc=\n-----END"\nA=1\n'
    assert parse_env(text) == [Variable("PEM", "-----BEGIN\nabc=\n-----END", 1), Variable("A", "1", 4)]


def test_what_is_no_assignment_is_reported_without_its_text() -> None:
    """The line is named; what it holds may be a secret."""
    found = parse_env("s3cret-by-itself\nA=1\n'x'=2\n2A=3\nB='x' y\nC=3\n")
    assert found == [
        Unreadable(1, "is not KEY=VALUE"),
        Variable("A", "1", 2),
        Unreadable(3, "is not KEY=VALUE"),
        Unreadable(4, "is not KEY=VALUE"),
        Unreadable(5, "has text after the closing quote"),
        Variable("C", "3", 6),
    ]


@pytest.mark.parametrize("quote", ['"', "'"])
def test_an_open_quote_takes_the_rest(quote: str) -> None:
    """It is one unreadable line, not a misreading of all the others."""
    assert parse_env(f"A=1\nB={quote}x\nC=3\n") == [
        Variable("A", "1", 1),
        Unreadable(2, f"opens a quote ({quote}) that is never closed"),
    ]


@given(st.text())
def test_any_text_is_read_without_an_accident(text: str) -> None:
    """No text raises, and lines only ever go up."""
    lines = [entry.line for entry in parse_env(text)]
    assert lines == sorted(set(lines))


@pytest.mark.untraced
@given(
    st.dictionaries(
        st.from_regex(r"[A-Z_][A-Z0-9_]{0,8}", fullmatch=True), st.text(st.characters(exclude_characters="\r"))
    )
)
def test_what_is_quoted_comes_back(values: dict[str, str]) -> None:
    """Any values, written in double quotes with the usual escapes, are read back as they were."""
    escaped = {key: value.replace("\\", "\\\\").replace('"', '\\"') for key, value in values.items()}
    text = "".join(f'{key}="{value}"\n' for key, value in escaped.items())
    assert {entry.key: entry.value for entry in parse_env(text) if isinstance(entry, Variable)} == values
