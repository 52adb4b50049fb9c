"""What every lane promises. The run knows these two protocols and nothing else of the room.

A caller gets a connection first and its permit to send afterwards, so that no permit is spent on waiting for a
handshake:

    open() ─▶ idle ─▶ take() ─▶ Connection ─▶ (permit) ─▶ start(request, done) ─▶ done(Reply | NoReply)
               ▲                    │                                                  │
               └───── release() ◀───┘ it was not needed        idle again, or closed ◀─┘

A call in flight is a callback, not a task: `exchange` is `start` for those who would rather wait.

1.  A failed exchange is a value. Exceptions are for mistakes of the caller and for cancellation.
2.  One `start` is at most one request on the wire: nothing is sent again, no redirect is followed, no cookie kept.
3.  The deadline is for all of it, from the first byte written to the last one read.
4.  `NoReply.sent` is False only when it is certain that no byte of the request left.
5.  A `Reply` is whole: framing and compression were checked to their ends.
6.  Whoever got a connection calls exactly one of `start`, `exchange` and `release`; after that it is not theirs.
7.  A cancelled `exchange` closes its connection, and nothing is left over.
8.  `done` is called exactly once, by the event loop, never from within `start`. It must not raise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol, TypeAlias

from fetcher.model import NoReply, Reply, Request

HEADER_LINE_BYTES: Final = 8 * 1024
"""Longest header line that is read; nginx, Apache and Tomcat stop their peers at the same length."""
HEADERS_BYTES: Final = 64 * 1024
"""All header lines of an answer together, interim answers included."""
MAX_BODY_BYTES: Final = 64 * 1024 * 1024
"""Default for the longest body, as sent and inflated."""
CONNECT_TIMEOUT_S: Final = 5.0

Done: TypeAlias = Callable[[Reply | NoReply], None]
"""Is told what came of an exchange."""


class Connection(Protocol):
    """A way to the gateway on which one request can be written now."""

    def usable(self) -> bool:
        """Whether it is still open and clean. Ask again just before sending: a server may close at any time."""
        ...

    def start(self, request: Request, timeout_s: float, done: Done) -> None:
        """Write the request and return; `done` hears what came of it.

        Args:
            request: is written once, as it is.
            timeout_s: seconds until it is given up; the end comes at most a tenth of a second later.
            done: is told once, with the connection idle again or closed.

        Raises:
            Defect: the connection is not the caller's, or the request cannot be written down as HTTP.
        """
        ...

    async def exchange(self, request: Request, timeout_s: float) -> Reply | NoReply:
        """Write the request, before the first suspension, and wait for the whole answer. See `start`."""
        ...

    def release(self) -> None:
        """Give it back unused."""
        ...


class Transport(Protocol):
    """The connections to one origin."""

    @property
    def in_use(self) -> int:
        """Connections that callers hold, with or without an exchange on them."""
        ...

    @property
    def idle(self) -> int:
        """Open connections that wait for their next request; a large number where nobody has to wait for one."""
        ...

    def take(self) -> Connection | None:
        """An idle connection, the one used last; None when there is none. Never waits."""
        ...

    async def open(self) -> NoReply | None:
        """Open one more and leave it idle; a NoReply with `sent=False` when there is none to be had."""
        ...

    async def ready(self) -> Connection | NoReply:
        """An idle connection, or a new one; a NoReply with `sent=False` when there is none to be had."""
        ...

    async def aclose(self) -> None:
        """Close everything. Exchanges that are under way end as lost."""
        ...
