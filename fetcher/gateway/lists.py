"""The answer to a call about many IDs, taken apart: the elements of its list, each with its own bytes and its ID.

    bytes ─ quick look ─▶ elements, as slices of the answer: nothing is rounded or written anew
          └ otherwise: find the list by its place in the answer

It must not know which IDs were asked for, nor what is to be done about one that is missing.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from fetcher.gateway.api import RESPONSE, Listing
from fetcher.gateway.clean import BROKEN, Id, Level, id_reader, ids_type, way_reader, way_type
from fetcher.gateway.depth import is_too_deep
from fetcher.gateway.slices import elements_of, slice_at

_NOTHING: Final = ("null", '""', "{}")


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
            payload: JSON in UTF-8 that has been read.
        """
        empty: list[msgspec.Raw] | None = None
        whole = payload.decode()
        for path in self._paths:
            text = slice_at(whole, path)
            if text.startswith("["):
                return [msgspec.Raw(element.encode()) for element in elements_of(text)]
            if text.startswith("{") and self._says_id(text):
                return [msgspec.Raw(text.encode())]  # a list of one, from XML that does not mark its lists
            own = len(path) > 1 and path[0].endswith(RESPONSE) and not text and slice_at(whole, path[:1])
            if text in _NOTHING or own:
                empty = []
        return empty

    def _says_id(self, text: str) -> bool:
        return self.clean_id(msgspec.Raw(text.encode())) is not None

    def clean_id(self, element: msgspec.Raw) -> Id:
        """The ID of an element that tells of no error; None: look closer."""
        try:
            found: Any = self._decode_element(element)
        except BROKEN:
            return None
        return None if found.success is False else self._id(found)
