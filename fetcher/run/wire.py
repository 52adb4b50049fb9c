"""How the processes of one run talk: a stream of length-prefixed MessagePack messages between parent and worker.

The messages are all there is between them; secrets travel here and never in an argument or a variable.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any, Final, TypeAlias

import msgspec

from fetcher.metrics import Snapshot
from fetcher.output import Encoded

_LENGTH: Final = struct.Struct(">I")


class Begin(msgspec.Struct, frozen=True, tag=True):
    """To a worker, first of all: what to do, and its part of the cap."""

    number: int
    """Which worker it is, counted from 1."""
    settings: dict[str, Any]
    attempts: str | None
    """Where it notes its calls; None: nowhere."""
    log_level: int
    log_format: str


class Want(msgspec.Struct, frozen=True, tag=True):
    """From a worker: so many IDs more."""

    n: int


class Given(msgspec.Struct, frozen=True, tag=True):
    """To a worker: IDs. None in it: the input is at its end."""

    ids: list[str]
    lines: list[int]
    """Of the input, where they stand."""


class Put(msgspec.Struct, frozen=True, tag=True):
    """From a worker: outcomes as lines."""

    laid: int
    """So many bytes of products lie in the common memory (`lot`)."""
    products: bytes
    """All of them, where they are too many for it."""
    failures: bytes
    fetched: list[str]
    failed: list[str]
    sizes_bytes: list[int]


def put_of(encoded: Encoded) -> Put:
    """The message for lines of which those of products lie in the common memory, if they are only looked at."""
    products = encoded.products
    laid, told = (len(products), b"") if isinstance(products, memoryview) else (0, products)
    return Put(laid, told, encoded.failures, encoded.fetched, encoded.failed, encoded.sizes_bytes)


class Stored(msgspec.Struct, frozen=True, tag=True):
    """To a worker: they are in the files."""


class Figures(msgspec.Struct, frozen=True, tag=True):
    """From a worker, four times a second: its figures, and when it sent calls since the last time."""

    snapshot: Snapshot
    now_s: float
    sent_s: dict[str, bytes]
    """By key: doubles in native order, monotonic seconds of the machine's clock, so all processes' times compare."""


class Slow(msgspec.Struct, frozen=True, tag=True):
    """Either way: the gateway said "over the rate" to a call of this key, started at `started_s`. All slow it down."""

    key: str
    now_s: float
    started_s: float
    asked_wait_s: float | None


class Stop(msgspec.Struct, frozen=True, tag=True):
    """To a worker: start nothing more. `at_once`: do not wait for what is in flight either."""

    at_once: bool


class Over(msgspec.Struct, frozen=True, tag=True):
    """From a worker, last of all: how it ended."""

    error: tuple[int, str, str] | None
    """Exit code, sentence, advice."""
    snapshot: Snapshot
    evidence: str
    """Why its books do not balance; empty when they do."""
    left: list[str]
    open_calls: list[str]
    latency: bytes
    with_wait: bytes
    specimens: bytes
    abandoned: bool
    taken: int = 0
    """How many of the lists that it was given have reached its run."""
    limited: bool = False
    """It has used up its part of --max-calls or --max-cost; the others may go on with theirs."""
    keys_out: dict[str, str] = {}
    """Keys of several that took no more part, and why."""


Message: TypeAlias = Begin | Want | Given | Put | Stored | Figures | Slow | Stop | Over


class Channel:
    """One end of the line."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder: msgspec.msgpack.Decoder[Message] = msgspec.msgpack.Decoder(Message)

    @classmethod
    async def over(cls, sock: socket.socket) -> Channel:
        """On a connected socket, which it owns from now on."""
        return cls(*await asyncio.open_connection(sock=sock, limit=1 << 22))

    def post(self, message: Message) -> None:
        """Send without waiting; for small messages."""
        data = self._encoder.encode(message)
        self._writer.write(_LENGTH.pack(len(data)))
        self._writer.write(data)

    async def send(self, message: Message) -> None:
        """Send, and wait while the other end does not keep up. Raises ConnectionError."""
        self.post(message)
        await self._writer.drain()

    async def receive(self) -> Message | None:
        """The next message; None when the other end has gone."""
        try:
            [length] = _LENGTH.unpack(await self._reader.readexactly(_LENGTH.size))
            return self._decoder.decode(await self._reader.readexactly(length))
        except (asyncio.IncompleteReadError, ConnectionError):
            return None

    def close(self) -> None:
        """Hang up."""
        self._writer.close()
