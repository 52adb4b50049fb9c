"""CSV and TSV."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fetcher.errors import InputError
from fetcher.ids import Source, open_source
from tests.ids.reading import balanced, codes, drain, ids


@pytest.fixture
def csv(tmp_path: Path) -> Any:
    """Opens these bytes as a table."""
    sources: list[Source] = []

    def opened(data: bytes | str, name: str = "ids.csv", **options: Any) -> Source:
        path = tmp_path / name
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        sources.append(open_source(str(path), **{"numeric": True, **options}))
        return sources[-1]

    yield opened
    for source in sources:
        source.close()


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("title,ProductID\na,7\n", {}),
        ("title,productid\na,7\n", {"id_parameter": "productID"}),
        ("id,offerId\n8,7\n", {"id_parameter": "offerId"}),
        ("title,id\na,7\n", {}),
        ("x,product_id\n8,7\n", {}),
        ("x,offerId\n8,7\n", {}),
        ("number,title\n7,a\n", {}),
        ("7,a\n", {}),
        ("a,b\n8,7\n", {"column": "b"}),
        ("a,B \n8,7\n", {"column": "b"}),
        ("a,b\n8,7\n", {"column": "2"}),
        ("8,7\n", {"column": "2"}),
        ("2,b\n7,8\n", {"column": "2"}),
        ("a;b\n8;7\n", {"column": "b"}),
        ("a\tb\n8\t7\n", {"column": "b"}),
        ("sep=;\r\na;b\r\n8;7\r\n", {"column": "b"}),
        ('"a, x";id\n8;7\n', {}),
        ('7,"a;b;c"\n', {}),
        ("7,a;b;c\n", {}),
        ("\n\n ,id\na,7\n", {}),
        ('id\n"7"\n', {}),
        ('id,t\n"=""7""",x\n', {}),
        ("id,t\n https://detail.1688.com/offer/7.html ,x\n", {}),
    ],
)
def test_the_column_is_found(csv: Any, text: str, options: dict[str, str]) -> None:
    """By name, by index counted from 1, by the usual names, else the first; whatever the delimiter."""
    source = csv(text, **options)
    found = drain(source)
    assert (ids(found), codes(found)) == (["7"], [])
    assert balanced(source.counts)


def test_a_wrong_column_is_refused_before_anything_is_sent(csv: Any) -> None:
    """The sentence names the columns that there are."""
    with pytest.raises(InputError, match=r"no column 'sku'; the first line has: id, title"):
        csv("id,title\n1,a\n", column="sku")
    for index in ("0", "3", "-1", "99999999999999999999"):
        with pytest.raises(InputError) as caught:
            csv("id,title\n1,a\n", column=index)
        assert "counted from 1" in caught.value.advice


def test_many_columns_are_not_all_named(csv: Any) -> None:
    """A sentence, not a screen; and nothing in it moves the cursor."""
    with pytest.raises(InputError) as caught:
        csv(",".join(f"\x1bc{at}" for at in range(500)) + "\n", column="x")
    assert "480 more" in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_an_undecodable_heading_points_to_the_encoding(csv: Any) -> None:
    """A Chinese column cannot be found in a GBK file that is read as UTF-8."""
    data = "编号,标题\n7,a\n".encode("gb18030")
    with pytest.raises(InputError) as caught:
        csv(data, column="编号")
    assert "gb18030" in caught.value.advice
    assert ids(drain(csv(data, column="编号", encoding="gb18030"))) == ["7"]


def test_undecodable_titles_do_not_spoil_a_readable_id(csv: Any) -> None:
    """The damage is in another column; in the ID's own it is a bad line."""
    found = drain(csv("id,标题\n7,红色\n8,蓝色\n".encode("gb18030") + b"9\xff,x\n"))
    assert (ids(found), codes(found)) == (["7", "8"], ["undecodable"])


def test_an_unclosed_quote_spoils_its_line_only(csv: Any) -> None:
    """The rest of the file is read."""
    source = csv('id,title\n1,a\n2,"never closed\n3,b\n4,"x ""y"" z"\n"5\n6,5" screen\n')
    found = drain(source)
    assert ids(found) == ["1", "3", "4", "6"]
    assert codes(found) == ["unclosed_quote", "unclosed_quote"]
    assert [(one.id, one.error.line) for one in found if hasattr(one, "error")] == [('2,"never closed', 3), ('"5', 6)]
    assert balanced(source.counts)


def test_rows_without_an_id_are_accounted_for(csv: Any) -> None:
    """A row of nothing is blank; a short row and an empty cell are bad lines that show themselves."""
    source = csv('t,id\na,1\n,,\n"",""\n\nb\nc,\n')
    found = drain(source)
    assert (ids(found), codes(found)) == (["1"], ["no_column", "empty"])
    assert [one.id for one in found] == ["1", "b", "c,"]
    assert (source.counts.lines, source.counts.blank, source.counts.header) == (7, 3, 1)


@pytest.mark.parametrize("cell", ["6.1E11", "１２３", "-5", "1_0", "12x", "\x00", "5 6"])
def test_a_damaged_first_cell_is_not_taken_for_a_heading(csv: Any, cell: str) -> None:
    """Nothing vanishes."""
    source = csv(f"{cell},t\n7,u\n")
    found = drain(source)
    assert (ids(found), len(codes(found)), source.counts.header) == (["7"], 1, 0)


def test_where_any_text_is_an_id_only_usual_names_are_headings(csv: Any) -> None:
    """Otherwise the first row is data."""
    assert ids(drain(csv("apple,1\npear,2\n", numeric=False))) == ["apple", "pear"]
    assert ids(drain(csv("id,1\npear,2\n", numeric=False))) == ["pear"]
    assert ids(drain(csv("sku,x\npear,2\n", numeric=False, column="sku"))) == ["pear"]


def test_a_first_line_that_is_too_long_decides_nothing(csv: Any) -> None:
    """It is a bad line, and the next one is the heading."""
    source = csv("x" * 70_000 + "\nt,id\na,7\n")
    found = drain(source)
    assert (ids(found), codes(found), source.counts.header) == (["7"], ["line_too_long"], 1)


def test_excel_unicode_text_is_read(csv: Any) -> None:
    """UTF-16 with a mark and tabs, named .csv as people do."""
    assert ids(drain(csv("标题\tid\r\n红色\t7\r\n".encode("utf-16")))) == ["7"]


def test_a_tsv_has_tabs_whatever_else_it_holds(csv: Any) -> None:
    """Commas and semicolons in a title are text."""
    assert ids(drain(csv("a,b;c,d\tid\nx,y,z\t7\n", name="ids.tsv"))) == ["7"]
