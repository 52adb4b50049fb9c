"""The heap of IDs that will be tried again: the only way back. Pure: it does not know the time, it is told.

A retry lies here as data, not as a sleeping worker, so a thousand retries cost a thousand small tuples and a drain
can count them.
"""

from __future__ import annotations

import heapq
import math
from itertools import count

from fetcher.model import Item


class Waiting:
    """Items with the monotonic time at which each may start again. All operations O(log n)."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Item]] = []
        self._order = count()  # items of the same due time leave in the order in which they came

    def push(self, item: Item, due_s: float) -> None:
        """Let `item` start again at `due_s` or later."""
        heapq.heappush(self._heap, (due_s, next(self._order), item))

    def pop_due(self, now_s: float) -> Item | None:
        """The item that is longest due, or None when none is."""
        if self._heap and self._heap[0][0] <= now_s:
            return heapq.heappop(self._heap)[2]
        return None

    def head(self) -> Item:
        """The item that is due first. Raises IndexError when none waits."""
        return self._heap[0][2]

    @property
    def next_due_s(self) -> float:
        """When the next item is due; infinity when none waits."""
        return self._heap[0][0] if self._heap else math.inf

    def __len__(self) -> int:
        return len(self._heap)
