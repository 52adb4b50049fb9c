"""Keeps enough connections open: opened ahead of their permits, so that none is spent on a handshake.

The dispatcher says how many are missing; a few short-lived tasks open them. Where that fails they pause, and during an
outage a single one knocks at the door, when the breaker says so. It must not know calls.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from fetcher.run.assemble import Parts
from fetcher.run.desk import Desk
from fetcher.run.settling import Settling

AT_ONCE: Final = 16
"""Connections that are opened at a time: a listen queue is short, and a handshake costs the far end CPU."""
LOOK_AGAIN_S: Final = 0.25


class Openers:
    """The tasks that open connections.

    Args:
        begin: starts a task that the run owns.
    """

    def __init__(
        self, parts: Parts, desk: Desk, settling: Settling, begin: Callable[[Callable[[], Awaitable[None]]], None]
    ) -> None:
        self._parts, self._desk, self._settling, self._begin = parts, desk, settling, begin
        self._missing = 0
        self._stood = False
        """A connection has stood: where none has, one task finds out whether that is to be expected."""

    def want(self, missing: int) -> None:
        """So many more connections would be of use; never waits."""
        self._missing = missing
        most = AT_ONCE if self._stood and not self._parts.breaker.is_open else 1
        while self._desk.opening < min(missing, most):
            self._desk.opening += 1
            self._begin(self._open)

    async def _open(self) -> None:
        """One after another, as long as some are missing."""
        parts, desk = self._parts, self._desk
        try:
            while self._missing > 0 and not desk.stopping:
                if not parts.breaker.allows(now_s := parts.clock.monotonic_s()):
                    await asyncio.sleep(min(max(parts.breaker.wait_s(now_s), LOOK_AGAIN_S), 1.0))
                    continue
                lost = await parts.transport.open()
                if lost is None:
                    self._stood = True
                    self._missing -= 1
                    desk.changed()
                else:
                    self._settling.no_connection(lost)
                    await asyncio.sleep(parts.policy.pause_s(lost))
        finally:
            desk.opening -= 1
            desk.changed()
