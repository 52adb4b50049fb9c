"""A compact map from IDs to numbers: open addressing in two arrays, 22 to 33 bytes an ID, without a Python object each.

A map of known size (`expected`) costs 22 bytes an ID. See `fetcher.idset`, from which keys and probing are.
"""

from __future__ import annotations

from array import array
from typing import Final

from fetcher.idset import FULL, GOLDEN, GROWTH, SMALLEST, key_of, next_prime

_ROOM: Final = 1.02


class IdMap:
    """Args:
    expected: how many IDs will come, about; more are taken too.
    """

    def __init__(self, expected: int = 0) -> None:
        self._used = 0
        self._keys = self._values = array("Q")
        self._resize(max(SMALLEST, int(expected * _ROOM / FULL) + 1))

    def __len__(self) -> int:
        return self._used

    def reserve(self, more: int) -> None:
        """Make room for so many more IDs at once."""
        if self._used + more > self._room:
            self._resize(int((self._used + more) * _ROOM / FULL) + 1)

    def put(self, text: str, value: int) -> None:
        """The ID's number from now on; below 2⁶⁴."""
        key = key_of(text)
        slot = self._slot(key)
        if not self._keys[slot]:
            self._keys[slot] = key
            self._used += 1
        self._values[slot] = value
        if self._used > self._room:
            self._resize(int(self._size * GROWTH))

    def get(self, text: str) -> int | None:
        """Its number, or None."""
        slot = self._slot(key_of(text))
        return self._values[slot] if self._keys[slot] else None

    @property
    def size_bytes(self) -> int:
        """Of both tables."""
        return self._size * 16

    def _slot(self, key: int) -> int:
        keys, size, step = self._keys, self._size, self._step
        slot = key % size
        while (held := keys[slot]) and held != key:
            slot = (slot + step) % size
        return slot

    def _resize(self, least: int) -> None:
        keys, values = self._keys, self._values
        self._size = next_prime(least)
        self._step, self._room = int(self._size * GOLDEN), int(self._size * FULL)
        self._keys, self._values = (array("Q", bytes(8)) * self._size for _ in range(2))
        for key, value in zip(keys, values, strict=True):
            if key:
                slot = self._slot(key)
                self._keys[slot], self._values[slot] = key, value
