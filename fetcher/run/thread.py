"""One daemon thread for blocking work: the reader of IDs has one, the writer of results has one.

Why not the event loop's pool: what is written must stay in order, one after the other; and a thread that hangs in
`read()` of a pipe that nobody fills must not keep the process alive after a second Ctrl-C.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")


class BlockingThread:
    """Runs functions one after the other in a thread of its own, in the order of the calls."""

    def __init__(self, name: str) -> None:
        self._inbox: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    async def call(self, function: Callable[..., T], *args: Any) -> T:
        """Run `function(*args)` in the thread and await its result; what it raises is raised here.

        A cancelled caller does not stop the function: it runs to its end, and later calls queue up behind it.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._inbox.put(_Job(function, args, loop, future))
        return await future

    def stop(self) -> None:
        """Let the thread end after what is queued. Does not wait for it."""
        self._inbox.put(None)

    def _run(self) -> None:
        while (job := self._inbox.get()) is not None:
            job.run()


class _Job:
    def __init__(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        loop: asyncio.AbstractEventLoop,
        future: asyncio.Future[Any],
    ) -> None:
        self._function, self._args, self._loop, self._future = function, args, loop, future

    def run(self) -> None:
        try:
            result, error = self._function(*self._args), None
        except BaseException as raised:  # noqa: BLE001 - handed to the caller, whatever it is
            result, error = None, raised
        with suppress(RuntimeError):  # the loop has ended: nobody waits any more
            self._loop.call_soon_threadsafe(self._deliver, result, error)

    def _deliver(self, result: Any, error: BaseException | None) -> None:
        if self._future.done():
            return
        if error is None:
            self._future.set_result(result)
        elif isinstance(error, StopIteration):  # a future refuses it
            self._future.set_exception(RuntimeError("a blocking call raised StopIteration"))
        else:
            self._future.set_exception(error)
