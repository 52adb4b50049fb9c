"""Text that cannot play with a terminal: control characters become visible, and how wide it will be.

Messages of the gateway, lines of the input and names of files reach the screen; an escape sequence in them could hide
or forge lines. It knows nothing of secrets: redact afterwards, so that no control character hides half of one.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import Final

_CONTROLS: Final = [*range(0x20), *range(0x7F, 0xA0)]
_DIRECTIONS: Final = [0x061C, 0x200E, 0x200F, 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
"""They reorder or break what is shown (CVE-2021-42574)."""
_SURROGATES: Final = range(0xD800, 0xE000)
"""Not encodable: a stream would raise."""
_LINES: Final = (0x09, 0x0A)


@cache
def _names(keep_lines: bool) -> dict[int, str]:
    """In the notation of JSON, so that a JSON line stays one."""
    kept = _LINES if keep_lines else ()
    return {code: f"\\u{code:04x}" for code in (*_CONTROLS, *_DIRECTIONS, *_SURROGATES) if code not in kept}


def visible(text: str, *, keep_lines: bool = False) -> str:
    """The text with control characters as `\\u001b` and the like.

    Args:
        keep_lines: newlines and tabs stay (a traceback needs them).
    """
    return text if text.isprintable() else text.translate(_names(keep_lines))


def cells(text: str) -> int:
    """Columns that the text takes on a terminal: Chinese characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(_width(character) for character in text)


def _width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def cut(text: str, width: int) -> str:
    """At most `width` columns; what is cut ends in `…`."""
    if cells(text) <= width:
        return text
    taken, used = [], 0
    for character in text:
        used += _width(character)
        if used > width - 1:
            break
        taken.append(character)
    return "".join(taken) + "…"
