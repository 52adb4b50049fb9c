"""What stands in the file: a `SlotBook` in 160 bytes, with whose it is, which boot it is of, and a checksum. Pure."""

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


class Damaged(Exception):
    """It is ours and cannot be read."""


class NotOurs(Exception):
    """It is something else: it must not be written to. The text says what is wrong."""


def encode(book: SlotBook, owner: bytes, boot: bytes) -> bytes:
    """The file's bytes."""
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


def decode(data: bytes, owner: bytes, boot: bytes) -> SlotBook:
    """The book, empty (`forgetful`) for no bytes. What an earlier boot noted of times is forgotten.

    Raises:
        NotOurs: other bytes, or another owner's.
        Damaged: ours, and torn.
    """
    if not data:
        return SlotBook()
    if data[: len(MAGIC)] != MAGIC[: len(data)]:
        raise NotOurs("is not a file of this kind")
    if len(data) < SIZE:
        raise Damaged
    _, layout, checksum = _HEAD.unpack_from(data)
    body = data[_HEAD.size : SIZE]
    if layout != LAYOUT:
        raise NotOurs("was made by another version of this program")
    if zlib.crc32(body) != checksum:
        raise Damaged
    found_owner, found_boot, *times, version, calls, streak = _BODY.unpack(body)
    if found_owner != owner:
        raise NotOurs("belongs to another app key or gateway")
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
