"""Compressed input."""

from __future__ import annotations

import gzip
import tracemalloc
from collections.abc import Callable, Iterable, Iterator

import pytest
import zstandard

from fetcher.errors import InputError
from fetcher.ids.archive import GZIP, ZSTD, Compression, Inflated
from tests.ids.reading import Pieces

BOTH = pytest.mark.parametrize(
    ("compression", "compress"), [(GZIP, gzip.compress), (ZSTD, zstandard.compress)], ids=["gzip", "zstd"]
)
Compress = Callable[[bytes], bytes]


class Stored:
    """A compressed file in pieces."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._stream = Pieces(pieces)
        self.position_bytes = 0

    def read(self) -> bytes:
        block = self._stream.read()
        self.position_bytes += len(block)
        return block


def inflate(compression: Compression, *pieces: bytes) -> bytes:
    """All that is in it."""
    inflated = Inflated(Stored(pieces), compression, "ids.txt.gz")
    return b"".join(iter(inflated.read, b""))


@BOTH
def test_members_follow_one_another(compression: Compression, compress: Compress) -> None:
    """Concatenated files read as one, an empty member between them too, however they are cut."""
    data = compress(b"1\n") + compress(b"") + compress(b"2\n" * 100_000) + compress(b"3\n")
    expected = b"1\n" + b"2\n" * 100_000 + b"3\n"
    assert inflate(compression, data) == expected
    assert inflate(compression, *(data[at : at + 1] for at in range(len(data)))) == expected


@BOTH
def test_a_truncated_file_is_never_taken_for_a_whole_one(compression: Compression, compress: Compress) -> None:
    """At every byte but a member's end, the missing rest is noticed."""
    first, second = compress(b"610947572360\n" * 3), compress(b"2\n")
    data = first + second
    for length in set(range(len(data))) - {len(first)}:
        with pytest.raises(InputError, match="truncated"):
            inflate(compression, data[:length])
    assert inflate(compression, first) == b"610947572360\n" * 3


@BOTH
@pytest.mark.parametrize("data", [b"610947572360\n", b"\0" * 64])
def test_something_else_under_that_name_is_refused(compression: Compression, compress: Compress, data: bytes) -> None:
    """Alone, and after a whole member."""
    with pytest.raises(InputError, match="is not a whole"):
        inflate(compression, data)
    with pytest.raises(InputError, match="is not a whole"):
        inflate(compression, compress(b"1\n") + b"garbage, and more of it")


def test_a_wrong_checksum_is_noticed() -> None:
    """gzip's own check is made."""
    data = bytearray(gzip.compress(b"610947572360\n"))
    data[-8] ^= 1
    with pytest.raises(InputError, match="is not a whole"):
        inflate(GZIP, bytes(data))


def test_padding_after_a_member_is_no_damage() -> None:
    """Tapes fill up with NULs; so do some tools."""
    data = gzip.compress(b"1\n") + bytes(5000) + gzip.compress(b"2\n") + bytes(9)
    assert inflate(GZIP, data) == b"1\n2\n"


def test_a_skippable_frame_is_skipped() -> None:
    """zstd tools put notes between frames."""
    note = (0x184D2A50).to_bytes(4, "little") + (4).to_bytes(4, "little") + b"note"
    assert inflate(ZSTD, note + zstandard.compress(b"1\n") + note) == b"1\n"


@pytest.mark.untraced
@BOTH
def test_a_bomb_does_not_fill_the_memory(compression: Compression, compress: Compress) -> None:
    """Half a gigabyte of zeros in a small file is handed out in bounded blocks."""
    member = compress(bytes(64_000_000))

    def pieces() -> Iterator[bytes]:
        for _ in range(8):
            yield member

    inflated = Inflated(Stored(pieces()), compression, "bomb")
    tracemalloc.start()
    try:
        total = sum(len(block) for block in iter(inflated.read, b""))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert total == 512_000_000
    assert peak < 40_000_000


@BOTH
def test_the_position_is_that_in_the_stored_file(compression: Compression, compress: Compress) -> None:
    """Progress counts compressed bytes, those read ahead left out."""
    data = b"".join(compress(b"%d\n" % number * 40_000) for number in range(10))
    inflated = Inflated(Stored([data]), compression, "ids")
    inflated.read()
    assert 0 < inflated.position_bytes < len(data)
    assert inflated.read()
    while inflated.read():
        pass
    assert inflated.position_bytes == len(data)
