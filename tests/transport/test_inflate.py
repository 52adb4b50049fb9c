"""Compression undone: all of it, no more than the limit, and never half."""

from __future__ import annotations

import tracemalloc
import zlib

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from fetcher.model import Lost
from fetcher.transport.faults import Broken
from fetcher.transport.inflate import accept_encoding, inflate
from tests.transport.scripts import gzipped, raw_deflate

brotli = pytest.importorskip("brotli")

PACK = {
    "gzip": gzipped,
    "deflate": zlib.compress,
    "zstd": zstandard.compress,
    "br": brotli.compress,
}
TEXT = b"\xe8\xbf\x9e\xe8\xa1\xa3\xe8\xa3\x99 " * 400


def kind_of(encoding: str, data: bytes, max_bytes: int = 10**6) -> Lost:
    with pytest.raises(Broken) as caught:
        inflate(encoding, data, max_bytes)
    return caught.value.kind


@given(st.sampled_from(sorted(PACK)), st.binary(max_size=2_000), st.integers(1, 50))
def test_what_was_packed_comes_out(encoding: str, data: bytes, times: int) -> None:
    """The body is as it was before it was compressed."""
    assert inflate(encoding, PACK[encoding](data * times), 10**6) == data * times


@given(st.sampled_from(sorted(PACK)), st.data())
def test_a_missing_end_is_noticed(encoding: str, data: st.DataObject) -> None:
    """Wherever it was cut, it is no clean body."""
    packed = PACK[encoding](TEXT)
    assert kind_of(encoding, packed[: data.draw(st.integers(1, len(packed) - 1))]) is Lost.MALFORMED


@pytest.mark.parametrize("encoding", sorted(PACK))
def test_the_limit_is_exact(encoding: str) -> None:
    """A body of the limit passes; one byte more does not."""
    packed = PACK[encoding](TEXT)
    assert inflate(encoding, packed, len(TEXT)) == TEXT
    assert kind_of(encoding, packed, len(TEXT) - 1) is Lost.TOO_LARGE


@pytest.mark.parametrize("encoding", sorted(PACK))
def test_a_bomb_takes_little_memory(encoding: str) -> None:
    """200 MB in a small packet: decoding stops soon after the limit."""
    if encoding == "zstd":
        packed = zstandard.compress(bytes(2**20)) * 200
    elif encoding == "gzip":
        packed = gzipped(bytes(2**20)) * 200
    else:
        packed = brotli.compress(bytes(30 * 2**20), quality=1) if encoding == "br" else zlib.compress(bytes(30 * 2**20))
    tracemalloc.start()
    try:
        assert kind_of(encoding, packed, 2**20) is Lost.TOO_LARGE
        assert tracemalloc.get_traced_memory()[1] < 24 * 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        ("gzip", b"not packed"),
        ("gzip", gzipped(TEXT) + b"tail"),
        ("deflate", zlib.compress(TEXT) + b"tail"),
        ("deflate", b"\x78\x9c\xff\xff"),
        ("zstd", b"not packed at all"),
        ("zstd", zstandard.compress(TEXT) + b"tail"),
        ("br", b"\xff" * 30),
        ("br", brotli.compress(TEXT) + b"tail"),
        ("gzip, gzip", gzipped(gzipped(TEXT))),
        ("gzip,identity", gzipped(TEXT)),
        ("compress", TEXT),
        ("\u00e9", TEXT),
    ],
)
def test_what_is_wrong_is_malformed(encoding: str, data: bytes) -> None:
    """Corrupt data, bytes behind the end, encodings that nobody offered, several at once."""
    assert kind_of(encoding, data) is Lost.MALFORMED


@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        ("gzip", gzipped(TEXT[:50]) + gzipped(TEXT[50:])),
        ("gzip", gzipped(TEXT) + bytes(20)),
        (" GZip ", gzipped(TEXT)),
        ("deflate", raw_deflate(TEXT)),
        ("zstd", zstandard.compress(TEXT[:50]) + zstandard.compress(TEXT[50:])),
        ("zstd", zstandard.ZstdCompressor(write_content_size=False).compress(TEXT)),
        ("", TEXT),
        ("Identity", TEXT),
    ],
)
def test_what_servers_do_is_understood(encoding: str, data: bytes) -> None:
    """Several members or frames, padding, capitals, deflate without its header."""
    assert inflate(encoding, data, 10**6) == TEXT


def test_an_empty_body_needs_no_end() -> None:
    """Servers put the header on answers without a body, too."""
    assert inflate("gzip", b"", 10) == b""


def test_only_what_can_be_bounded_is_offered() -> None:
    """And each name once."""
    assert accept_encoding() == "gzip, deflate, zstd, br"


def test_a_body_of_endless_empty_members_is_refused() -> None:
    """Honest servers send one member; thousands would cost seconds that no deadline could interrupt."""
    few, many = (gzipped(b"") * count + gzipped(b"x") for count in (63, 64))
    assert inflate("gzip", few, 1000) == b"x"
    with pytest.raises(Broken, match="members"):
        inflate("gzip", many, 1000)
