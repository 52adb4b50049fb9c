"""Latencies in fixed memory: a log-linear histogram after Gil Tene's HdrHistogram.

It knows durations only: not what was measured, not when.

A value is counted in ticks of 0.1 µs. Ticks below 128 have a bucket each; above, every doubling is cut into 64 equal
buckets, of which the middle is answered. So the error of a quantile is at most 0.5/64 = 0.8 % (0.5 % of 100 ticks at
10 µs), in 1 984 buckets = 16 KB, whatever was recorded.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from itertools import accumulate
from typing import Final

TICKS_PER_S: Final = 1e7
SHARE_BITS: Final = 6
"""A doubling is cut into 2⁶ buckets."""
LONGEST_S: Final = 3600.0
"""Longer ones are counted as an hour; `max_s` stays exact."""


def _bucket(ticks: int) -> int:
    shift = ticks.bit_length() - SHARE_BITS - 1
    return (shift << SHARE_BITS) + (ticks >> shift) if shift > 0 else ticks


def _middle_s(bucket: int) -> float:
    """The middle of the bucket's range; the inverse of `_bucket`."""
    shift = max(0, (bucket >> SHARE_BITS) - 1)
    return ((bucket - (shift << SHARE_BITS)) + 0.5) * (1 << shift) / TICKS_PER_S


LONGEST_BUCKET: Final = _bucket(int(LONGEST_S * TICKS_PER_S))


class Histogram:
    """Counts durations; `record` takes about a third of a microsecond."""

    def __init__(self) -> None:
        self._buckets = array("Q", bytes(8 * (LONGEST_BUCKET + 1)))
        self._sum_s = 0.0
        self.count = 0
        self.min_s = math.inf
        """Exact; infinity as long as nothing was recorded."""
        self.max_s = 0.0
        """Exact."""

    def record(self, duration_s: float) -> None:
        """Count one duration. A negative one counts as 0: a clock that steps back must not spoil the run."""
        if duration_s < 0.0:
            duration_s = 0.0
        self.count += 1
        self._sum_s += duration_s
        if duration_s > self.max_s:
            self.max_s = duration_s
        if duration_s < self.min_s:
            self.min_s = duration_s
        # `_bucket`, written out: a call would cost a third of what all of this costs.
        ticks = int(duration_s * 1e7)
        shift = ticks.bit_length() - 7
        if shift <= 0:
            self._buckets[ticks] += 1
        elif duration_s < 3600.0:
            self._buckets[(shift << 6) + (ticks >> shift)] += 1
        else:
            self._buckets[LONGEST_BUCKET] += 1

    @property
    def mean_s(self) -> float:
        """Exact but for rounding; 0 as long as nothing was recorded."""
        return self._sum_s / self.count if self.count else 0.0

    def quantile(self, share: float) -> float:
        """The duration, in seconds, that `share` (0 to 1) of all did not exceed; nearest rank. 0 when empty."""
        return self.quantiles(share)[0]

    def quantiles(self, *shares: float) -> list[float]:
        """Several quantiles for the price of one walk over the buckets (about 50 µs)."""
        if not self.count:
            return [0.0] * len(shares)
        upto = list(accumulate(self._buckets))
        return [self._at(share, upto) for share in shares]

    def _at(self, share: float, upto: list[int]) -> float:
        rank = max(1, math.ceil(share * self.count))
        if rank >= self.count:
            return self.max_s
        if rank == 1:
            return self.min_s
        middle_s = _middle_s(bisect_left(upto, rank))
        return min(max(middle_s, self.min_s), self.max_s)

    def dump(self) -> bytes:
        """All of it, for `load` in another process of this machine."""
        return array("d", [self._sum_s, self.min_s, self.max_s]).tobytes() + self._buckets.tobytes()

    @classmethod
    def load(cls, data: bytes) -> Histogram:
        """What another process has counted."""
        loaded = cls()
        loaded._sum_s, loaded.min_s, loaded.max_s = array("d", data[:24])
        loaded._buckets = array("Q", data[24:])
        loaded.count = sum(loaded._buckets)
        return loaded

    def merge(self, other: Histogram) -> None:
        """Add what `other` has counted, as if it had been recorded here."""
        self._buckets = array("Q", map(int.__add__, self._buckets, other._buckets))
        self.count += other.count
        self._sum_s += other._sum_s
        self.min_s = min(self.min_s, other.min_s)
        self.max_s = max(self.max_s, other.max_s)
