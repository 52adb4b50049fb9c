"""Compressed input, inflated in small pieces. A file that ends in the middle of itself is never taken for a whole one.

gzip and zstd, several members or frames one after the other. A bomb costs at most some megabytes at a time: a piece of
input is so small that the format cannot make more of it. It knows neither encodings nor lines.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Final, Protocol, TypeAlias

from fetcher.errors import InputError

_ENOUGH_BYTES: Final = 64 * 1024


class ByteSource(Protocol):
    """Blocks of bytes."""

    @property
    def position_bytes(self) -> int:
        """How far into the stored file it is."""
        ...

    def read(self) -> bytes:
        """The next block as soon as there is one; b"" at the end. Raises `InputError`."""
        ...


class _Member(Protocol):
    """What `zlib` and `zstandard` call a decompressobj."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


_Begin: TypeAlias = Callable[[], tuple[_Member, type[Exception]]]


class Compression:
    """A format: how a member is begun, and how much of the input may be given to it at once."""

    def __init__(self, name: str, magic: bytes, piece_bytes: int, begin: _Begin) -> None:
        self.name, self.magic, self.piece_bytes, self.begin = name, magic, piece_bytes, begin


def _begin_gzip() -> tuple[_Member, type[Exception]]:
    return zlib.decompressobj(wbits=31), zlib.error  # 31: gzip's head and checksum, both verified


def _begin_zstd() -> tuple[_Member, type[Exception]]:
    import zstandard

    return zstandard.ZstdDecompressor().decompressobj(write_size=16 * 1024), zstandard.ZstdError


GZIP: Final = Compression("gzip", b"\x1f\x8b", 4096, _begin_gzip)
"""Deflate makes at most 1 032 bytes of one: 4 MB of a piece."""

ZSTD: Final = Compression("zstd", b"\x28\xb5\x2f\xfd", 512, _begin_zstd)
"""Zstandard makes at most 128 KiB of four bytes: 16 MB of a piece."""


class Inflated:
    """What a compressed file holds."""

    def __init__(self, source: ByteSource, compression: Compression, name: str, start: bytes = b"") -> None:
        """`start` has been read from `source` already; `name` is for the sentences."""
        self._source, self._compression, self._name = source, compression, name
        self._pending, self._at = start, 0
        self._member: _Member | None = None
        self._damage: type[Exception] = zlib.error
        self._members = 0

    @property
    def position_bytes(self) -> int:
        """How far into the compressed file."""
        return self._source.position_bytes - (len(self._pending) - self._at)

    def read(self) -> bytes:
        """See `ByteSource`."""
        inflated: list[bytes] = []
        size = 0
        while size < _ENOUGH_BYTES:
            if self._at == len(self._pending):
                if size:
                    break  # hand on what is there before waiting for more
                self._pending, self._at = self._source.read(), 0
                if not self._pending:
                    self._require_whole()
                    break
            out = self._piece()
            size += len(out)
            inflated.append(out)
        return b"".join(inflated)

    def _piece(self) -> bytes:
        piece = self._pending[self._at : self._at + self._compression.piece_bytes]
        self._at += len(piece)
        if self._member is None:
            if self._members and self._compression is GZIP and not (piece := piece.lstrip(b"\0")):
                return b""  # tapes and some tools pad with NULs
            self._member, self._damage = self._compression.begin()
        try:
            out = self._member.decompress(piece)
        except self._damage:
            raise InputError(
                f"{self._name} is not a whole {self._compression.name} file: it is damaged or something else"
            ) from None
        if self._member.eof:
            self._at -= len(self._member.unused_data)
            self._member, self._members = None, self._members + 1
        return out

    def _require_whole(self) -> None:
        if self._member is not None or not self._members:
            raise InputError(
                f"{self._name} is truncated: its {self._compression.name} data ends too early",
                "copy or export the file again; nothing after this point can be read",
            )
