"""A call written down once, with gaps: only what asks for an ID, the time and the signature differ between calls.

What is signed and what is sent are cut where the two values stand; a call is then three joins and a signature. It must
not know which API is called, nor clocks.

Where the parameters are sorted by their names, or not at all, the gaps are always at the same place. Where the strings
name+value are sorted as wholes, a string s and the gap's n+x (x: any value) compare alike for every x unless s begins
with n: either they differ within n, or s is a true beginning of n and stands before it. So there is no template when a
string begins with a gap's name; such calls are written out each time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from fetcher.gateway.calls import encode_pair, quoted
from fetcher.model import Request

Pair = tuple[str, str]
MARKS: Final = ("\ue000", "\ue001")
"""Stand for the two values while the template is cut; no parameter has them, or there is no template."""


class Layout(msgspec.Struct, frozen=True):
    """A call's parameters in the order in which they are sent."""

    pairs: tuple[Pair, ...]
    value: int
    """Index of the pair that asks for IDs."""
    stamp: int | None
    """Index of the pair that tells the time."""


class Template:
    """Writes calls. Made by `make_template`."""

    __slots__ = (
        "_is_get",
        "_method",
        "_path",
        "_shown_stamp",
        "_sign",
        "_signed",
        "_signed_swapped",
        "_stamp",
        "_wire",
        "_wire_swapped",
    )

    def __init__(self, method: str, path: str, sign: Callable[[str], str], signed: str, wire: str) -> None:
        self._stamp = self._shown_stamp = ""
        self._method, self._path, self._sign, self._is_get = method, path, sign, method == "GET"
        self._signed, self._signed_swapped = _cut(signed)
        self._wire, self._wire_swapped = _cut(f"{path}?{wire}" if self._is_get else wire)

    def write(self, value: str, stamp: str) -> Request:
        """The request for these values, `stamp` empty where no time is sent. It is a secret."""
        before, between, after = self._signed
        signature = self._sign(
            f"{before}{stamp}{between}{value}{after}"
            if self._signed_swapped
            else f"{before}{value}{between}{stamp}{after}"
        )
        before, between, after = self._wire
        shown = value if value.isalnum() and value.isascii() else quoted(value)
        if stamp != self._stamp:  # the same for all calls of a second, where it is in seconds
            self._stamp, self._shown_stamp = stamp, quoted(stamp)
        stamp = self._shown_stamp
        wire = (
            f"{before}{stamp}{between}{shown}{after}{signature}"
            if self._wire_swapped
            else f"{before}{shown}{between}{stamp}{after}{signature}"
        )
        return Request(self._method, wire) if self._is_get else Request(self._method, self._path, wire.encode())


def make_template(
    request: Pair,
    signature_name: str,
    text: Callable[[Sequence[Pair]], str],
    sign: Callable[[str], str],
    layout: Layout,
) -> Template | None:
    """A template, or None where the place of a gap in what is signed depends on what stands in it.

    Args:
        request: method and path.
        signature_name: of the last parameter.
        text: parameters → what is signed.
        sign: what is signed → the signature.
        layout: the parameters; the values at its two indexes do not matter.
    """
    gaps = {layout.value: MARKS[0]} | ({} if layout.stamp is None else {layout.stamp: MARKS[1]})
    names = [layout.pairs[index][0] for index in gaps]
    fixed = ["".join(pair) for index, pair in enumerate(layout.pairs) if index not in gaps]
    moved = [other for name in names for other in (*fixed, *names) if other is not name and other.startswith(name)]
    if moved or any(mark in other for other in (*fixed, *names) for mark in MARKS):
        return None
    pairs = [(name, gaps.get(index, value)) for index, (name, value) in enumerate(layout.pairs)]
    sent = [
        f"{quoted(name)}={gaps[index]}" if index in gaps else encode_pair(name, value)
        for index, (name, value) in enumerate(pairs)
    ]
    return Template(*request, sign, text(pairs), f"{'&'.join(sent)}&{signature_name}=")


def _cut(text: str) -> tuple[tuple[str, str, str], bool]:
    """Before, between and after the gaps; whether the time comes first."""
    value, stamp = MARKS
    if stamp not in text:
        before, _, after = text.partition(value)
        return (before, "", after), True  # an empty stamp stands before all
    swapped = text.index(stamp) < text.index(value)
    first, second = (stamp, value) if swapped else (value, stamp)
    before, _, rest = text.partition(first)
    between, _, after = rest.partition(second)
    return (before, between, after), swapped
