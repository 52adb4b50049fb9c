"""Is this text an ID? Pure: text in, verdict out.

Numeric APIs take 1 … 2^63-1 in ASCII digits. What a spreadsheet or a browser made of such a number is put right where
nothing is lost, and refused by name where something is. Other APIs take any short text that can be sent.
"""

from __future__ import annotations

import re
import unicodedata
from hashlib import blake2b
from typing import ClassVar, Final

import msgspec

from fetcher.model import ErrorInfo, Failure, Kind

MAX_CHARACTERS: Final = 200
"""Of an ID that is no number, and of what is shown of a bad one."""

LONGEST_DIGITS: Final = 19
LARGEST: Final = "9223372036854775807"
"""2^63-1: the gateway's `Long`."""

SPACES: Final = " \t\u00a0\u1680" + "".join(map(chr, range(0x2000, 0x200C))) + "\u202f\u205f\u3000\ufeff"
"""Stripped from both ends. Not what `str.strip` takes away besides: control characters are never let by."""

_DIGEST_CHARACTERS: Final = 16
_LONGEST_REPAIRABLE: Final = 2048
_UNSENDABLE: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
_UNSEEN: Final = _UNSENDABLE | {"Cf"}

_EXPONENT = r"[+-]?[0-9]+(?:[.,][0-9]*)?[eE][+-]?[0-9]+"
_FRACTION = r"[+-]?[0-9]*[.,][0-9]+"
_SIGNED = r"[+\-−＋－][0-9]+(?:\.0*)?"
_UNDERSCORED = r"[0-9]+(?:_[0-9]+)+"
_SEVERAL = r"[0-9]+(?:[\s,;|/，、；]+[0-9]+)+"

_MESSAGES: Final = {
    "empty": "there is no ID",
    "control_character": "holds a control character",
    "undecodable": "holds bytes that are not text in the file's encoding",
    "too_long": "is too long for an ID",
    "zero": "an ID is a positive number",
    "too_large": "is larger than an ID can be (2^63-1)",
    "spreadsheet_exponent": "a spreadsheet has cut digits off: format the column as text and export again",
    "spreadsheet_rounded": "a spreadsheet has rounded this number: format the column as text and export again",
    "url_without_id": "a link in which no single product ID is found",
    "sign": "an ID has no sign",
    "underscore": "an ID has no underscores",
    "fraction": "an ID is a whole number",
    "non_ascii_digit": "holds digits that are not ASCII (full-width, for example)",
    "several_ids": "holds several numbers: one ID a line",
    "not_digits": "an ID is made of digits",
}


class Checked(msgspec.Struct, frozen=True, gc=False):
    """A good ID in its canonical form."""

    id: str
    repair: str | None = None
    """What was put right, if anything: `url`, `thousands`, …"""


class Bad(msgspec.Struct, frozen=True, gc=False):
    """No ID. The message never repeats the text."""

    id: ClassVar[None] = None
    code: str
    message: str


def bad(code: str) -> Bad:
    """The verdict of that name."""
    return Bad(code, _MESSAGES[code])


def check_id(text: str, numeric: bool) -> Checked | Bad:
    """Judge one text.

    Args:
        text: as it stands in the input; white space round it does not matter.
        numeric: the API takes numbers only.

    Examples:
        >>> check_id("0610947572360", numeric=True)
        Checked(id='610947572360', repair='leading_zeros')
    """
    if text.isascii() and text.isdigit() and text[0] != "0" and len(text) < LONGEST_DIGITS:
        return Checked(text)
    text = text.strip(SPACES)
    if not text:
        return bad("empty")
    if code := _unsendable(text):
        return bad(code)
    if numeric:
        return _number(text)
    return Checked(text) if len(text) <= MAX_CHARACTERS else bad("too_long")


def _unsendable(text: str) -> str | None:
    """Control characters (line ends and terminal sequences among them), halves of surrogate pairs, lost characters."""
    if "\ufffd" in text:
        return "undecodable"
    if text.isprintable():
        return None
    return "control_character" if any(unicodedata.category(c) in _UNSENDABLE for c in text) else None


def _number(text: str) -> Checked | Bad:
    if len(text) > _LONGEST_REPAIRABLE:
        return bad("too_long")
    from fetcher.ids.damage import undo, unwrap

    bare, wrapping = unwrap(text)
    if _is_digits(bare):
        return _canonical(bare, wrapping)
    if undone := undo(bare):
        return _canonical(undone.digits, undone.name) if undone.digits else bad(undone.name)
    return bad(_name_of(bare))


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()  # `isdigit` alone takes full-width ones


def _canonical(digits: str, repair: str | None) -> Checked | Bad:
    number = digits.lstrip("0")
    if not number:
        return bad("zero")
    if len(number) > LONGEST_DIGITS or (len(number) == LONGEST_DIGITS and number > LARGEST):
        return bad("too_large")
    return Checked(number, repair or (None if number == digits else "leading_zeros"))


def _name_of(text: str) -> str:
    """What is wrong with a text that is not a number, most telling first."""
    for pattern, code in (
        (_EXPONENT, "spreadsheet_exponent"),
        (_SIGNED, "sign"),
        (_UNDERSCORED, "underscore"),
        (_FRACTION, "fraction"),
        (_SEVERAL, "several_ids"),
    ):
        if re.fullmatch(pattern, text):
            return code
    if not text.isascii() and all(c.isdigit() for c in text):
        return "non_ascii_digit"
    return "not_digits" if text else "empty"


def shown_id(text: str, digest: str | None = None) -> str:
    """A bad ID's text as it goes to the failed file: nothing unseen in it, at most 200 characters.

    Different texts stay different, so that each has its own line there: what is cut off leaves its digest.

    Args:
        text: what stood in the input, or (with `digest`) its beginning.
        digest: of the whole text, where the caller could not keep all of it.
    """
    text = text.strip(SPACES)
    whole = text
    if not text.isprintable():
        text = "".join(_visible(c) for c in text[: MAX_CHARACTERS + 1])
    if digest is None and len(text) <= MAX_CHARACTERS:
        return text
    digest = digest or blake2b(whole.encode("utf-8", "surrogatepass"), digest_size=_DIGEST_CHARACTERS // 2).hexdigest()
    return f"{text[: MAX_CHARACTERS - _DIGEST_CHARACTERS - 1]}…{digest}"


def _visible(character: str) -> str:
    if unicodedata.category(character) not in _UNSEEN:
        return character
    return character.encode("unicode_escape").decode("ascii")


def bad_id(raw: str, verdict: Bad, *, line: int, wall_ms: int) -> Failure:
    """The failure of a line that holds no good ID.

    Args:
        raw: what stood in the place of the ID.
        verdict: why it is none.
        line: of the input, counted from 1.
        wall_ms: now, milliseconds since 1970 UTC.
    """
    error = ErrorInfo(
        kind=Kind.BAD_ID,
        code=verdict.code,
        message=f"line {line}: {verdict.message}",
        http_status=None,
        permanent=True,
        line=line,
    )
    return Failure(id=shown_id(raw), fetched_at_ms=wall_ms, attempts=0, latency_ms=0.0, error=error)
