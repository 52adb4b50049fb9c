"""The answer to a call about many IDs, taken apart: the elements of its list, each with its own bytes and its ID.

    bytes ─ quick look ─▶ elements, as slices of the answer: nothing is rounded or written anew
          └ otherwise: find the list by its place in the answer

It must not know which IDs were asked for, nor what is to be done about one that is missing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, TypeAlias

import msgspec

from fetcher.gateway.apis import Listing
from fetcher.gateway.depth import is_too_deep
from fetcher.gateway.glance import Id, Level

Path: TypeAlias = tuple[str, ...]

_BROKEN: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Lists:
    """Takes the answers of one API apart."""

    __slots__ = ("_answer", "_element", "_id_paths", "_list_path", "_list_paths")

    def __init__(self, listing: Listing) -> None:
        self._list_paths, self._id_paths = listing.lists, listing.ids
        self._list_path = listing.lists[0]
        self._answer = msgspec.json.Decoder(_answer_type(self._list_path))
        self._element = msgspec.json.Decoder(_element_type(listing.ids))

    def glance(self, body: bytes) -> list[msgspec.Raw] | None:
        """The elements of an answer that is valid JSON in UTF-8, of the documented form, and tells of no error."""
        try:
            found: Any = self._answer.decode(body)
            # The decoder does not check UTF-8 in what it skips.
            if not body.isascii():
                body.decode()
        except _BROKEN:
            return None
        if is_too_deep(body):
            return None
        for name in self._list_path:
            if found is None or found.success is False:
                return None
            found = getattr(found, name)
        return found if isinstance(found, list) else None

    def elements(self, payload: bytes) -> list[msgspec.Raw] | None:
        """The elements of an answer without an error, wherever its list stands; None: it has none.

        A place that is there and holds nothing is an empty list.

        Args:
            payload: JSON in UTF-8.
        """
        empty: list[msgspec.Raw] | None = None
        for path in self._list_paths:
            found = _raw_at(payload, path)
            if found is None:
                continue
            text = bytes(found)
            if text.startswith(b"["):
                return msgspec.json.decode(text, type=list[msgspec.Raw])
            if text in (b"null", b'""', b"{}"):
                empty = []
        return empty

    def clean_id(self, element: msgspec.Raw) -> Id:
        """The ID of an element that tells of no error; None: look closer."""
        try:
            found: Any = self._element.decode(element)
        except _BROKEN:
            return None
        return None if found.success is False else _first_id(found, self._id_paths)


def _raw_at(payload: bytes | msgspec.Raw, path: Path) -> msgspec.Raw | None:
    raw = msgspec.Raw(payload) if isinstance(payload, bytes) else payload
    for name in path:
        try:
            level = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
        except _BROKEN:
            return None
        if name not in level:
            return None
        raw = level[name]
    return raw


def _answer_type(path: Path) -> Any:
    """A type that admits a clean answer whose list stands at `path`, and nothing else."""
    kind: Any = list[msgspec.Raw]
    for name in reversed(path):
        kind = msgspec.defstruct("Answer", [(name, kind | None, None)], bases=(Level,), gc=False)
    return kind


def _element_type(paths: Iterable[Path]) -> Any:
    """A type that admits a clean element and reads its ID at the first of `paths` that is there."""
    return _level_type(tuple(paths), (Level,))


def _level_type(paths: tuple[Path, ...], bases: tuple[type, ...] | None) -> Any:
    fields: list[tuple[str, Any, None]] = []
    for name in dict.fromkeys(path[0] for path in paths):
        deeper = tuple(path[1:] for path in paths if path[0] == name and len(path) > 1)
        fields.append((name, _level_type(deeper, None) | None if deeper else Id, None))
    return msgspec.defstruct("Element", fields, bases=bases, gc=False)


def _first_id(found: Any, paths: Iterable[Path]) -> Id:
    for path in paths:
        value = found
        for name in path:
            value = None if value is None else getattr(value, name)
        if value is not None:
            return value  # type: ignore[no-any-return]
    return None
