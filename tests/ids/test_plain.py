"""Plain text."""

from __future__ import annotations

import pytest

from tests.ids.reading import codes, drain, ids, stdin


def test_blank_lines_and_comments_are_put_aside() -> None:
    """They are counted, and the line numbers stay those of the file."""
    source = stdin(b"# list\n\n1\n \t\n  # more\n2\n")
    assert [(item.id, item.line) for item in drain(source)] == [("1", 3), ("2", 6)]  # type: ignore[union-attr]
    assert (source.counts.lines, source.counts.blank, source.counts.comments) == (6, 2, 2)


@pytest.mark.parametrize("heading", ["id", "ID", "product_id", "productID", "Offer ID", '"id"', "商品编号", "item-id"])
def test_a_heading_is_noticed(heading: str) -> None:
    """A word without digits on the first line, comments and blank lines before it or not."""
    source = stdin(f"\n# c\n{heading}\n1\n".encode())
    assert ids(drain(source)) == ["1"]
    assert (source.counts.header, source.counts.bad) == (1, 0)


@pytest.mark.parametrize(
    "first", ["id1", "6.1E11", "610x", "access_token=x", "\x1b[31m", "http://x/", "x" * 65, "１２"]
)
def test_a_damaged_first_id_is_not_taken_for_a_heading(first: str) -> None:
    """Nothing vanishes: it is a bad line."""
    source = stdin(f"{first}\n1\n".encode())
    found = drain(source)
    assert (ids(found), len(codes(found)), source.counts.header) == (["1"], 1, 0)


def test_only_the_first_line_can_be_a_heading() -> None:
    """Two files put together have one in the middle: that is said."""
    found = drain(stdin(b"1\nid\n2\n"))
    assert (ids(found), codes(found)) == (["1", "2"], ["not_digits"])
    assert codes(drain(stdin(b"id\nid\n1\n"))) == ["not_digits"]


def test_where_any_text_is_an_id_only_usual_names_are_headings() -> None:
    """`apple` may be an ID, `orderId` is the API's own name."""
    assert ids(drain(stdin(b"apple\npear\n", numeric=False))) == ["apple", "pear"]
    assert ids(drain(stdin(b"orderId\npear\n", numeric=False, id_parameter="orderID"))) == ["pear"]
