"""The fast lane's connections: open, hand out, take back, retire. Every step of an exchange costs O(1).

Idle connections are a stack: the one used last is the likeliest to be open still, and those that are not needed grow
old at the bottom, where they are looked at. One timer serves all deadlines, and runs only while something is in flight.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
from collections import deque
from math import inf
from typing import Final

from fetcher.clock import Clock
from fetcher.model import Lost, NoReply
from fetcher.transport.exchange import FastConnection
from fetcher.transport.heads import RequestWriter
from fetcher.transport.known_heads import KnownHeads
from fetcher.transport.opening import Opener
from fetcher.transport.origin import Origin

SWEEP_S: Final = 0.05
LONGEST_SWEEP_S: Final = 0.25
"""Deadlines are looked at when the next one is over, neither more nor less often than this: so late may a timeout be,
the longer only where one began that is shorter than those before it."""
BUFFER_BYTES: Final = 256 * 1024
CLOSING_S: Final = 0.5
"""How long closing waits for the event loop to let go of the sockets."""


class Connections:
    """The connections to one origin; the `Keeper` of each."""

    def __init__(self, origin: Origin, context: ssl.SSLContext | None, clock: Clock, max_body_bytes: int) -> None:
        self.clock, self.max_body_bytes = clock, max_body_bytes
        self.writer = RequestWriter(origin)
        self.known_heads = KnownHeads()
        self._shared_buffer = memoryview(bytearray(BUFFER_BYTES))
        self._opener = Opener(origin, context, clock)
        self._open: set[FastConnection] = set()
        self._idle: dict[FastConnection, None] = {}  # a stack from which any may be taken out
        self._timer: asyncio.TimerHandle | None = None
        self.watching = False
        self._reads_large: FastConnection | None = None
        self._large_queue: deque[FastConnection] = deque()
        self._closed = False
        self._emptied: asyncio.Future[None] | None = None

    @property
    def idle(self) -> int:
        """Open connections that wait for their next request. Those that have grown too old are closed first."""
        idle = self._idle
        while idle and not (oldest := next(iter(idle))).usable():
            del idle[oldest]
            oldest.close()
        return len(idle)

    @property
    def in_use(self) -> int:
        """Open connections that are handed out."""
        return sum(connection.taken for connection in self._open)

    def take(self) -> FastConnection | None:
        """The idle connection used last, if there is one."""
        while self._idle:
            connection, _ = self._idle.popitem()
            if connection.usable():
                connection.held = True
                return connection
            connection.close()
        return None

    async def ready(self, timeout_s: float) -> FastConnection | NoReply:
        """The idle connection used last, or a new one within the time."""
        if (connection := self.take()) is not None:
            return connection
        opened = await self.open(timeout_s)
        if not isinstance(opened, NoReply):
            opened.held = True
        return opened

    async def open(self, timeout_s: float) -> FastConnection | NoReply:
        """A new connection, not yet handed out."""
        if self._closed:
            return self._is_closed()
        opened = await self._opener.open(lambda: FastConnection(self), timeout_s)
        if self._closed and not isinstance(opened, NoReply):
            opened.close()
            return self._is_closed()
        return opened

    def _is_closed(self) -> NoReply:
        now_s = self.clock.monotonic_s()
        return NoReply(Lost.CONNECT, False, "the transport is closed", now_s, now_s)

    async def aclose(self) -> None:
        """Close all, and wait until the sockets are gone. Exchanges under way end as lost."""
        self._closed = True
        self._idle.clear()
        self._large_queue.clear()
        for connection in list(self._open):
            connection.close()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._open:
            self._emptied = asyncio.get_running_loop().create_future()
            await asyncio.wait([self._emptied], timeout=CLOSING_S)

    # What connections tell.

    def buffer(self) -> memoryview:
        """A place for arriving bytes.

        One for all, where the event loop waits for readiness and then reads and hands over in one go. On Windows it
        starts reading first, so that there each connection needs its own.
        """
        return memoryview(bytearray(BUFFER_BYTES // 4)) if sys.platform == "win32" else self._shared_buffer

    def opened(self, connection: FastConnection) -> None:
        """It stands."""
        self._open.add(connection)

    def watch(self) -> None:
        """An exchange has begun: look at deadlines until it ends."""
        if self._timer is None:
            self.watching = True
            left_s = min([one.deadline_s for one in self._open], default=inf) - self.clock.monotonic_s()
            wait_s = min(LONGEST_SWEEP_S, max(SWEEP_S, left_s))
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._sweep)

    def take_back(self, connection: FastConnection) -> None:
        """It is clean and waits for its next request."""
        if self._closed:
            connection.close()
        else:
            self._idle[connection] = None

    def lost(self, connection: FastConnection) -> None:
        """It is closed."""
        self._open.discard(connection)
        self._idle.pop(connection, None)
        if not self._open and self._emptied is not None and not self._emptied.done():
            self._emptied.set_result(None)

    def take_turn(self, connection: FastConnection) -> bool:
        """Whether it may read a large body now; otherwise it is resumed when those before it are done."""
        if self._reads_large is None:
            self._reads_large = connection
            return True
        self._large_queue.append(connection)
        return False

    def give_turn(self) -> None:
        """The large body is read, or given up: the next one that still wants to may go on."""
        self._reads_large = None
        while self._large_queue:
            following = self._large_queue.popleft()
            if following.resume():
                self._reads_large = following
                return

    def _sweep(self) -> None:
        """Give up what is late. Data that has arrived was handled before: event loops run timers after sockets."""
        self._timer, self.watching = None, False
        now_s = self.clock.monotonic_s()
        in_flight = [connection for connection in self._open if connection.deadline_s < inf]
        for connection in in_flight:
            if connection.deadline_s <= now_s:
                connection.give_up()
        if in_flight:
            self.watch()
