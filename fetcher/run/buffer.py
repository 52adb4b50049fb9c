"""Outcomes on their way to the writer: small lists, never one hand-over per product, and an end to how many.

A disk that does not keep up fills the buffer; a full buffer stops the dispatcher; so back-pressure reaches the gateway
and memory stays bounded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from fetcher.model import Outcome, Product
from fetcher.run.desk import Bell

LOT_BYTES: Final = 1 << 20
"""Payload bytes at which the writer need not wait for more. With a quarter of it a product costs a tenth more CPU in a
run of several processes (each lot wakes another process, that one a thread, and both are woken by the answer), a
fiftieth more in one."""


class OutcomeBuffer:
    """Collects outcomes by count and by bytes until somebody takes them all.

    Args:
        limit: outcomes that may lie here before `full`.
        limit_bytes: payload bytes that may lie here before `full`; one answer may be 64 MiB.
    """

    def __init__(self, limit: int = 4096, limit_bytes: int = 32 * 2**20) -> None:
        self._limit, self._limit_bytes = limit, limit_bytes
        self._outcomes: list[Outcome] = []
        self._bytes = 0
        self.passed = 0
        self._filled = asyncio.Event()
        self._pressing = Bell()
        self.closed = False

    def put(self, outcome: Outcome) -> None:
        """Add one; never waits. Check `full` before starting the call that will bring it."""
        self._outcomes.append(outcome)
        self.passed += 1
        if isinstance(outcome, Product):
            self._bytes += len(outcome.payload)
        if not self._filled.is_set():
            self._filled.set()
        if self._is_lot:
            self._pressing.ring()

    def extend(self, products: Sequence[Product]) -> None:
        """Add several; never waits."""
        self._outcomes.extend(products)
        self.passed += len(products)
        self._bytes += sum([len(product.payload) for product in products])
        if not self._filled.is_set():
            self._filled.set()
        if self._is_lot:
            self._pressing.ring()

    @property
    def full(self) -> bool:
        """No more calls should start until somebody has taken what lies here."""
        return len(self._outcomes) >= self._limit or self._bytes >= self._limit_bytes

    @property
    def _is_lot(self) -> bool:
        return self._bytes >= LOT_BYTES or len(self._outcomes) >= self._limit

    def __len__(self) -> int:
        return len(self._outcomes)

    def close(self) -> None:
        """Nothing more will be put."""
        self.closed = True
        self._filled.set()
        self._pressing.ring()

    async def wait(self) -> bool:
        """Until something lies here. False when it is closed and empty."""
        await self._filled.wait()
        return bool(self._outcomes) or not self.closed

    def press(self) -> None:
        """Nothing more is to be expected: there is no reason to let more come."""
        self._pressing.ring()

    async def gather(self, longest_s: float) -> None:
        """Let more come for `longest_s`, or until there is enough, or no more will."""
        if longest_s > 0 and not self._is_lot and not self.closed:
            await self._pressing.sleep(longest_s)

    def take(self) -> list[Outcome]:
        """All that lies here, in the order in which it came."""
        taken, self._outcomes, self._bytes = self._outcomes, [], 0
        if not self.closed:
            self._filled.clear()
            self._pressing.hush()
        return taken
