"""A fast lane with its far end, for the tests of its parts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from fetcher.clock import SystemClock
from fetcher.transport import FastTransport
from fetcher.transport.exchange import FastConnection
from tests.transport.raw_server import Handler, RawServer, raw_server
from tests.transport.scripts import LIMIT


class TurnedClock(SystemClock):
    """The machine's clock, which a test can put forward."""

    ahead_s = 0.0

    def monotonic_s(self) -> float:
        return super().monotonic_s() + self.ahead_s


@asynccontextmanager
async def fast(handler: Handler, **options: Any) -> AsyncIterator[tuple[FastTransport, RawServer]]:
    """A fast lane and its far end."""
    async with raw_server(handler) as server:
        transport = FastTransport(server.origin, **{"clock": SystemClock(), "max_body_bytes": LIMIT} | options)
        try:
            yield transport, server
        finally:
            await transport.aclose()


async def connection_of(transport: FastTransport) -> FastConnection:
    connection = await transport.ready()
    assert isinstance(connection, FastConnection)
    return connection


async def until(condition: Callable[[], bool]) -> None:
    """Let the event loop go on until it is so."""
    async with asyncio.timeout(2):
        while not condition():
            await asyncio.sleep(0.001)
