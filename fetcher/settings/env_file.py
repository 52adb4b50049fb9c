"""Reads `KEY=VALUE` files: `.env` and secrets files. It must not know which keys matter.

The grammar (a common part of what shells and other tools read; nothing is ever expanded or run):

    # a comment                     KEY=value   # a comment after white space
    export KEY=value                KEY='as it stands, $too'
    KEY=                            KEY="with \\n \\t \\" \\\\ \\$, may span lines"
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_KEY: Final = re.compile(r"(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.\-]*)[ \t]*=[ \t]*")
_SINGLE: Final = re.compile(r"'([^']*)'")
_DOUBLE: Final = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_COMMENT: Final = re.compile(r"[ \t]*(?:#.*)?$")
_BARE_COMMENT: Final = re.compile(r"(?:^|[ \t])#.*$")
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_MEANS: Final = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "'": "'", "\\": "\\", "$": "$"}


@dataclass(frozen=True)
class Variable:
    """One assignment."""

    key: str
    value: str
    line: int
    """Where it begins, counted from 1."""


@dataclass(frozen=True)
class Unreadable:
    """A line that is no assignment. Its text is not kept: it may be a secret."""

    line: int
    reason: str


def parse_env(text: str) -> list[Variable | Unreadable]:
    """What the text says, in its order. Takes LF and CRLF, with or without a byte order mark."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    found: list[Variable | Unreadable] = []
    start = 0
    while start < len(text):
        line = text.count("\n", 0, start) + 1
        end = _end_of_line(text, start)
        stripped = text[start:end].strip()
        if stripped and not stripped.startswith("#"):
            entry, end = _assignment(text, start + _indent(text[start:end]), end, line)
            found.append(entry)
        start = end + 1
    return found


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _end_of_line(text: str, start: int) -> int:
    end = text.find("\n", start)
    return len(text) if end < 0 else end


def _assignment(text: str, start: int, end: int, line: int) -> tuple[Variable | Unreadable, int]:
    """The assignment that begins at `start`, and the end of the last line that it takes."""
    key = _KEY.match(text, start, end)
    if key is None:
        return Unreadable(line, "is not KEY=VALUE"), end
    first = text[key.end() : key.end() + 1]
    if first not in ("'", '"') or key.end() == end:
        value = _BARE_COMMENT.sub("", text[key.end() : end]).strip()
        return Variable(key[1], value, line), end
    quoted = (_SINGLE if first == "'" else _DOUBLE).match(text, key.end())
    if quoted is None:
        return Unreadable(line, f"opens a quote ({first}) that is never closed"), len(text)
    end = _end_of_line(text, quoted.end())
    if not _COMMENT.match(text, quoted.end(), end):
        return Unreadable(line, "has text after the closing quote"), end
    value = quoted[1] if first == "'" else _ESCAPED.sub(lambda found: _MEANS.get(found[1], found[0]), quoted[1])
    return Variable(key[1], value, line), end
