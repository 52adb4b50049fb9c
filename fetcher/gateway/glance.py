"""The quick look: is this plainly the answer that was asked for? Yes is certain; no means that `envelopes` must look.

It must not know what errors mean.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from fetcher.gateway.api import Form
from fetcher.gateway.clean import BROKEN, Level, id_reader, ids_type, way_reader, way_type
from fetcher.gateway.depth import is_too_deep

_NOTHING: Final = (b"{}", b"[]", b'""')


class _Any(Level, gc=False):
    result: Level | list[msgspec.Raw] | str | int | float | bool | None = None


class Glance:
    """The quick look at the answers of one form."""

    __slots__ = ("_decode", "_id", "_thing")

    def __init__(self, form: Form) -> None:
        kind: Any = _Any
        self._thing = self._id = None
        if form.things:
            path, *others = form.things
            leaf = ids_type(form.ids) if form.ids else msgspec.Raw
            kind = way_type(path, leaf, ["result", *(other[0] for other in others)])
            self._thing = way_reader(path)
            self._id = id_reader(form.ids) if form.ids else None
        self._decode = msgspec.json.Decoder(kind).decode

    def is_clean(self, body: bytes, asked: str) -> bool:
        """Whether `body` is valid JSON in UTF-8 that tells of no error and names the ID that was asked for."""
        try:
            answer = self._decode(body)
            # The decoder does not check UTF-8 in what it skips.
            if not body.isascii():
                body.decode()
        except BROKEN:
            return False
        if is_too_deep(body):
            return False
        if self._thing is None:
            return _no_failure(answer)
        thing = self._thing(answer)
        if thing is None:
            return False
        return bytes(thing) not in _NOTHING if self._id is None else str(self._id(thing)) == asked


def _no_failure(answer: Any) -> bool:
    inner = answer.result.success if isinstance(answer.result, Level) else None
    return answer.success is not False and inner is not False
