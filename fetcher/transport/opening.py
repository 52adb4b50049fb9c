"""Opens connections: finds the host's addresses, tries them in turn, speaks TLS. Knows nothing of requests."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable
from typing import Final, TypeAlias, TypeVar

from fetcher.clock import Clock
from fetcher.model import NoReply
from fetcher.transport.faults import connect_fault
from fetcher.transport.origin import Origin

KEEP_ADDRESSES_S: Final = 30.0
"""How long found addresses are used before they are asked for again; fifty workers start with one question."""

_Protocol = TypeVar("_Protocol", bound=asyncio.BaseProtocol)
_Found: TypeAlias = list[str] | OSError | UnicodeError


class Addresses:
    """Where the host is. Asked once for many connections; the address that worked last comes first."""

    def __init__(self, host: str, port: int, clock: Clock) -> None:
        self._host, self._port, self._clock = host, port, clock
        self._known: list[str] = []
        self._until_s = 0.0
        self._asked: asyncio.Future[_Found] | None = None

    async def find(self) -> list[str]:
        """At least one address.

        Raises:
            OSError, UnicodeError: there is none.
        """
        if self._known and self._clock.monotonic_s() < self._until_s:
            return self._known
        if self._asked is None:
            self._asked = self._ask()
        found = await asyncio.shield(self._asked)
        if not isinstance(found, list):
            raise found
        return found

    def worked(self, address: str) -> None:
        """It answered: begin with it next time."""
        if self._known and self._known[0] != address and address in self._known:
            self._known = [address, *(other for other in self._known if other != address)]

    def forget(self) -> None:
        """None of them worked: ask again."""
        self._known = []

    def _ask(self) -> asyncio.Future[_Found]:
        """Ask the system's resolver in a thread of its own.

        Not in the loop's pool: a resolver may hang for half a minute, and `asyncio.run` waits for its pool's threads.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[_Found] = loop.create_future()

        def tell(found: _Found) -> None:
            self._asked = None
            if isinstance(found, list):
                self._known, self._until_s = found, self._clock.monotonic_s() + KEEP_ADDRESSES_S
            answer.set_result(found)

        def look_up() -> None:
            found = _look_up(self._host, self._port)
            try:
                loop.call_soon_threadsafe(tell, found)
            except RuntimeError:  # the loop was closed meanwhile: nobody wants to know
                return

        threading.Thread(target=look_up, name="fetcher-dns", daemon=True).start()
        return answer


def _look_up(host: str, port: int) -> _Found:
    try:
        rows = socket.getaddrinfo(host.encode("ascii"), port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        return error
    return list(dict.fromkeys(str(row[4][0]) for row in rows))


class Opener:
    """Makes connections to one origin."""

    def __init__(self, origin: Origin, context: ssl.SSLContext | None, clock: Clock) -> None:
        self._origin, self._context, self._clock = origin, context, clock
        self._addresses = Addresses(origin.host, origin.port, clock)

    async def open(self, make: Callable[[], _Protocol], timeout_s: float) -> _Protocol | NoReply:
        """A connected protocol, or why there is none. A cancelled opening leaves nothing open."""
        started_s = self._clock.monotonic_s()
        try:
            async with asyncio.timeout(timeout_s):
                return await self._open(make, timeout_s)
        except (OSError, UnicodeError) as error:  # errors of TLS, DNS and timeouts are OSErrors too
            self._addresses.forget()
            fault = connect_fault(error)
        return NoReply(fault.kind, False, fault.detail, started_s, self._clock.monotonic_s(), fault.permanent)

    async def _open(self, make: Callable[[], _Protocol], timeout_s: float) -> _Protocol:
        """Try the addresses in turn. Each but the last gets its share of the time: IPv6 may lead nowhere."""
        addresses = await self._addresses.find()
        share_s = timeout_s / len(addresses)
        for address in addresses[:-1]:
            try:
                async with asyncio.timeout(share_s):
                    return await self._connect(make, address)
            except ssl.SSLError:
                raise  # it was reached
            except OSError:
                continue
        return await self._connect(make, addresses[-1])

    async def _connect(self, make: Callable[[], _Protocol], address: str) -> _Protocol:
        _, protocol = await asyncio.get_running_loop().create_connection(
            make,
            address,
            self._origin.port,
            ssl=self._context,
            server_hostname=self._origin.host if self._context is not None else None,
        )
        self._addresses.worked(address)
        return protocol
