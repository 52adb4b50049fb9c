r"""Bytes become lines: encodings, line ends, and lines that are too long to be kept.

A line ends at `\n`, `\r\n` or `\r` and nowhere else (`str.splitlines` also splits at U+2028 and U+0085). Memory holds
one block and one line, whatever comes. It knows neither files nor formats.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable
from hashlib import blake2b
from typing import Final

from fetcher.errors import InputError
from fetcher.ids.check import MAX_CHARACTERS, Bad, bad, shown_id

MAX_LINE_BYTES: Final = 64 * 1024
_HEAD_BYTES: Final = 4 * MAX_CHARACTERS + 8
_ASCII: Final = bytes(range(128))

_BOMS: Final = (  # longest first: UTF-32's begins like UTF-16's
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class Spoilt(str):
    """A line that cannot be read as it is. As text it is what the failed file shows of it."""

    __slots__ = ("bad", "loose")
    bad: Bad
    loose: str
    """The text with U+FFFD in the place of what is lost."""

    def __new__(cls, shown: str, verdict: Bad, loose: str = "") -> Spoilt:
        line = super().__new__(cls, shown)
        line.bad, line.loose = verdict, loose
        return line


class _LongLine:
    """What is kept of a line that is not: its beginning and a digest of all of it."""

    def __init__(self, start: bytes) -> None:
        self._head = start[:_HEAD_BYTES]
        self._digest = blake2b(start, digest_size=8)

    def add(self, more: bytes) -> None:
        self._digest.update(more)

    def line(self, encoding: str) -> Spoilt:
        verdict = Bad("line_too_long", f"the line is longer than {MAX_LINE_BYTES} bytes")
        head = self._head.decode(encoding, "backslashreplace")
        return Spoilt(shown_id(head, self._digest.hexdigest()), verdict)


class Lines:
    """Lots of lines from a function that returns blocks of bytes (b"" at the end)."""

    def __init__(self, read: Callable[[], bytes], encoding: str | None = None) -> None:
        """`encoding` is UTF-8 unless given; a byte order mark is believed before either.

        Raises:
            InputError: there is no such encoding.
        """
        self._read = read
        self.encoding = self._codec = _known(encoding or "utf-8")
        self._transcoder: codecs.IncrementalDecoder | None = None
        self._begun = self._ended = False
        self._tail = b""
        self._long: _LongLine | None = None
        self._after_cr = False

    def lot(self) -> list[str]:
        """The next lines without their ends, as many as a block holds; [] at the end. Unreadable ones are `Spoilt`."""
        while block := self._block():
            if self._after_cr:  # \r\n was cut in two by the block's edge
                self._after_cr = False
                block = block.removeprefix(b"\n")
            if lines := self._take(block):
                return lines
        return self._last()

    def _take(self, block: bytes) -> list[str]:
        long = self._long
        if long is not None:
            end = _first_end(block)
            long.add(block[:end])
            if end == len(block):
                return []
            self._long = None
            block = block[end:]  # begins with the line end, so its first line is empty: room for the long one
        data = self._tail + block
        cut = max(data.rfind(b"\n"), data.rfind(b"\r")) + 1
        self._keep(data[cut:])
        if not cut:
            return []
        self._after_cr = cut == len(data) and data.endswith(b"\r")
        lines = self._split(data[:cut])
        if long is not None:
            lines[0] = long.line(self._codec)
        return lines

    def _keep(self, tail: bytes) -> None:
        self._tail = tail
        if len(tail) > MAX_LINE_BYTES:
            self._long, self._tail = _LongLine(tail), b""

    def _last(self) -> list[str]:
        """The line that has no end."""
        if self._long is not None:
            line: str = self._long.line(self._codec)
        elif self._tail:
            line = self._line(self._tail)
        else:
            return []
        self._long, self._tail = None, b""
        return [line]

    def _split(self, data: bytes) -> list[str]:
        """`data` ends with a line end."""
        if data.isascii():
            text = data.decode("ascii")
            if "\r" in text:
                text = text.replace("\r\n", "\n").replace("\r", "\n")
            lines = text.split("\n")
            lines.pop()
            if len(data) <= MAX_LINE_BYTES or max(map(len, lines)) <= MAX_LINE_BYTES:
                return lines
        return [self._line(raw) for raw in data.splitlines()]  # bytes.splitlines knows \n, \r\n and \r only

    def _line(self, raw: bytes) -> str:
        if len(raw) > MAX_LINE_BYTES:
            return _LongLine(raw).line(self._codec)
        try:
            return raw.decode(self._codec)
        except UnicodeDecodeError:
            loose = raw.decode(self._codec, "replace")
            return Spoilt(raw.decode(self._codec, "backslashreplace"), bad("undecodable"), loose)

    def _block(self) -> bytes:
        if not self._begun:
            self._begun = True
            return self._begin()
        return self._transcoded(self._read())

    def _begin(self) -> bytes:
        """The first block, less the mark that says how it is encoded."""
        block = self._read()
        while any(mark.startswith(block) and mark != block for mark, _ in _BOMS) and (more := self._read()):
            block += more
        marked = next(((mark, name) for mark, name in _BOMS if block.startswith(mark)), None)
        if marked is not None:
            block, self.encoding = block[len(marked[0]) :], marked[1]
            self._codec = self.encoding
        elif self.encoding == "utf-8":
            _refuse_unmarked_utf16(block)
        if not _splits_as_ascii(self.encoding):
            self._transcoder = codecs.getincrementaldecoder(self.encoding)("replace")
            self._codec = "utf-8"
        return (block and self._transcoded(block)) or self._block()  # an empty block would be taken for the end

    def _transcoded(self, block: bytes) -> bytes:
        """UTF-8 from an encoding whose line ends are not single bytes; what is lost becomes U+FFFD."""
        if self._transcoder is None:
            return block
        while not self._ended:
            self._ended = not block
            if text := self._transcoder.decode(block, final=self._ended):
                return text.encode("utf-8", "replace")
            block = b"" if self._ended else self._read()
        return b""


def _known(encoding: str) -> str:
    try:
        b"0".decode(encoding, "replace")  # knows text encodings from others (hex), which `codecs.lookup` does not
        name = codecs.lookup(encoding).name
    except (LookupError, ValueError):  # ValueError: a NUL in the name
        raise InputError(f"{shown_id(encoding)!r} is not a text encoding", "try utf-8 or gb18030") from None
    return "utf-8" if name in ("ascii", "utf-8-sig") else name


def _splits_as_ascii(encoding: str) -> bool:
    """Whether the bytes of a line end are a line end wherever they stand: so in UTF-8, GB18030, Big5, Latin-1."""
    try:
        return _ASCII.decode(encoding) == _ASCII.decode("ascii")
    except UnicodeError:
        return False


def _first_end(block: bytes) -> int:
    """Where the first line end is; the block's length without one."""
    ends = [at for at in (block.find(b"\n"), block.find(b"\r")) if at >= 0]
    return min(ends, default=len(block))


def _refuse_unmarked_utf16(block: bytes) -> None:
    """Half of the bytes of ASCII text in UTF-16 are NULs: say so once instead of refusing every line."""
    start = block[:64]
    for offset, name in ((1, "utf-16-le"), (0, "utf-16-be")):
        half, other = start[offset::2], start[1 - offset :: 2]
        # A Chinese heading has bytes of its own there: most of them are NULs, and hardly any of the others.
        if len(half) >= 4 and half.count(0) * 2 > len(half) and other.count(0) * 8 < len(other):
            raise InputError("the file looks like UTF-16 without a byte order mark", f"try --encoding {name}")
