"""Which shard next, and what becomes of those whose worker was lost. Pure: no Ray, no clock."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final

from fetcher.cluster.board import Order
from fetcher.cluster.records import Shard

TRIES: Final = 5
"""How often a shard may lose its worker. A machine dies now and then; a shard that kills five workers is the cause."""


class Schedule:
    """Args:
    shards: to be done, in order.
    resumed: the job was started before, so open or published parts may be there.
    """

    def __init__(self, shards: Iterable[Shard], *, resumed: bool) -> None:
        self._waiting = deque(shards)
        self._resumed = resumed
        self._tries: dict[int, int] = {}
        self._near: dict[int, str] = {}
        self._running: dict[int, Shard] = {}

    @property
    def waiting(self) -> int:
        """Shards that nobody works on."""
        return len(self._waiting)

    @property
    def running(self) -> int:
        """Shards that somebody works on."""
        return len(self._running)

    def is_running(self, number: int, attempt: int) -> bool:
        """Whether this try goes on."""
        return number in self._running and self._tries[number] == attempt

    def next(self) -> tuple[Order, str | None] | None:
        """The next order, and the node that had the shard before; None: nothing is waiting."""
        if not self._waiting:
            return None
        shard = self._waiting.popleft()
        self._running[shard.number] = shard
        attempt = self._tries[shard.number] = self._tries.get(shard.number, 0) + 1
        look = self._resumed or attempt > 1
        order = Order(shard.number, attempt, look, shard.start_bytes, shard.end_bytes, shard.ids, shard.digest)
        return order, self._near.get(shard.number)

    def done(self, number: int) -> None:
        """Its result has come, whatever it says."""
        del self._running[number]

    def lost(self, number: int, node: str | None) -> bool:
        """Its worker is gone: it goes first, where it was if that is still there. False: once too often."""
        shard = self._running.pop(number)
        if node is not None:
            self._near[number] = node
        if self._tries[number] >= TRIES:
            return False
        self._waiting.appendleft(shard)
        return True

    def left(self) -> list[Shard]:
        """Not done: waiting or worked on."""
        return [*self._running.values(), *self._waiting]
