"""In which charset an answer is written, by what is declared. It must not know what it says."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

UTF8_BOM: Final = b"\xef\xbb\xbf"

_CHARSET: Final = re.compile(r"""charset\s*=\s*["']?\s*([A-Za-z0-9._-]{1,40})""", re.IGNORECASE)
_CHINESE: Final = frozenset({"gbk", "gb2312", "gb18030", "gb_2312-80", "cp936", "x-gbk", "ms936", "windows-936"})
"""All subsets of GB18030. Any other name is read as UTF-8, the gateway's own: nothing unknown is handed to a codec, and
Java servers declare ISO-8859-1 where nobody has set anything."""


@lru_cache(maxsize=64)
def charset_of(content_type: str) -> str:
    """The charset that a `Content-Type` declares, in small letters; empty when it declares none."""
    found = _CHARSET.search(content_type)
    return found[1].lower() if found else ""


def is_chinese(charset: str) -> bool:
    """Whether a declared charset is one of the GB family."""
    return charset.lower() in _CHINESE


def decode_declared(body: bytes, charset: str) -> str:
    """The text of a body; a byte order mark goes.

    Raises:
        UnicodeDecodeError: the body is not text in its charset.
    """
    if body.startswith(UTF8_BOM):
        return body[len(UTF8_BOM) :].decode()
    return body.decode("gb18030" if is_chinese(charset) else "utf-8")
