"""A far end that sends exactly the bytes it is told to, however wrong, on a free port of this machine."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Handler = Callable[["Far"], Awaitable[None]]


@dataclass
class RawServer:
    """What the far end has seen."""

    handler: Handler
    origin: str = ""
    port: int = 0
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)


@dataclass
class Far:
    """The far end of one connection."""

    server: RawServer
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    number: int
    """Which connection it is, counted from 1."""

    async def request(self) -> bytes:
        """Read one request, head and body."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        whole = head + await self.reader.readexactly(length)
        self.server.requests.append(whole)
        return whole

    async def say(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def wait_for_end(self) -> None:
        """Until the near end has closed."""
        while await self.reader.read(65536):
            pass

    def reset(self) -> None:
        """End it with RST in place of FIN."""
        import socket
        import struct

        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


@asynccontextmanager
async def raw_server(handler: Handler, context: ssl.SSLContext | None = None) -> AsyncIterator[RawServer]:
    """Serve until the block ends; then no task and no socket is left."""
    server = RawServer(handler)
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        server.connections += 1
        try:
            await handler(Far(server, reader, writer, server.connections))
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.close()
            tasks.discard(task)

    listening = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    server.port = listening.sockets[0].getsockname()[1]
    server.origin = f"{'https' if context else 'http'}://127.0.0.1:{server.port}"
    try:
        yield server
    finally:
        listening.close()
        for task in list(tasks):
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=1)
        for _ in range(4):  # what was closed lets go of its socket a turn or two later
            await asyncio.sleep(0)


def answering(*answers: bytes, close: bool = False) -> Handler:
    """Answer each request of a connection with the next of the answers, then the last one again and again."""

    async def handle(far: Far) -> None:
        for turn in range(1_000_000):
            await far.request()
            await far.say(answers[min(turn, len(answers) - 1)])
            if close:
                return

    return handle


async def silent(far: Far) -> None:
    """Read the request and never answer."""
    await far.request()
    await far.wait_for_end()


def plain(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """A sound answer with a length."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def chunked(*pieces: bytes, headers: tuple[str, ...] = ()) -> bytes:
    """A sound answer in chunks."""
    head = "\r\n".join(["HTTP/1.1 200 OK", "Transfer-Encoding: chunked", *headers, "", ""]).encode()
    return head + b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
