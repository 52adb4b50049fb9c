"""What spreadsheets, browsers and people do to a number, and how to undo it where nothing is lost.

Pure: text in, text out. It is asked only about texts that are not plain digits, so it may take its time.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

EXACT_FLOAT: Final = 2**53
"""Beyond it a spreadsheet's numbers (IEEE 754 doubles) have lost their last digits."""

_QUOTES: Final = {'"': '"', "'": "'", "“": "”", "‘": "’", "„": "“"}
_APOSTROPHES: Final = ("'", "’", "‘", "`")

_DECIMAL = re.compile(r"([0-9]+)\.(0*)")
_GROUPED = re.compile(r"[0-9]{1,3}([,，'’ \u00a0\u2009\u202f])[0-9]{3}(?:\1[0-9]{3})*|[0-9]{1,3}(?:\.[0-9]{3}){2,}")
_NOT_DIGIT = re.compile(r"[^0-9]")
_URL = re.compile(r"(?:(?:https?:)?//)?(?:[\w-]+\.)*1688\.com(?::[0-9]+)?(/[^?#]*)?(?:\?([^#]*))?(?:#.*)?", re.I | re.A)
_OFFER_PATH = re.compile(r"/offer/([0-9]+)\.html?", re.I)
_OFFER_QUERY = re.compile(r"(?:^|&)offerId=([0-9]+)(?=&|$)", re.I)


class Undone(NamedTuple):
    """Digits that were found in a damaged text, and the damage's name; without digits it cannot be undone."""

    digits: str | None
    name: str


def unwrap(text: str) -> tuple[str, str | None]:
    """Take off what keeps a spreadsheet from reading a text as a number: `="610"`, `"610"`, `'610`.

    Returns:
        What was inside, and the outermost wrapping's name (None: there was none).
    """
    name: str | None = None
    for _ in range(4):  # a quoted formula in a quoted cell is as deep as it has been seen
        if text[:1] == "=" and len(text) > 1:
            text, found = text[1:].strip(), "formula"
        elif len(text) > 1 and _QUOTES.get(text[0]) == text[-1]:
            text, found = text[1:-1].strip(), "quotes"
        elif text.startswith(_APOSTROPHES):
            text, found = text[1:].strip(), "apostrophe"
        else:
            break
        name = name or found
    return text, name


def undo(text: str) -> Undone | None:
    """Undo a link, a spreadsheet's decimal point or thousands separators; None: it is none of them."""
    if match := _URL.fullmatch(text):
        return _from_url(match[1] or "", match[2] or "")
    if match := _DECIMAL.fullmatch(text):
        exact = len(match[1]) <= 19 and int(match[1]) <= EXACT_FLOAT
        return Undone(match[1] if exact else None, "decimal_point" if exact else "spreadsheet_rounded")
    if _GROUPED.fullmatch(text):
        return Undone(_NOT_DIGIT.sub("", text), "thousands")
    return None


def _from_url(path: str, query: str) -> Undone:
    """A product page's ID. Two different ones in one link are none: it would be a guess."""
    ids = set(_OFFER_QUERY.findall(query))
    if match := _OFFER_PATH.fullmatch(path):
        ids.add(match[1])
    return Undone(ids.pop(), "url") if len(ids) == 1 else Undone(None, "url_without_id")
