"""Compressed output as a row of whole members: each sync commits one gzip member or zstd frame.

A crash can therefore tear the last one only, and any standard reader opens the file.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import Any, Final, Protocol

BLOCK_BYTES: Final = 1 << 20
LONGEST_LINE_BYTES: Final = 1 << 30
"""No line of ours is longer: reading on would only fill memory."""


class Codec(Protocol):
    """How lines lie in the file."""

    def pack(self, data: bytes) -> bytes:
        """Whole lines as one member."""
        ...

    def members(self, read: Callable[[int], bytes]) -> Iterator[tuple[bytes, int]]:
        """What the file holds: (plain bytes, offset behind them), until its end or the first broken member."""
        ...


class Plain:
    """Nothing between the lines and the disk."""

    def pack(self, data: bytes) -> bytes:
        """See `Codec`."""
        return data

    def members(self, read: Callable[[int], bytes]) -> Iterator[tuple[bytes, int]]:
        """See `Codec`: blocks; a torn line is found by its missing newline."""
        offset = 0
        while block := read(BLOCK_BYTES):
            offset += len(block)
            yield block, offset


class _Packed:
    """What gzip and zstd have in common."""

    def _decompressor(self) -> Any:
        raise NotImplementedError

    def members(self, read: Callable[[int], bytes]) -> Iterator[tuple[bytes, int]]:
        """See `Codec`."""
        rest, offset = b"", 0
        while rest or (rest := read(BLOCK_BYTES)):
            decompressor, plain = self._decompressor(), []
            while not decompressor.eof:
                if not rest and not (rest := read(BLOCK_BYTES)):
                    return  # torn
                try:
                    plain.append(decompressor.decompress(rest))
                except Exception as error:
                    if type(error).__name__ in ("error", "ZstdError"):
                        return  # broken
                    raise
                offset += len(rest) - len(decompressor.unused_data)
                rest = decompressor.unused_data
            yield b"".join(plain), offset


class Gzip(_Packed):
    """Members of RFC 1952."""

    def pack(self, data: bytes) -> bytes:
        """See `Codec`."""
        packer = zlib.compressobj(6, zlib.DEFLATED, 31)
        return packer.compress(data) + packer.flush()

    def _decompressor(self) -> Any:
        return zlib.decompressobj(31)


class Zstd(_Packed):
    """Frames of RFC 8878, with checksums."""

    def pack(self, data: bytes) -> bytes:
        """See `Codec`."""
        import zstandard

        return zstandard.ZstdCompressor(level=3, write_checksum=True).compress(data)

    def _decompressor(self) -> Any:
        import zstandard

        return zstandard.ZstdDecompressor().decompressobj()


def codec_of(path: str) -> Codec:
    """By the name's ending."""
    if path.endswith(".gz"):
        return Gzip()
    return Zstd() if path.endswith(".zst") else Plain()


def regions_of(codec: Codec, read: Callable[[int], bytes]) -> Iterator[tuple[bytes, int]]:
    """Runs of whole lines as one text each, and the offset up to which the file is good with them.

    For plain files that is the byte behind the run's last newline; for packed ones the end of the member, or -1 where a
    member ends within a line: not of our making, so no place to cut. Bytes behind the last offset are torn, and so is
    what a line longer than any of ours leaves behind.
    """
    parts, held_bytes, plain = list[bytes](), 0, isinstance(codec, Plain)
    for block, end in codec.members(read):
        cut = block.rfind(b"\n") + 1
        if not cut:
            parts.append(block)
            held_bytes += len(block)
            if held_bytes > LONGEST_LINE_BYTES:
                return
            continue
        rest = block[cut:]
        yield b"".join((*parts, block[:cut])), end - len(rest) if plain else -1 if rest else end
        parts, held_bytes = [rest] if rest else [], len(rest)


def lines_in(region: bytes) -> list[bytes]:
    """The lines of a region, without their newlines."""
    lines = region.split(b"\n")
    lines.pop()
    return lines
