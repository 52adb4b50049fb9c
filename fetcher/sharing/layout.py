"""What stands in the file: a `SlotBook` in 144 bytes for each owner, with whose it is, which boot it is of, and a
checksum. Pure.

One file serves several keys, so that a run with one of them and a run with a pool of them meet wherever they name it.
"""

from __future__ import annotations

import struct
import zlib
from typing import Final

from fetcher.pacing import SlotBook, Slowdown

MAGIC: Final = b"fetchcap"
LAYOUT: Final = 1
_HEAD: Final = struct.Struct("<8sII")
"""Magic, number of the layout, checksum of the body."""
_BODY: Final = struct.Struct("<16s16s9dQQI4x")
"""Owner, boot, the times and rates of the book, version, calls, streak."""
SIZE: Final = _HEAD.size + _BODY.size
MOST: Final = 4096
"""Owners in a file."""


class Damaged(Exception):
    """A book cannot be read, and it may be this owner's.

    Args:
        offset: where it stands.
    """

    def __init__(self, offset: int) -> None:
        super().__init__(offset)
        self.offset = offset


class NotOurs(Exception):
    """It is something else, or full: it must not be written to. The text says what is wrong."""


def encode(book: SlotBook, owner: bytes, boot: bytes) -> bytes:
    """The book's bytes."""
    slow = book.slowdown
    body = _BODY.pack(
        owner,
        boot,
        book.next_s,
        book.asked_s,
        book.cap_per_s,
        book.cap_asked_s,
        book.lateness_s,
        book.lateness_asked_s,
        slow.resume_s,
        slow.rate_per_s,
        slow.last_bad_per_s,
        book.version,
        book.calls,
        slow.streak,
    )
    return _HEAD.pack(MAGIC, LAYOUT, zlib.crc32(body)) + body


def find(data: bytes, owner: bytes, boot: bytes) -> tuple[int, SlotBook]:
    """Where in the file this owner's book is to stand, and the book; where there is none, an empty one (`forgetful`)
    behind all others. What an earlier boot noted of times is forgotten.

    Raises:
        NotOurs: other bytes.
        Damaged: it is not found, and one is torn.
    """
    if data[: len(MAGIC)] != MAGIC[: len(data)]:
        raise NotOurs("is not a file of this kind")
    damaged: int | None = None
    for offset in range(0, len(data), SIZE):
        body = _body(data[offset : offset + SIZE])
        if body is None:
            damaged = offset if damaged is None else damaged
        elif body[: len(owner)] == owner:
            return offset, _decode(body, boot)
    if damaged is not None:
        raise Damaged(damaged)
    if len(data) >= MOST * SIZE:
        raise NotOurs("holds the caps of too many app keys")
    return len(data), SlotBook()


def _body(record: bytes) -> bytes | None:
    """None: it is damaged."""
    if len(record) < SIZE:
        return None
    magic, layout, checksum = _HEAD.unpack_from(record)
    body = record[_HEAD.size :]
    if magic != MAGIC:
        return None
    if layout != LAYOUT:
        raise NotOurs("was made by another version of this program")
    return body if zlib.crc32(body) == checksum else None


def _decode(body: bytes, boot: bytes) -> SlotBook:
    _, found_boot, *times, version, calls, streak = _BODY.unpack(body)
    if found_boot != boot:
        return SlotBook(calls=calls)
    next_s, asked_s, cap_per_s, cap_asked_s, lateness_s, lateness_asked_s, resume_s, rate_per_s, last_bad_per_s = times
    return SlotBook(
        next_s=next_s,
        asked_s=asked_s,
        cap_per_s=cap_per_s,
        cap_asked_s=cap_asked_s,
        lateness_s=lateness_s,
        lateness_asked_s=lateness_asked_s,
        version=version,
        slowdown=Slowdown(resume_s, rate_per_s, last_bad_per_s, streak),
        calls=calls,
        forgetful=False,
    )
