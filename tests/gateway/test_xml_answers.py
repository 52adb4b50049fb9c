"""The rule by which XML becomes JSON, and what is refused."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher.gateway import xml_to_json
from fetcher.gateway.xml_answers import XmlError


@pytest.mark.parametrize(
    ("xml", "value", "why"),
    [
        ("<r>text</r>", "text", "the root's content is the value"),
        ("<r/>", "", "an empty element is an empty text"),
        ("<r><a>1</a><b>2</b></r>", {"a": "1", "b": "2"}, "children make an object; text stays text"),
        ("<r><p>1.50</p><i>007</i><t>true</t></r>", {"p": "1.50", "i": "007", "t": "true"}, "nothing is guessed"),
        ("<r><a>1</a><b/><a>2</a></r>", {"a": ["1", "2"], "b": ""}, "repeated children make a list"),
        ("<r><item>1</item></r>", ["1"], "`item` alone makes a list, even of one"),
        ("<r><l><list><a>1</a></list><list/></l></r>", {"l": [{"a": "1"}, ""]}, "so does `list`"),
        ("<r><item>1</item><list>2</list></r>", {"item": "1", "list": "2"}, "both together do not"),
        ('<r u="kg">1.5</r>', {"@u": "kg", "#text": "1.5"}, "attributes, and the text beside them"),
        ('<r u="kg"/>', {"@u": "kg"}, "attributes alone"),
        ('<r n="1"><item>a</item></r>', {"@n": "1", "item": "a"}, "an element with attributes is an object"),
        ("<r> a <b>1</b> c </r>", {"b": "1", "#text": " a  c "}, "text beside children is kept"),
        ("<r>\n  <b> 1 </b>\n</r>", {"b": " 1 "}, "indentation is dropped, a leaf's spaces are not"),
        ("<r><![CDATA[<p>&amp;</p>]]></r>", "<p>&amp;</p>", "CDATA is text"),
        ("<r>&lt;&amp;&#x8fde;<!-- no --><?pi no?></r>", "<&连", "comments and instructions are dropped"),
        ("<r><skuInfos/></r>", {"skuInfos": []}, "a known list of none"),
        ("<r><images>a.jpg</images></r>", {"images": ["a.jpg"]}, "of one text"),
        ("<r><images>a</images><images>b</images></r>", {"images": ["a", "b"]}, "repeated"),
        ("<r><skuInfos><skuId>1</skuId></skuInfos></r>", {"skuInfos": [{"skuId": "1"}]}, "the element itself, once"),
        ("<r><skuInfos><item>1</item></skuInfos></r>", {"skuInfos": ["1"]}, "with `item`"),
        ("<r><skuInfos><skuInfo>1</skuInfo></skuInfos></r>", {"skuInfos": ["1"]}, "with its name in the singular"),
        (
            "<r><skuInfos><skuInfo>1</skuInfo><skuInfo>2</skuInfo></skuInfos></r>",
            {"skuInfos": ["1", "2"]},
            "of two the same",
        ),
        (
            "<r><productList><product><a>1</a></product></productList></r>",
            {"productList": [{"a": "1"}]},
            "without List",
        ),
        ('<r><items list="true"><item>1</item></items></r>', {"items": {"item": ["1"]}}, "marked, even of one"),
        ('<r><l list="true" n="2"><a>1</a></l></r>', {"l": {"@n": "2", "a": ["1"]}}, "only the mark goes"),
        ('<r><l list="no"><a>1</a></l></r>', {"l": {"@list": "no", "a": "1"}}, "any other is an attribute"),
        ('<n:r xmlns:n="u"><n:a>1</n:a></n:r>', {"@xmlns:n": "u", "n:a": "1"}, "prefixes stay as written"),
    ],
)
def test_the_rule(xml: str, value: Any, why: str) -> None:
    """One row a sentence of it."""
    assert json.loads(xml_to_json(xml.encode())) == value, why


@pytest.mark.parametrize("charset", ["gbk", "gb18030", "utf-8"])
def test_the_charset_is_the_headers_or_the_documents(charset: str) -> None:
    """The header is the stronger one."""
    body = f'<?xml version="1.0" encoding="{charset}"?><r>连衣裙</r>'.encode(charset)
    assert xml_to_json(body) == '"连衣裙"'.encode()
    lying = '<?xml version="1.0" encoding="utf-8"?><r>连衣裙</r>'.encode(charset)
    assert xml_to_json(lying, charset) == '"连衣裙"'.encode()


@pytest.mark.parametrize(
    "xml",
    [
        b"",
        b"words",
        b"<r>",
        b"<r></s>",
        b"<r/><r/>",
        b"<r>&unknown;</r>",
        b"<r>\xff</r>",
        b"<r>\x00</r>",
        b"<!DOCTYPE r><r/>",
        b'<!DOCTYPE r [<!ENTITY a "b">]><r>&a;</r>',
        b'<!DOCTYPE r SYSTEM "file:///etc/passwd"><r/>',
        b'<!DOCTYPE r [<!ENTITY a "x"><!ENTITY b "&a;&a;&a;">]><r>&b;</r>',
        b"<a>" * 201 + b"</a>" * 201,
    ],
)
def test_what_is_broken_or_dangerous_is_refused(xml: bytes) -> None:
    """With an error of ours, whatever the parser says."""
    with pytest.raises(XmlError):
        xml_to_json(xml)


def test_two_hundred_levels_are_not_too_deep() -> None:
    """The limit itself is allowed."""
    assert xml_to_json(b"<a>" * 200 + b"x" + b"</a>" * 200).count(b"{") == 199


TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), min_size=1, max_size=8
)


@given(st.lists(TEXT.filter(str.strip), max_size=5))
def test_texts_come_through_to_the_character(texts: list[str]) -> None:
    """Any text that XML can hold."""
    body = "<r>" + "".join(f"<item>{escape(text)}</item>" for text in texts) + "</r>"
    assert json.loads(xml_to_json(body.encode())) == (texts or "")


@given(st.binary(max_size=40))
def test_nothing_but_our_own_error_is_raised(body: bytes) -> None:
    """Random bytes, bare and in an element."""
    for document in (body, b"<r>" + body + b"</r>"):
        with suppress(XmlError):
            json.loads(xml_to_json(document))


LEAF = TEXT.filter(str.strip)


def things(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Lists under the names of lists, anything else under others; two names at least, or a list's element would do."""
    plain = st.dictionaries(st.sampled_from(["a", "b", "subject"]), inner, min_size=2, max_size=3)
    lists = st.dictionaries(st.sampled_from(["skuInfos", "images"]), st.lists(inner, max_size=3), max_size=2)
    return st.tuples(plain, lists).map(lambda both: both[0] | both[1])


def written(name: str, value: Any, style: int) -> str:
    """A value as XML, lists in one of three ways: `item` in an element, the singular in an element, repeated."""
    if isinstance(value, dict):
        return f"<{name}>{''.join(written(key, each, style) for key, each in value.items())}</{name}>"
    if not isinstance(value, list):
        return f"<{name}>{escape(value)}</{name}>"
    if style == 2 and value:
        return "".join(written(name, each, style) for each in value)
    inner = "item" if style == 0 else name.removesuffix("s")
    return f"<{name}>{''.join(written(inner, each, style) for each in value)}</{name}>"


@pytest.mark.untraced
@given(st.recursive(LEAF, things, max_leaves=8).filter(lambda value: isinstance(value, dict)), st.integers(0, 2))
def test_what_json_would_say_comes_back(value: Any, style: int) -> None:
    """Objects, texts and the known lists, of none and of one too, in whichever way their elements are written."""
    assert json.loads(xml_to_json(written("r", value, style).encode())) == value
