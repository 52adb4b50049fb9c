"""The answer to a call about many IDs, taken apart: the elements of its list, each with its own bytes and its ID.

    bytes ─ quick look ─▶ elements, as slices of the answer: nothing is rounded or written anew
          └ otherwise: find the list by its place in the answer

It must not know which IDs were asked for, nor what is to be done about one that is missing.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from fetcher.gateway.api import RESPONSE, Listing, Path
from fetcher.gateway.clean import BROKEN, Id, Level, id_reader, ids_type, way_reader, way_type
from fetcher.gateway.depth import is_too_deep

_NOTHING: Final = (b"null", b'""', b"{}")


class Lists:
    """Takes the answers of one API apart."""

    __slots__ = ("_decode", "_decode_element", "_id", "_list", "_paths")

    def __init__(self, listing: Listing) -> None:
        self._paths = listing.lists
        self._decode = msgspec.json.Decoder(way_type(listing.lists[0], list[msgspec.Raw])).decode
        self._list = way_reader(listing.lists[0])
        self._decode_element = msgspec.json.Decoder(ids_type(listing.ids, (Level,))).decode
        self._id = id_reader(listing.ids)

    def glance(self, body: bytes) -> list[msgspec.Raw] | None:
        """The elements of an answer that is valid JSON in UTF-8, of the documented form, and tells of no error."""
        try:
            answer = self._decode(body)
            # The decoder does not check UTF-8 in what it skips.
            if not body.isascii():
                body.decode()
        except BROKEN:
            return None
        found: list[msgspec.Raw] | None = None if is_too_deep(body) else self._list(answer)
        return found

    def elements(self, payload: bytes) -> list[msgspec.Raw] | None:
        """The elements of an answer without an error, wherever its list stands; None: it has none.

        A place that is there and holds nothing is an empty list; so is one that is missing in an object which could
        stand in no other answer (`items_seller_list_get_response`).

        Args:
            payload: JSON in UTF-8.
        """
        empty: list[msgspec.Raw] | None = None
        for path in self._paths:
            text = _text_at(payload, path)
            if text.startswith(b"["):
                return msgspec.json.decode(text, type=list[msgspec.Raw])
            if text.startswith(b"{") and self.clean_id(msgspec.Raw(text)) is not None:
                return [msgspec.Raw(text)]  # a list of one, from XML that does not mark its lists
            own = len(path) > 1 and path[0].endswith(RESPONSE) and not text and _text_at(payload, path[:1])
            if text in _NOTHING or own:
                empty = []
        return empty

    def clean_id(self, element: msgspec.Raw) -> Id:
        """The ID of an element that tells of no error; None: look closer."""
        try:
            found: Any = self._decode_element(element)
        except BROKEN:
            return None
        return None if found.success is False else self._id(found)


def _text_at(payload: bytes, path: Path) -> bytes:
    """The JSON text at `path`; empty where there is nothing."""
    raw = msgspec.Raw(payload)
    for name in path:
        try:
            raw = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])[name]
        except (*BROKEN, KeyError):
            return b""
    return bytes(raw)
