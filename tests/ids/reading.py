"""Inputs in memory: streams that hand over what a test wants in the pieces that it wants."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import Any

from fetcher.ids import Source, SourceCounts, open_source
from fetcher.model import Failure, Item


class Pieces(io.RawIOBase):
    """A pipe that brings these pieces, one a read; they may be made while it is read."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces: Iterator[bytes] = iter(pieces)

    def read(self, size: int = -1) -> bytes:
        return next((piece for piece in self._pieces if piece), b"")


def cut(data: bytes, sizes: Iterable[int]) -> list[bytes]:
    """`data` in pieces of these sizes, the rest in one."""
    pieces = []
    for size in sizes:
        pieces.append(data[:size])
        data = data[size:]
    return [*pieces, data]


def stdin(data: bytes | Iterable[bytes], **options: Any) -> Source:
    """A source that reads `data` (or pieces of it) from stdin."""
    stream: Any = io.BytesIO(data) if isinstance(data, bytes) else Pieces(data)
    return open_source("-", stdin=stream, wall_ms=lambda: 1_700_000_000_000, **{"numeric": True, **options})


def drain(source: Source, n: int = 1000) -> list[Item | Failure]:
    """All that is left."""
    found: list[Item | Failure] = []
    while lot := source.read(n):
        assert len(lot) <= n
        found += lot
    return found


def ids(found: Iterable[Item | Failure]) -> list[str]:
    """The good IDs."""
    return [one.id for one in found if isinstance(one, Item)]


def codes(found: Iterable[Item | Failure]) -> list[str | None]:
    """Why the bad ones are bad."""
    return [one.error.code for one in found if isinstance(one, Failure)]


def balanced(counts: SourceCounts) -> bool:
    """The law: each line is counted once."""
    aside = counts.blank + counts.comments + counts.header
    return counts.lines == aside + counts.duplicates + counts.known + counts.fresh + counts.bad + counts.items
