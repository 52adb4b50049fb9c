"""Latencies in fixed memory: a log-linear histogram after Gil Tene's HdrHistogram.

It knows durations only: not what was measured, not when.

The bucket of a duration is read off the float itself: its exponent and the first six bits of its fraction cut every
doubling into 64 equal buckets, of which the middle is answered. So the error of a quantile is at most 0.5/64 = 0.8 %,
from a microsecond to an hour, in 2 000 buckets, whatever was recorded.
"""

from __future__ import annotations

import math
import struct
from array import array
from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate
from operator import add
from typing import Final

import msgspec

SHARE_BITS: Final = 6
"""A doubling is cut into 2⁶ buckets."""
SHORTEST_S: Final = 2.0**-20
"""Shorter ones are counted as a microsecond; `min_s` stays exact."""
LONGEST_S: Final = 3600.0
"""Longer ones are counted as an hour; `max_s` stays exact."""
DROPPED_BITS: Final = 52 - SHARE_BITS
"""Of the 52 of a double's fraction (IEEE 754)."""


def _top(duration_s: float) -> int:
    bits: int = struct.unpack("=q", struct.pack("=d", duration_s))[0]
    return bits >> DROPPED_BITS


def _lower_s(bucket: int) -> float:
    """Where the bucket begins; the inverse of `_top`."""
    return float(struct.unpack("=d", struct.pack("=q", (FIRST + bucket) << DROPPED_BITS))[0])


FIRST: Final = _top(SHORTEST_S)
LONGEST_BUCKET: Final = _top(LONGEST_S) - FIRST
COARSE: Final = 8
"""So many buckets make one of the coarse ones, eight of which cut a doubling: within 6 % of the truth."""
COARSE_COUNT: Final = LONGEST_BUCKET // COARSE + 1
NINES: Final = (0.0, 0.1, 0.25, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.925, 0.95, 0.97, 0.98, 0.99, 0.995, 0.998, 0.999)
MORE_NINES: Final = (0.9995, 0.9999, 0.99995, 0.99999, 0.999995, 0.999999)


class Percentile(msgspec.Struct, frozen=True):
    """`share` (0 to 1) of all durations did not exceed `duration_s`."""

    share: float
    duration_s: float


def coarse_bounds_s() -> list[float]:
    """The upper bound of each coarse bucket, in seconds."""
    return [_lower_s(min((number + 1) * COARSE, LONGEST_BUCKET + 1)) for number in range(COARSE_COUNT)]


def coarse_quantiles(counts: Sequence[int], *shares: float) -> list[float | None]:
    """Quantiles from coarse counts, evenly spread inside a bucket; None where nothing was counted."""
    upto = list(accumulate(counts))
    total = upto[-1] if upto else 0
    if not total:
        return [None] * len(shares)
    return [_inside(counts, upto, share * total) for share in shares]


def _inside(counts: Sequence[int], upto: list[int], rank: float) -> float:
    place = bisect_left(upto, max(rank, 1e-9))
    low_s, high_s = _lower_s(place * COARSE), _lower_s((place + 1) * COARSE)
    return low_s + (high_s - low_s) * (rank - (upto[place] - counts[place])) / counts[place]


class Histogram:
    """Counts durations, for about 0.2 µs each where several are told together."""

    def __init__(self) -> None:
        self._buckets = [0] * (LONGEST_BUCKET + 1)
        self._sum_s = 0.0
        self.count = 0
        self.min_s = math.inf
        """Exact; infinity as long as nothing was recorded."""
        self.max_s = 0.0
        """Exact."""

    def record(self, duration_s: float) -> None:
        """Count one duration. A negative one counts as 0: a clock that steps back must not spoil the run."""
        self.record_each((duration_s,))

    def record_each(self, durations_s: Sequence[float]) -> None:
        """Count several durations. See `record`."""
        if not durations_s:
            return
        shortest_s, longest_s = min(durations_s), max(durations_s)
        if shortest_s < 0.0:
            durations_s, shortest_s = [max(0.0, one_s) for one_s in durations_s], 0.0
        self.count += len(durations_s)
        self._sum_s += sum(durations_s)
        if shortest_s < self.min_s:
            self.min_s = shortest_s
        if longest_s > self.max_s:
            self.max_s = longest_s
        if shortest_s < SHORTEST_S or longest_s > LONGEST_S:
            durations_s = [min(max(SHORTEST_S, one_s), LONGEST_S) for one_s in durations_s]
        buckets = self._buckets
        for bits in array("q", array("d", durations_s).tobytes()):
            buckets[(bits >> DROPPED_BITS) - FIRST] += 1

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
        bucket = bisect_left(upto, rank)
        middle_s = (_lower_s(bucket) + _lower_s(bucket + 1)) / 2
        return min(max(middle_s, self.min_s), self.max_s)

    def table(self) -> list[Percentile]:
        """Quantiles as far as there are enough durations for them, and the longest one. Empty when empty."""
        shares = [share for share in (*NINES, *MORE_NINES) if share <= 0.5 or self.count * (1.0 - share) > 0.999]
        if not self.count:
            return []
        return [*map(Percentile, shares, self.quantiles(*shares)), Percentile(1.0, self.max_s)]

    def coarse(self) -> list[int]:
        """Running totals in about 250 coarse buckets (30 µs): they can be added up and subtracted."""
        buckets = self._buckets
        return [sum(buckets[start : start + COARSE]) for start in range(0, LONGEST_BUCKET + 1, COARSE)]

    def dump(self) -> bytes:
        """All of it, for `load` in another process of this machine."""
        return array("d", [self._sum_s, self.min_s, self.max_s]).tobytes() + array("Q", self._buckets).tobytes()

    @classmethod
    def load(cls, data: bytes) -> Histogram:
        """What another process has counted."""
        loaded = cls()
        loaded._sum_s, loaded.min_s, loaded.max_s = array("d", data[:24])
        loaded._buckets = array("Q", data[24:]).tolist()
        loaded.count = sum(loaded._buckets)
        return loaded

    def without(self, other: Histogram) -> Histogram:
        """What is left when the durations in `other`, all of which were recorded here too, are taken out.

        The longest and the shortest stay what they were.
        """
        left = Histogram()
        left._buckets = [max(0, a - b) for a, b in zip(self._buckets, other._buckets, strict=True)]
        left.count = sum(left._buckets)
        left._sum_s = max(0.0, self._sum_s - other._sum_s)
        left.min_s, left.max_s = self.min_s, self.max_s
        return left

    def merge(self, other: Histogram) -> None:
        """Add what `other` has counted, as if it had been recorded here."""
        self._buckets = list(map(add, self._buckets, other._buckets))
        self.count += other.count
        self._sum_s += other._sum_s
        self.min_s = min(self.min_s, other.min_s)
        self.max_s = max(self.max_s, other.max_s)
