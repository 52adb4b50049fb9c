"""Undoes a body's compression: with a limit on what comes out, and a check that the end is there.

HTTP clients commonly do neither: a truncated gzip body comes back as a clean answer, and 200 KB become 200 MB.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from functools import cache
from typing import Any, Final

from fetcher.model import Lost
from fetcher.transport.faults import Broken

STEP_BYTES: Final = 1024 * 1024
"""Most that a decoder may put out before the limit is looked at."""
MOST_MEMBERS: Final = 64
"""zlib hands the rest back as a copy after each gzip member: 4 MB of empty ones would hold the loop for seconds."""
ZSTD_INPUT_BYTES: Final = 512
"""zstandard's decoder has no limit on its output, so its input is limited: 4 bytes make at most a block of 128 KiB."""
ZSTD_WINDOW_BYTES: Final = 8 * 1024 * 1024
"""Largest window that HTTP allows (RFC 9659)."""


class _Out:
    """What came out so far."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._buffer = io.BytesIO()

    def add(self, piece: bytes) -> None:
        self._buffer.write(piece)
        if self._buffer.tell() > self._max_bytes:
            raise Broken(Lost.TOO_LARGE, f"the body inflates to over {self._max_bytes} bytes")

    def whole(self) -> bytes:
        return self._buffer.getvalue()


def inflate(encoding: str, data: bytes, max_bytes: int) -> bytes:
    """The body as it was before it was compressed.

    Args:
        encoding: the `Content-Encoding` header; empty and `identity` mean none.
        max_bytes: most that may come out; memory stays near it whatever the body claims.

    Raises:
        Broken: TOO_LARGE over the limit; MALFORMED for an encoding that was not offered (several at once are never),
            for corrupt data, and for data whose end is missing.
    """
    name = encoding.strip().lower()
    if name in ("", "identity") or not data:
        return data
    decode = _decoders().get(name)
    if decode is None:
        raise Broken(Lost.MALFORMED, "the body's compression is not one that was offered")
    out = _Out(max_bytes)
    try:
        decode(data, out)
    except zlib.error:
        raise Broken(Lost.MALFORMED, f"the {name} body is corrupt") from None
    return out.whole()


@cache
def accept_encoding() -> str:
    """The `Accept-Encoding` header: only what `inflate` can bound."""
    return ", ".join(name for name in _decoders() if name != "x-gzip")


@cache
def _decoders() -> dict[str, Callable[[bytes, _Out], None]]:
    decoders: dict[str, Callable[[bytes, _Out], None]] = {
        "gzip": _gzip,
        "x-gzip": _gzip,  # RFC 9110, 8.4.1.3: the same
        "deflate": _deflate,
        "zstd": _zstd,
    }
    if _bounded_brotli() is not None:
        decoders["br"] = _brotli
    return decoders


def _bounded_brotli() -> Any:
    """The brotli library, where it is there and can bound its output (1.2 and later)."""
    try:
        import brotli
    except ImportError:
        return None
    return brotli if hasattr(brotli.Decompressor, "can_accept_more_data") else None


def _truncated() -> Broken:
    return Broken(Lost.MALFORMED, "the compressed body has no end")


def _drain(decoder: zlib._Decompress, data: bytes, out: _Out) -> bytes:
    """Decode to the stream's end and return what follows it."""
    while not decoder.eof:
        piece = decoder.decompress(data, STEP_BYTES)
        out.add(piece)
        data = decoder.unconsumed_tail
        if not piece and not data and not decoder.eof:
            raise _truncated()
    return decoder.unused_data


def _gzip(data: bytes, out: _Out) -> None:
    """One or more members (RFC 1952, 2.2); zeros after the last one are padding."""
    for _ in range(MOST_MEMBERS):
        data = _drain(zlib.decompressobj(31), data, out).lstrip(b"\0")
        if not data:
            return
    raise Broken(Lost.MALFORMED, f"a gzip body of more than {MOST_MEMBERS} members")


def _deflate(data: bytes, out: _Out) -> None:
    """With a zlib header, as the RFC has it, or without, as many servers do."""
    headed = len(data) > 1 and data[0] & 0x0F == 8 and (data[0] << 8 | data[1]) % 31 == 0
    if _drain(zlib.decompressobj(15 if headed else -15), data, out):
        raise Broken(Lost.MALFORMED, "bytes follow the compressed body")


def _zstd(data: bytes, out: _Out) -> None:
    """One or more frames (RFC 8878, 3.1)."""
    import zstandard

    engine = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW_BYTES)
    at = 0
    try:
        while at < len(data):
            frame = engine.decompressobj()
            while not frame.eof:
                if at >= len(data):
                    raise _truncated()
                out.add(frame.decompress(data[at : at + ZSTD_INPUT_BYTES]))
                at = min(at + ZSTD_INPUT_BYTES, len(data))
            at -= len(frame.unused_data)
    except zstandard.ZstdError:
        raise Broken(Lost.MALFORMED, "the zstd body is corrupt") from None


def _brotli(data: bytes, out: _Out) -> None:
    brotli = _bounded_brotli()
    decoder = brotli.Decompressor()
    try:
        out.add(decoder.process(data, output_buffer_limit=STEP_BYTES))
        while not decoder.is_finished():
            piece = decoder.process(b"", output_buffer_limit=STEP_BYTES)
            if not piece and not decoder.is_finished():
                raise _truncated()
            out.add(piece)
    except brotli.error:
        raise Broken(Lost.MALFORMED, "the br body is corrupt") from None
