"""The books: were the IDs that came to an end the very IDs that were read? In 0.1 µs an ID and no memory.

Counts alone would balance when one ID is lost and another written twice. So each side keeps a digest of its IDs that
does not depend on their order: how many, the sum modulo 2¹²⁸ and the exclusive or of a 64-bit hash of each. The sum
finds what the exclusive or cannot (an ID that is there twice) and the other way round.

The hash is Python's own for texts: 64-bit SipHash under a key drawn at the start of the process, remembered by the text
itself, a tenth of the cost of BLAKE2. Two different lots of IDs pass for equal once in 2⁶⁴, and nobody who writes the
input can aim for it. The digests mean nothing outside this process, so they are compared and never shown. Where a job's
parts are counted by several processes, `LastingDigest` takes BLAKE2b: 1 µs an ID, and it may be written down.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from hashlib import blake2b
from operator import xor
from typing import Final, Self

import msgspec

MODULUS: Final = 1 << 128


class Digest:
    """A lot of IDs, whatever their order. Lots add up."""

    __slots__ = ("count", "sum", "xor")

    def __init__(self, count: int = 0, hash_sum: int = 0, hash_xor: int = 0) -> None:
        self.count, self.sum, self.xor = count, hash_sum, hash_xor

    def add(self, ids: Iterable[str]) -> None:
        """Put these IDs in. A list at a time is cheapest."""
        hashes = self._hashes(ids)
        self.count += len(hashes)
        self.sum = (self.sum + sum(hashes)) % MODULUS
        self.xor = reduce(xor, hashes, self.xor)

    def _hashes(self, ids: Iterable[str]) -> list[int]:
        return list(map(hash, ids))

    def __add__(self, other: Digest) -> Self:
        return type(self)(self.count + other.count, (self.sum + other.sum) % MODULUS, self.xor ^ other.xor)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Digest):
            return NotImplemented
        return (self.count, self.sum, self.xor) == (other.count, other.sum, other.xor)

    __hash__ = None  # type: ignore[assignment]  # it changes


class LastingDigest(Digest):
    """A digest that means the same in every process and on every machine."""

    __slots__ = ()

    def _hashes(self, ids: Iterable[str]) -> list[int]:
        found = (blake2b(one.encode("utf-8", "surrogatepass"), digest_size=8).digest() for one in ids)
        return [int.from_bytes(each, "big") for each in found]

    @classmethod
    def read(cls, text: str) -> Self:
        """The digest that `str()` wrote. Raises `ValueError`."""
        count, hash_sum, hash_xor = text.split("-")
        return cls(int(count), int(hash_sum, 16), int(hash_xor, 16))

    def __str__(self) -> str:
        return f"{self.count}-{self.sum:x}-{self.xor:x}"


class Balance(msgspec.Struct, frozen=True):
    """Whether the books balance; `bool(balance)` says it, `evidence` tells what does not add up."""

    read: int
    fetched: int
    failed: int
    left: int
    evidence: str = ""
    """Empty when they balance."""

    def __bool__(self) -> bool:
        return not self.evidence


class Books:
    """Every ID that is read is entered, and entered once more when it comes to its end.

    IDs that the reader skips (duplicates, done earlier) are never handed out and stand in neither column; the tally
    counts them.
    """

    def __init__(self, kind: type[Digest] = Digest) -> None:
        self._read, self._fetched, self._failed, self._left = kind(), kind(), kind(), kind()

    def counted(self, read: Digest, fetched: Digest, failed: Digest, left: Digest) -> None:
        """What was entered elsewhere: the books of a part of the job."""
        self._read += read
        self._fetched += fetched
        self._failed += failed
        self._left += left

    def read(self, ids: Iterable[str]) -> None:
        """These IDs were handed out by the reader: new ones, and bad ones as their failure names them."""
        self._read.add(ids)

    def fetched(self, ids: Iterable[str]) -> None:
        """These products were taken by the output."""
        self._fetched.add(ids)

    def failed(self, ids: Iterable[str]) -> None:
        """These failures were taken by the output."""
        self._failed.add(ids)

    def left(self, ids: Iterable[str]) -> None:
        """The run ended before these were done."""
        self._left.add(ids)

    def balance(self) -> Balance:
        """Compare both columns. True only when they hold the same IDs, each as often as the other."""
        ended = self._fetched + self._failed + self._left
        return Balance(
            self._read.count, self._fetched.count, self._failed.count, self._left.count, self._evidence(ended)
        )

    def _evidence(self, ended: Digest) -> str:
        if ended == self._read:
            return ""
        if ended.count == self._read.count:
            return f"{ended.count} IDs were read and as many came to an end, but they are not the same"
        missing = self._read.count - ended.count
        what = f"{missing} lost" if missing > 0 else f"{-missing} too many"
        parts = f"{self._fetched.count} fetched, {self._failed.count} failed, {self._left.count} left"
        return f"{self._read.count} IDs were read, {ended.count} came to an end ({parts}): {what}"
