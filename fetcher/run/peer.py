"""A worker process as its parent sees it: what it was given, what came back, how it ended.

It keeps count so that no ID is lost between two processes: lists of IDs may be on their way when a worker's run ends,
or in its hands when it dies. It must not know files, books or the cap.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Sequence

import msgspec

from fetcher.metrics import Histogram, Snapshot, Specimens
from fetcher.model import Item
from fetcher.output import Encoded
from fetcher.run.lot import Lot
from fetcher.run.wire import Channel, Given, Over, Put, Stored


class Peer:
    """A worker, seen from the parent."""

    def __init__(self, number: int, channel: Channel, process: asyncio.subprocess.Process, lot: Lot) -> None:
        self.number, self.channel, self.process, self.lot = number, channel, process, lot
        self.snapshot = Snapshot()
        self.times: dict[str, list[float]] = {}
        """When it sent, by key, as far as that is not yet proven."""
        self.heard_s = 0.0
        """Up to when all times at which it sent are known."""
        self.over: Over | None = None
        self._out = self._fetched = self._failed = 0
        """IDs given and not yet back; those that came back, and how."""
        self._given = 0
        """Lists of IDs that it was given, empty ones too."""
        self._given_last: list[str] = []

    def give(self, items: Sequence[Item]) -> None:
        """What it wanted; nothing: there is no more."""
        self._out += len(items)
        self._given += 1
        self._given_last = [item.id for item in items]
        self.channel.post(Given(self._given_last, [item.line for item in items]))

    def lines(self, put: Put) -> Encoded:
        """What it has brought; good until it is told that they are stored."""
        products = self.lot.look(put.laid) if put.laid else put.products
        return Encoded(products, put.failures, put.fetched, put.failed, put.sizes_bytes)

    def stored(self, fetched: int, failed: int) -> None:
        """So many of its outcomes are in the files."""
        self._fetched += fetched
        self._failed += failed
        self._out -= fetched + failed
        self.channel.post(Stored())

    def ended(self, over: Over) -> list[str]:
        """It has told how its run ended. Returns the IDs that stay to be done.

        It asks for one list at a time, so that only the last one can still have been on its way to the run.
        """
        missed = self._given_last if over.taken < self._given else []
        snapshot = over.snapshot
        self.over = over
        self.snapshot = msgspec.structs.replace(
            snapshot, read=snapshot.read + len(missed), left=snapshot.left + len(missed)
        )
        return [*over.left, *missed]

    def take_times(self, until_s: float) -> dict[str, list[float]]:
        """When it sent, up to then; each time is taken once."""
        taken = {key: times[: bisect_right(times, until_s)] for key, times in self.times.items()}
        self.times = {key: times[len(taken[key]) :] for key, times in self.times.items()}
        return taken

    def died(self) -> None:
        """Killed, or crashed: what it had in its hands is known by number only, and stays to be done."""
        self.snapshot = msgspec.structs.replace(
            self.snapshot,
            read=self._fetched + self._failed + self._out,
            fetched=self._fetched,
            failed=self._failed,
            left=self._out,
            queued=0,
            in_flight=0,
            waiting=0,
        )
        empty = Histogram().dump()
        self.over = Over(None, self.snapshot, "", [], [], empty, empty, Specimens().dump(), abandoned=True)
