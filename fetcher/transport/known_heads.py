"""The head of an answer that differs from an earlier one in nothing that matters is not parsed again.

A gateway begins every answer with nearly the same lines. llhttp reads the first of them and calls back for each line;
from what it took a pattern is made, which the next heads are matched against in one go:

    literally        the status line, and every line that frames, encodes or names the body or speaks of the connection
    a number         Content-Length
    any sound value  whatever else stands there: dates, trace numbers, cookies (the bytes that llhttp takes for a value)

What does not match to the byte, or is not whole yet, goes to llhttp as ever. It must not know sockets or who asked.
"""

from __future__ import annotations

import re
from typing import Final

from fetcher.transport.answers import AnswerReader

LONGEST_HEAD_BYTES: Final = 4096
MOST_LINES: Final = 40
MOST_LEARNT: Final = 100
"""A gateway whose heads never look alike is not worth the making of patterns."""
_LITERAL: Final = frozenset(
    {
        *(b"connection", b"content-encoding", b"content-type", b"keep-alive", b"proxy-connection", b"retry-after"),
        *(b"te", b"trailer", b"transfer-encoding", b"upgrade"),
    }
)
_LINE: Final = re.compile(rb"([!#-'*+\-.0-9A-Z^-z|~]{1,64}):[ \t]*[\t -~\x80-\xff]*")
_VALUE: Final = rb"[\t -~\x80-\xff]{0,600}"
_WITHOUT_BODY: Final = (204, 304)


class KnownHead:
    """What all answers under this head have in common."""

    __slots__ = ("content_type", "encoding", "has_date", "keep_alive", "match", "retry_after", "status")

    def __init__(self, pattern: bytes, reader: AnswerReader) -> None:
        self.match = re.compile(pattern).match
        """Bytes that begin with such a head → the groups `length` and, where there is one, `date`."""
        self.has_date = reader.date is not None
        self.status, self.content_type, self.encoding = reader.status, reader.content_type, reader.encoding
        self.retry_after, self.keep_alive = reader.retry_after, reader.keep_alive


class KnownHeads:
    """The head that was learnt last."""

    __slots__ = ("_left", "last")

    def __init__(self) -> None:
        self.last: KnownHead | None = None
        self._left = MOST_LEARNT

    def learn(self, start: bytes, reader: AnswerReader) -> None:
        """An answer was read whole.

        Args:
            start: its first bytes, as many as came at once.
            reader: what llhttp made of it.
        """
        # Not of an interim answer that came before it.
        same = start[9:12] == b"%d" % reader.status
        if not (self._left and reader.reusable and same) or reader.status in _WITHOUT_BODY:
            return
        self._left -= 1
        pattern = pattern_of(start)
        if pattern is not None:
            self.last = KnownHead(pattern, reader)


def pattern_of(start: bytes) -> bytes | None:
    """What a head has to look like to mean the same as the one at the beginning of `start`; None where that is moot."""
    head, end, _ = start[:LONGEST_HEAD_BYTES].partition(b"\r\n\r\n")
    status_line, *lines = head.split(b"\r\n")
    if not end or len(lines) > MOST_LINES:
        return None
    parts, lengths, dates = [re.escape(status_line)], 0, 0
    for line in lines:
        found = _LINE.fullmatch(line)
        if found is None:
            return None  # folded, or spelled in a way that had better be read each time
        shown, name = found[1], found[1].lower()
        if name == b"content-length":
            parts.append(re.escape(shown) + rb": ?(?P<length>[0-9]{1,9})")
            lengths += 1
        elif name == b"date" and not dates:
            parts.append(re.escape(shown) + rb": ?(?P<date>" + _VALUE + rb")")
            dates += 1
        else:
            parts.append(re.escape(line) if name in _LITERAL else re.escape(shown) + b":" + _VALUE)
    # One Content-Length and nothing that stands above it: so many bytes and no more (RFC 9112, 6.3).
    if lengths != 1 or any(line.lower().startswith(b"transfer-encoding") for line in lines):
        return None
    return rb"\r\n".join([*parts, b"", b""])
