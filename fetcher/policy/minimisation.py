r"""Which fields of an answer are kept: what nobody needs is not stored, least of all what is about people.

A path is a row of steps (`fetcher.settings.field_steps`): names lead into members, and through lists into each of their
elements; `*` is any member or element. What stays keeps its own bytes, value for value; only the objects and lists on
the way to what is left out are written anew.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, TypeAlias

import msgspec

Path: TypeAlias = tuple[str, ...]
_Places: TypeAlias = list[tuple[int, int]]
"""Where one stands: (which path, how many of its steps are taken)."""

_OBJECT: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LIST: Final = msgspec.json.Decoder(list[msgspec.Raw])
_WRITTEN: Final = msgspec.json.Encoder()

# Half an emoji (`\ud83d` alone) is valid JSON that the parser refuses: it is shielded on the way. A pair becomes two
# shielded halves, and is whole again afterwards.
_ESCAPE: Final = re.compile(rb"\\(u[dD][89a-fA-F][0-9a-fA-F]{2}|.)", re.DOTALL)
_SHIELDED: Final = re.compile(rb"\\u0000(u[dD][89a-fA-F][0-9a-fA-F]{2})\\u0000")


class FieldFilter:
    """Args:
    keep: only these; none: all.
    drop: not these, wherever they would be kept.
    """

    def __init__(self, keep: Sequence[Path] = (), drop: Sequence[Path] = ()) -> None:
        self._keep, self._drop = _Paths(keep), _Paths(drop)

    def apply(self, payload: bytes) -> bytes:
        """The answer without what is not to be stored.

        Raises:
            ValueError: it is no JSON that can be taken apart; then it must not be stored.
        """
        try:
            return self._apply(payload)
        except (msgspec.DecodeError, UnicodeDecodeError):
            shielded = _ESCAPE.sub(_shield, payload)
        except RecursionError:
            raise ValueError("it is nested too deep to leave fields out") from None
        try:
            return _SHIELDED.sub(rb"\\\1", self._apply(shielded))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise ValueError(f"fields cannot be left out of it: {type(error).__name__}") from None

    def _apply(self, payload: bytes) -> bytes:
        if self._keep.paths:
            payload = self._keep.kept(payload, self._keep.start)
        return self._drop.rest(payload, self._drop.start) if self._drop.paths else payload

    @property
    def unmatched(self) -> tuple[Path, ...]:
        """Paths that have led to nothing so far: perhaps misspelt, and then something is stored that should not be."""
        return (*self._keep.unmatched, *self._drop.unmatched)


class _Paths:
    """Some paths, followed all at once."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths = tuple(paths)
        self.start: _Places = [(number, 0) for number in range(len(self.paths))]
        self._matches = [0] * len(self.paths)

    @property
    def unmatched(self) -> tuple[Path, ...]:
        return tuple(path for path, count in zip(self.paths, self._matches, strict=True) if not count)

    def rest(self, raw: bytes | msgspec.Raw, places: _Places) -> bytes:
        """What is left when the paths' ends are taken out."""
        text = bytes(raw)
        begin = text.lstrip()[:1]
        if begin == b"{":
            members, touched = _OBJECT.decode(text), False
            for name in self._of_interest(members, places):
                touched |= self._thin(members, name, self._into(places, name))
            return _WRITTEN.encode(members) if touched else text
        if begin == b"[":
            further, elements = self._through(places), _LIST.decode(text)
            if self._ended(further):
                return b"[]"
            left = [msgspec.Raw(self.rest(element, further)) for element in elements]
            return _WRITTEN.encode(left)
        return text

    def _thin(self, members: dict[str, msgspec.Raw], name: str, further: _Places) -> bool:
        if self._ended(further):
            del members[name]
            return True
        before = members[name]
        after = self.rest(before, further)
        members[name] = msgspec.Raw(after)
        return after != bytes(before)

    def kept(self, raw: bytes | msgspec.Raw, places: _Places) -> bytes:
        """The paths' ends, in the objects and lists that lead to them; of anything else nothing."""
        text = bytes(raw)
        begin = text.lstrip()[:1]
        if begin == b"{":
            members, left = _OBJECT.decode(text), {}
            for name in self._of_interest(members, places):
                if (kept := self._what_is_kept(members[name], self._into(places, name))) is not None:
                    left[name] = kept
            return _WRITTEN.encode(left)
        if begin == b"[":
            further = self._through(places)
            found = (self._what_is_kept(element, further) for element in _LIST.decode(text))
            return _WRITTEN.encode([left for left in found if left is not None])
        return text

    def _what_is_kept(self, value: msgspec.Raw, places: _Places) -> msgspec.Raw | None:
        if self._ended(places):
            return value
        leads_on = bytes(value)[:1] in (b"{", b"[")
        return msgspec.Raw(self.kept(value, places)) if leads_on else None

    def _of_interest(self, members: dict[str, msgspec.Raw], places: _Places) -> list[str]:
        """Members that a path leads into, in their order: a look at each would cost more than all else."""
        names = {self.paths[path][at] for path, at in places}
        return list(members) if "*" in names else [name for name in members if name in names]

    def _into(self, places: _Places, name: str) -> _Places:
        """Where one stands within a member."""
        return [(path, at + 1) for path, at in places if self.paths[path][at] in (name, "*")]

    def _through(self, places: _Places) -> _Places:
        """Where one stands within each element of a list."""
        return [(path, at + 1 if self.paths[path][at] == "*" else at) for path, at in places]

    def _ended(self, places: _Places) -> bool:
        found = False
        for path, at in places:
            if at == len(self.paths[path]):
                self._matches[path] += 1
                found = True
        return found


def _shield(found: re.Match[bytes]) -> bytes:
    return rb"\u0000%b\u0000" % found[1] if len(found[1]) > 1 else found[0]
