"""The fast lane: keep-alive HTTP/1.1 to one origin, about 30 µs of CPU a request where httpx takes milliseconds.

It does what a bulk fetcher of one gateway needs and no more: no proxy, no HTTP/2, no redirects, no cookies.
"""

from __future__ import annotations

import asyncio
import ssl

from fetcher.clock import Clock
from fetcher.model import NoReply
from fetcher.transport.connections import Connections
from fetcher.transport.contract import CONNECT_TIMEOUT_S, MAX_BODY_BYTES
from fetcher.transport.exchange import FastConnection
from fetcher.transport.origin import Origin, parse_origin
from fetcher.transport.tls import client_context

WARM_AT_ONCE = 32
"""Handshakes at a time while warming: a listen queue is short, and a handshake costs the far end CPU."""


class FastTransport:
    """See `contract.Transport`. Make it and use it inside one event loop.

    Args:
        origin: `https://host[:port]`; a path behind it is not looked at.
        clock: gives the times of replies, and judges deadlines.
        connect_timeout_s: for finding the host, connecting and the TLS handshake together.
        max_body_bytes: longest body, as sent and inflated.
        ca_file: PEM file of the authorities to trust in place of Mozilla's.
        context: a TLS context to use as it is; `ca_file` is then not looked at.

    Raises:
        UsageError: the origin or the file is not sound.
    """

    def __init__(
        self,
        origin: str | Origin,
        *,
        clock: Clock,
        connect_timeout_s: float = CONNECT_TIMEOUT_S,
        max_body_bytes: int = MAX_BODY_BYTES,
        ca_file: str | None = None,
        context: ssl.SSLContext | None = None,
    ) -> None:
        where = parse_origin(origin) if isinstance(origin, str) else origin
        if where.secure and context is None:
            context = client_context(ca_file)
        self._connect_timeout_s = connect_timeout_s
        self._connections = Connections(where, context if where.secure else None, clock, max_body_bytes)
        self.take = self._connections.take
        """See `contract.Transport`. Asked for every call, so there is nothing between."""

    @property
    def in_use(self) -> int:
        """See `contract.Transport`."""
        return self._connections.in_use

    @property
    def idle(self) -> int:
        """See `contract.Transport`."""
        return self._connections.idle

    async def open(self) -> NoReply | None:
        """See `contract.Transport`."""
        opened = await self._connections.open(self._connect_timeout_s)
        if isinstance(opened, NoReply):
            return opened
        self._connections.take_back(opened)
        return None

    async def ready(self, connect_timeout_s: float | None = None) -> FastConnection | NoReply:
        """See `contract.Transport`.

        Args:
            connect_timeout_s: for this once, in place of the transport's own.
        """
        return await self._connections.ready(connect_timeout_s or self._connect_timeout_s)

    async def warm(self, n: int) -> int:
        """Open connections ahead of their first use; gives up at the first that cannot be had.

        Returns:
            How many were opened.
        """
        opened = 0
        while opened < n:
            lot = min(WARM_AT_ONCE, n - opened)
            got = await asyncio.gather(*(self.open() for _ in range(lot)))
            opened += got.count(None)
            if any(got):
                break
        return opened

    async def aclose(self) -> None:
        """See `contract.Transport`."""
        await self._connections.aclose()
