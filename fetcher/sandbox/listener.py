"""uvicorn, told to be a sandbox. The only file that imports it: everything else imports this inside functions."""

from __future__ import annotations

import asyncio
import gc
import logging
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from fetcher.sandbox.app import EXTENSION, App

KEEP_ALIVE_S: Final = 75
DRAIN_S: Final = 2
_LINGER_NOT: Final = struct.pack("ii", 1, 0)


class _Wire:
    """See `app.Wire`."""

    __slots__ = ("_transport", "arrived_s")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.arrived_s = time.monotonic()

    def reset(self) -> None:
        connection = self._transport.get_extra_info("socket")
        if connection is not None:
            with suppress(OSError, ValueError):  # the caller has gone already
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
        self._transport.abort()

    def close(self) -> None:
        self._transport.close()


class _SandboxProtocol(HttpToolsProtocol):
    """Stamps each request at its first byte, before any task has to be scheduled."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        extensions: dict[str, Any] = {EXTENSION: _Wire(self.transport)}
        self.scope["extensions"] = extensions


class Listener(uvicorn.Server):
    """Serves one application on one bound socket until `stop`. Signals are its owner's business."""

    def __init__(self, app: App, bound: socket.socket, on_ready: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                interface="asgi3",
                http=_SandboxProtocol,
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="warning",
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=DRAIN_S,
                backlog=4096,
            )
        )
        self._bound = bound
        self._on_ready = on_ready

    async def run_until_stopped(self) -> None:
        """Serve. Calls `on_ready` once connections are taken."""
        await self.serve(sockets=[self._bound])

    def stop(self) -> None:
        """Take no more connections and let calls in flight end, up to two seconds; the second time end at once."""
        # What is said while calls are given up is no news to whoever stops us.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        self.force_exit = self.should_exit
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """See uvicorn."""
        await super().startup(sockets)
        gc.collect()
        gc.freeze()  # modules and moulds live as long as the process
        self._on_ready()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """None: see the class."""
        yield


def run(listener: Listener, prepare: Callable[[Listener], None]) -> None:
    """Serve on a loop of its own, uvloop's where there is one. `prepare` is called on it before anything else."""

    async def main() -> None:
        prepare(listener)
        await listener.run_until_stopped()

    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(main())


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop
