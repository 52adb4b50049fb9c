"""Files, pipes and stdin become blocks of bytes; what their names say about what is inside.

The operating system's errors are translated here and nowhere else. It knows neither encodings nor lines.
"""

from __future__ import annotations

import os
import select
import stat
import sys
from contextlib import ExitStack
from pathlib import PurePath
from typing import BinaryIO, Final, NamedTuple, Protocol

from fetcher.errors import InputError
from fetcher.ids.archive import GZIP, ZSTD, ByteSource, Compression, Inflated
from fetcher.ids.check import shown_id

BLOCK_BYTES: Final = 256 * 1024

_COMPRESSIONS: Final = {".gz": GZIP, ".zst": ZSTD}
_WORKBOOKS: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
"""First bytes of .xlsx (a zip archive) and of the older .xls."""

_FORMATS: Final = {".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl"}


class _Readable(Protocol):
    def read(self, n: int, /) -> bytes | None: ...
    def fileno(self) -> int: ...
    def close(self) -> None: ...


class Opened(NamedTuple):
    """An input that is open."""

    source: ByteSource
    stream: _RawBytes
    name: str
    """For sentences."""
    format_name: str | None
    """`csv`, `tsv` or `jsonl`; None: the name does not say."""


class _RawBytes:
    """A stream as it is stored."""

    def __init__(self, stream: _Readable, name: str, *, ours: bool) -> None:
        self._stream, self._name, self._ours = stream, name, ours
        self.position_bytes = 0
        self.size_bytes = self._size()

    def _size(self) -> int | None:
        """Of a plain file; None for a pipe, a terminal, a device."""
        try:
            status = os.fstat(self._stream.fileno())
        except (OSError, ValueError):  # an object in memory has no descriptor
            return None
        return status.st_size if stat.S_ISREG(status.st_mode) else None

    def read(self) -> bytes:
        """See `ByteSource`."""
        try:
            while (block := self._stream.read(BLOCK_BYTES)) is None:  # a pipe that somebody made non-blocking
                select.select([self._stream.fileno()], [], [])
        except OSError as error:
            raise _input_error(self._name, error) from None
        self.position_bytes += len(block)
        return block

    def close(self) -> None:
        if self._ours:
            self._stream.close()


def open_bytes(path: str, stdin: BinaryIO | None = None) -> Opened:
    """Open a path, or stdin for `-`.

    A FIFO is waited for. Compression is told by the name or, for any name, by the first bytes.

    Raises:
        InputError: it does not exist, is a directory, may not be read, or is not what its name says.
    """
    if path == "-":
        stream: BinaryIO = stdin if stdin is not None else sys.stdin.buffer
        # The raw stream hands over what has arrived; the buffer over it would wait for a whole block.
        return _opened(_RawBytes(getattr(stream, "raw", stream), "stdin", ours=False), "stdin", PurePath())
    name = shown_id(path)
    try:
        raw = open(path, "rb", buffering=0)  # noqa: SIM115 - it stays open as long as the Source
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise _input_error(name, error) from None
    return _opened(_RawBytes(raw, name, ours=True), name, PurePath(path))


def _opened(stream: _RawBytes, name: str, path: PurePath) -> Opened:
    suffix = path.suffix.lower()
    compression = _COMPRESSIONS.get(suffix)
    inner = PurePath(path.stem) if compression else path
    format_name = _FORMATS.get(inner.suffix.lower())
    with ExitStack() as opened:
        opened.callback(stream.close)
        source = _inflated(stream, compression, name)
        opened.pop_all()  # from here on it is the caller's
    return Opened(source, stream, name, format_name)


def _inflated(stream: _RawBytes, compression: Compression | None, name: str) -> ByteSource:
    if compression is not None:
        return Inflated(stream, compression, name)
    start = stream.read()
    magics = [found.magic for found in _COMPRESSIONS.values()]
    while any(magic.startswith(start) and magic != start for magic in magics) and (more := stream.read()):
        start += more
    if start.startswith(_WORKBOOKS):
        raise InputError(f"{name} is an Excel workbook or a zip archive", "save the sheet as CSV UTF-8")
    for found in _COMPRESSIONS.values():
        if start.startswith(found.magic):
            return Inflated(stream, found, name, start)
    return _Begun(stream, start)


class _Begun:
    """A stream whose first block has been looked at."""

    def __init__(self, stream: _RawBytes, start: bytes) -> None:
        self._stream, self._start = stream, start

    @property
    def position_bytes(self) -> int:
        """See `ByteSource`."""
        return self._stream.position_bytes - len(self._start)

    def read(self) -> bytes:
        """See `ByteSource`."""
        start, self._start = self._start, b""
        return start or self._stream.read()


def _input_error(name: str, error: OSError | ValueError) -> InputError:
    if isinstance(error, FileNotFoundError):
        return InputError(f"there is no file {name}", "IDS is the path of a file, or - for stdin")
    if isinstance(error, IsADirectoryError):
        return InputError(f"{name} is a directory, not a file of IDs", "IDS is the path of a file, or - for stdin")
    reason = error.strerror if isinstance(error, OSError) and error.strerror else "the path is not valid"
    return InputError(f"{name} cannot be read: {reason}")
