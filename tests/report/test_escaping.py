"""Nothing that is shown can play with the terminal."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher.report import visible
from fetcher.report.escaping import cells, cut


@given(st.text(st.characters(exclude_categories=())))
def test_no_control_character_comes_through(text: str) -> None:
    """Whatever the text: no control, no surrogate, no reordering; and it can be encoded."""
    shown = visible(text)
    shown.encode()
    assert not [c for c in shown if unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"}]
    assert not set(shown) & set("\u202e\u2066\u200f")


def test_an_escape_sequence_is_shown() -> None:
    """It stays to be seen what somebody tried."""
    assert visible("a\x1b[2Kb\n") == "a\\u001b[2Kb\\u000a"
    assert visible("a\n\tb\x07", keep_lines=True) == "a\n\tb\\u0007"
    assert visible("商品 ✓ é") == "商品 ✓ é"


@pytest.mark.parametrize(("text", "width"), [("abc", 3), ("商品", 4), ("e\u0301", 1), ("", 0)])
def test_cells(text: str, width: int) -> None:
    """Chinese characters are two columns wide, combining ones none."""
    assert cells(text) == width


@given(st.text("ab商品", max_size=20), st.integers(1, 20))
def test_a_cut_text_fits(text: str, width: int) -> None:
    """At most so wide, unchanged where it fits."""
    shown = cut(text, width)
    assert cells(shown) <= width
    assert shown == text if cells(text) <= width else shown.endswith("…")
