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
