"""Writes down the calls under the caps over longer times (`.NAME.quotas`), so that a restart knows of them.

A few calls are written down ahead of being made: after a kill the count is too high by so many, never too low. At the
end it is exact. A file that is lost or cannot be read counts as none.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from fetcher.clock import Clock
from fetcher.output import SideFile
from fetcher.pacing import Moment, Quotas
from fetcher.run.keys import Key, moment

AHEAD_S: Final = 1.0
"""Of the cap: so many calls are written down ahead, a hundred at most."""
MOST_AHEAD: Final = 100
ANEW_S: Final = 5.0
"""What is written down ahead is used within this time, or written anew."""


class _Book(msgspec.Struct):
    """What the file says: app key → limit → [until when it counts (ms since 1970), calls]."""

    calls: dict[str, dict[str, list[list[int]]]] = {}


def restore(file: SideFile, quotas: Mapping[str, Quotas], now: Moment) -> None:
    """Take in what earlier runs have written down.

    Args:
        file: beside OUT.
        quotas: by app key.
        now: on both clocks.
    """
    try:
        book = msgspec.json.decode(file.read(), type=_Book)
    except (msgspec.DecodeError, ValueError):
        return
    for app_key, mine in quotas.items():
        mine.restore(book.calls.get(app_key, {}), now)


class QuotaBook:
    """The counts of all keys, in one file beside OUT.

    Args:
        file: beside OUT.
        keys: those with quotas are written down.
        clock: tells until when calls count.
    """

    def __init__(self, file: SideFile, keys: Sequence[Key], clock: Clock) -> None:
        self._file, self._clock = file, clock
        self._keys = [key for key in keys if key.quotas is not None]
        self._ahead: dict[str, int] = {}
        self._written_s = -math.inf

    def read(self) -> None:
        """Take in what earlier runs have written down."""
        quotas = {key.gateway.app_key: key.quotas for key in self._keys if key.quotas is not None}
        restore(self._file, quotas, moment(self._clock))

    def starting(self, key: Key, calls: int) -> None:
        """So many calls of a key are about to start. Returns when they are written down. Raises `OutputError`."""
        left = self._ahead.get(key.gateway.app_key, 0) - calls
        if left < 0 or self._clock.monotonic_s() - self._written_s > ANEW_S:
            ahead = calls + min(MOST_AHEAD, math.ceil(key.cap_per_s * AHEAD_S))
            self._ahead[key.gateway.app_key] = ahead
            self._write()
            left = ahead - calls
        self._ahead[key.gateway.app_key] = left

    def close(self) -> None:
        """Write down what was made and no more. Raises `OutputError`."""
        self._ahead = {}
        self._write()

    def _write(self) -> None:
        now = moment(self._clock)
        self._written_s = now.monotonic_s
        calls = {
            key.gateway.app_key: key.quotas.used(now, self._ahead.get(key.gateway.app_key, 0))
            for key in self._keys
            if key.quotas is not None
        }
        self._file.write(msgspec.json.encode(_Book(calls)))
