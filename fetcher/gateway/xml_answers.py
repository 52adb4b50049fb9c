"""XML answers become JSON, by one rule. It must not know what an answer means.

The rule:

- The root element's content is the value; the root's name is dropped.
- An element with child elements is an object, in the order of first appearance; a child that stands several times
  is a list. White space between child elements is dropped.
- An element whose children are all named `list`, or all named `item`, is a list, even of one.
- What the gateway's JSON has as a list (`skuInfos`, `images`, …: `LISTS`) is one here too: of none, of one, whether its
  elements stand in it as `list`, `item` or by its name in the singular, or the element itself stands several times.
- `list="true"`, the TOP family's mark: all children are lists, even of one, as in that family's JSON. The mark goes. In
  that family's documents (whose root ends with `_response`) an unmarked `item` is a member like any other.
- An attribute is a member `@name`. An element with attributes is an object in any case; its text, and any text beside
  child elements, is the member `#text`.
- The text of a leaf is a text, to the character: `1.50` stays "1.50", nothing is guessed to be a number. CDATA is text.
- An empty element is "". Comments and processing instructions are dropped; prefixes of names stay as written.

DOCTYPE is refused, and with it every entity but the five of XML; so is a depth over 200.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final, NoReturn, TypeAlias
from xml.parsers import expat

from fetcher.gateway.api import RESPONSE
from fetcher.gateway.charsets import decode_declared
from fetcher.gateway.depth import MAX_DEPTH

_LIST_NAMES: Final = ("list", "item")
_MARK: Final = ("list", "true")
LISTS: Final = frozenset(
    {
        *("attributes", "skuInfos", "priceRange", "priceRanges", "groupID", "images", "extendInfos", "bizGroupInfos"),
        *("productAttribute", "productSkuInfos", "skuAttributes", "priceRangeList", "skuShippingInfoList"),
        *("skuShippingDetails", "tagInfoList", "sellingPoint", "offerIdentities", "certificateList"),
        *("channelSkuPriceList", "productList", "productItems", "productImgUrl", "logisticsItems", "tradeTerms"),
    }
)
"""Members that are lists in the documented JSON of products and orders."""
_DECLARED: Final = re.compile(rb"""<\?xml[^>]{0,200}?\sencoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")

Value: TypeAlias = Any
"""`str`, or `dict` and `list` of such."""


class XmlError(ValueError):
    """Not well-formed, too deep, or with a DOCTYPE. The message is for a person."""


def xml_to_json(body: bytes, charset: str = "") -> bytes:
    """An XML document as JSON in UTF-8, after the rule above.

    Args:
        body: the document.
        charset: what `Content-Type` declares; stronger than the document's own declaration (RFC 7303, 3.2).

    Raises:
        XmlError: it is refused.

    Examples:
        >>> xml_to_json(b'<r><id>007</id><skus><item>a</item></skus><p unit="kg">1.50</p><none/></r>')
        b'{"id":"007","skus":["a"],"p":{"@unit":"kg","#text":"1.50"},"none":""}'
    """
    return to_json(read_xml(body, charset)[1])


def to_json(value: Value) -> bytes:
    """The value as compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def read_xml(body: bytes, charset: str = "") -> tuple[str, Value]:
    """The root's name and its content. Raises XmlError."""
    declared = None if charset else _DECLARED.match(body.lstrip(b"\xef\xbb\xbf \t\r\n"))
    try:
        text = decode_declared(body, declared[1].decode() if declared else charset)
    except UnicodeDecodeError:
        raise XmlError("the document is not text in its charset") from None
    reader = _Reader()
    try:
        # The parser is told UTF-8, whatever the declaration says: the text has just been made that.
        reader.parser.Parse(text.strip().encode(), True)
    except expat.ExpatError as error:
        raise XmlError(f"not well-formed XML: {expat.ErrorString(error.code)}, line {error.lineno}") from None
    return reader.root, reader.value


class _Element:
    """An element that is still open."""

    __slots__ = ("attributes", "children", "name", "text")

    def __init__(self, name: str, attributes: dict[str, str]) -> None:
        self.name, self.attributes = name, attributes
        self.children: list[tuple[str, Value]] = []
        self.text: list[str] = []

    def value(self, *, item_lists: bool) -> Value:
        """What the closed element is in JSON; `item_lists`: children that are all named so make a list of it."""
        text = "".join(self.text)
        marked = _MARK in self.attributes.items()
        attributes = {f"@{name}": value for name, value in self.attributes.items() if not marked or name != _MARK[0]}
        if not attributes and not marked:
            if not self.children:
                return text
            if item_lists and not text.strip() and self._is_list():
                return [value for _, value in self.children]
        grouped: dict[str, list[Value]] = {}
        for name, value in self.children:
            grouped.setdefault(name, []).append(value)
        found = attributes | {name: _member(name, values, marked=marked) for name, values in grouped.items()}
        if text.strip() or (text and not self.children):
            found["#text"] = text
        return found

    def _is_list(self) -> bool:
        name = self.children[0][0]
        return name in _LIST_NAMES and all(other == name for other, _ in self.children)


def _member(name: str, values: list[Value], *, marked: bool) -> Value:
    """What the children of one name are as a member."""
    [first, *others] = values
    if others or marked:
        return values
    return _as_list(name, first) if name in LISTS else first


def _as_list(name: str, value: Value) -> list[Value]:
    """The content of an element that is a list in JSON."""
    if isinstance(value, list):
        return value
    if value == "":
        return []
    if isinstance(value, dict) and len(value) == 1:
        [(inner, elements)] = value.items()
        if inner in (name.removesuffix("s"), name.removesuffix("List")):
            return elements if isinstance(elements, list) else [elements]
    return [value]


class _Reader:
    """Builds values from the inside out, so that depth costs no recursion."""

    def __init__(self) -> None:
        self.parser = parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = _refuse_doctype
        parser.EntityDeclHandler = _refuse_doctype
        self._open: list[_Element] = []
        self._item_lists = True
        self.root = ""
        self.value: Value = ""

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._open) >= MAX_DEPTH:
            raise XmlError(f"XML deeper than {MAX_DEPTH}")
        if not self._open:
            self._item_lists = not name.endswith(RESPONSE)
        self._open.append(_Element(name, attributes))

    def _end(self, name: str) -> None:
        value = self._open.pop().value(item_lists=self._item_lists)
        if self._open:
            self._open[-1].children.append((name, value))
        else:
            self.root, self.value = name, value

    def _text(self, text: str) -> None:
        self._open[-1].text.append(text)


def _refuse_doctype(*_: object) -> NoReturn:
    raise XmlError("XML with a DOCTYPE is refused")
