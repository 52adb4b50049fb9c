"""How deep may an answer be? Pure bytes; it must not know what is in them."""

from __future__ import annotations

import re
from typing import Final

MAX_DEPTH: Final = 200
"""Real answers are about eight deep; common parsers give up between 255 and 1000."""

_ESCAPES: Final = re.compile(rb"\\.", re.DOTALL)
_STRINGS: Final = re.compile(rb'"[^"]*"')
_SQUARE: Final = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))


def is_too_deep(body: bytes) -> bool:
    """Whether JSON is nested deeper than `MAX_DEPTH`. For what is no JSON either answer may come.

    The usual answer has few brackets and is settled by counting them. Taking them away hops from one to the next,
    where `count` looks at every byte: 0.3 to 1.5 µs for 5 KB and not 3.
    """
    if len(body) - len(body.replace(b"{", b"").replace(b"[", b"")) <= MAX_DEPTH:
        return False
    brackets = _STRINGS.sub(b"", _ESCAPES.sub(b"", body)).translate(_SQUARE, _NO_BRACKETS)
    for _ in range(MAX_DEPTH):  # each round takes the innermost level away
        rest = brackets.replace(b"[]", b"")
        if not rest:
            return False
        if len(rest) == len(brackets):
            break
        brackets = rest
    return True
