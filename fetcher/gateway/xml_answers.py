"""XML answers become JSON by one rule, safe against entity bombs and external entities.

The rule: the root's content is the value. An element with children or attributes becomes an object; children of the
same name, and children named `list` or `item` where there are no others, become a list; an attribute is `"@name"`, text
beside children or attributes `"#text"`. Every leaf is text, an empty one `""`: no number is guessed, none is damaged.
Nobody publishes an XML answer of this gateway; refusals are looked for by the same names as in JSON.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, Final
from xml.parsers import expat

import msgspec

DEEPEST: Final = 200
_LISTS: Final = frozenset({"list", "item"})
_DECLARED: Final = re.compile(rb"""^<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_DECLARATION: Final = re.compile(r"^\s*<\?xml[^>]*\?>")
_CHARSET: Final = re.compile(r"""charset\s*=\s*["']?([A-Za-z0-9._-]{1,40})""", re.IGNORECASE)
_BOM: Final = "\N{ZERO WIDTH NO-BREAK SPACE}"


def charset_of(content_type: str) -> str:
    """The charset that a Content-Type names, lower case; empty when it names none. GB2312 is read as GB18030."""
    if "charset" not in content_type.lower():
        return ""
    found = _CHARSET.search(content_type)
    return _widened(found[1].lower()) if found else ""


def _widened(charset: str) -> str:
    return "gb18030" if charset in ("gbk", "gb2312", "gb_2312-80") else charset


def looks_like_xml(body: bytes, content_type: str) -> bool:
    """An XML document, and not a web page."""
    start = body[:64].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not start.startswith(b"<") or start.startswith((b"<!doctype html", b"<html")):
        return False
    return start.startswith(b"<?xml") or "html" not in content_type.lower()


class _Node:
    __slots__ = ("attributes", "children", "name", "text")

    def __init__(self, name: str, attributes: dict[str, str]) -> None:
        self.name, self.attributes = name, attributes
        self.children: list[_Node] = []
        self.text: list[str] = []

    def value(self) -> Any:
        """By the rule at the head of the file."""
        text = "".join(self.text)
        if not self.children and not self.attributes:
            return text
        if self.children and not self.attributes and all(child.name in _LISTS for child in self.children):
            return [child.value() for child in self.children]
        found: dict[str, Any] = {f"@{name}": value for name, value in self.attributes.items()}
        counts = Counter(child.name for child in self.children)
        for child in self.children:
            if counts[child.name] > 1:
                found.setdefault(child.name, []).append(child.value())
            else:
                found[child.name] = child.value()
        if text.strip():
            found["#text"] = text.strip() if self.children else text
        return found


def xml_to_json(body: bytes, charset: str = "") -> bytes:
    """The document as JSON text.

    Args:
        body: the XML document.
        charset: of the Content-Type; it wins over the document's own declaration (RFC 7303).

    Raises:
        ValueError: no XML, a DOCTYPE, deeper than 200, or not in its charset.
    """
    text = _decoded(body, charset)
    root = _Builder().build(text)
    name = root.name.rpartition(":")[2]
    value = root.value()
    # An error document keeps its name, so that it is found under it as in JSON.
    return msgspec.json.encode({name: value} if name == "error_response" else value)


def _decoded(body: bytes, charset: str) -> str:
    declared = _DECLARED.match(body[:200].lstrip(b"\xef\xbb\xbf"))
    encoding = charset or (_widened(declared[1].decode().lower()) if declared else "utf-8")
    try:
        text = body.decode(encoding)
    except LookupError:
        raise ValueError(f"an unknown charset: {encoding}") from None
    return _DECLARATION.sub("", text.lstrip(_BOM), count=1)


class _Builder:
    """Builds the tree, and refuses what could be used for harm before it is expanded."""

    def __init__(self) -> None:
        self._stack: list[_Node] = []
        self._root: _Node | None = None

    def build(self, text: str) -> _Node:
        parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._refuse
        parser.EntityDeclHandler = self._refuse
        parser.ExternalEntityRefHandler = self._refuse
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        try:
            parser.Parse(text.encode("utf-8", "surrogatepass"), True)
        except expat.ExpatError as error:
            raise ValueError(f"broken XML: {expat.errors.messages[error.code]}") from None
        if self._root is None:
            raise ValueError("an XML document without an element")
        return self._root

    def _refuse(self, *_: object) -> int:
        raise ValueError("an XML answer with a DOCTYPE is refused")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._stack) >= DEEPEST:
            raise ValueError(f"an XML answer deeper than {DEEPEST}")
        node = _Node(name, attributes)
        if self._stack:
            self._stack[-1].children.append(node)
        else:
            self._root = node
        self._stack.append(node)

    def _end(self, _name: str) -> None:
        self._stack.pop()

    def _characters(self, text: str) -> None:
        self._stack[-1].text.append(text)
