"""The desk between reader, dispatcher, calls and writer: what is queued, what is in flight, whether the run is to end.

It holds and counts; it decides nothing and waits for nothing but its own bell. Everything here is touched from one
event loop only.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable
from typing import Final

from fetcher.errors import FetcherError
from fetcher.model import Call, Failure, Item
from fetcher.run.roles import CallNotes
from fetcher.run.waiting import Waiting

QUEUE_LIMIT: Final = 2048
"""IDs read ahead. Two thousand short texts; enough for a fifth of a second at ten thousand a second."""
QUEUE_LOW: Final = QUEUE_LIMIT // 2
"""At this many the reader is woken."""


class Interrupted(FetcherError):
    """A signal asked the run to end. `exit_code` is 128 + the signal's number, as shells expect."""

    def __init__(self, signal_number: int, name: str) -> None:
        super().__init__(f"stopped by {name}")
        self.exit_code = 128 + signal_number  # type: ignore[misc]


class Bell:
    """Wakes one sleeper, who may also give up waiting after a time. A ring that nobody hears is kept."""

    def __init__(self) -> None:
        self._future: asyncio.Future[None] | None = None
        self._rung = False

    def ring(self) -> None:
        """Wake the sleeper, now or at its next sleep."""
        self._rung = True
        if self._future is not None and not self._future.done():
            self._future.set_result(None)

    def hush(self) -> None:
        """Forget a ring that nobody has heard."""
        self._rung = False

    async def sleep(self, timeout_s: float | None) -> None:
        """Until the bell rings, or for `timeout_s`."""
        if self._rung:
            self._rung = False
            await asyncio.sleep(0)
            return
        loop = asyncio.get_running_loop()
        self._future = future = loop.create_future()
        timer = None if timeout_s is None else loop.call_later(timeout_s, _finish, future)
        try:
            await future
        finally:
            if timer is not None:
                timer.cancel()
            self._future = None
            self._rung = False


def _finish(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


class Alarm:
    """Calls one function, each time in a turn of the event loop of its own: when it is rung, and at a time set before.

    A task that sleeps is woken by a future that is set by a timer: twice the work, several hundred times a second.
    A ring that comes before there is a function to call is kept.
    """

    def __init__(self) -> None:
        self._call: Callable[[], None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._rung = False

    def start(self, call: Callable[[], None]) -> None:
        """From now on that is what is called, for the first time at once."""
        self._call, self._rung = call, False
        self.ring()

    def stop(self) -> None:
        """Nothing is called any more."""
        self._call = None
        if self._timer is not None:
            self._timer.cancel()

    def ring(self) -> None:
        """Call it soon."""
        if not self._rung:
            self._rung = True
            if self._call is not None:
                asyncio.get_running_loop().call_soon(self._go)

    def set(self, delay_s: float) -> None:
        """Call it after so long, in place of any time that was set before."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._go)

    def _go(self) -> None:
        self._rung = False
        if self._call is not None:
            self._call()


class Desk:
    """What reader, dispatcher, workers and writer share.

    Args:
        notes: where calls are noted before they leave.
    """

    def __init__(self, notes: CallNotes) -> None:
        self.notes = notes
        self.queue: deque[Item] = deque()
        self.waiting = Waiting()
        self.flying: dict[str, Call] = {}
        """Calls in flight, by the first of their IDs."""
        self.cut_off: list[Item] = []
        """Sent, but the run ended first: they stay to be done."""
        self.parked: list[tuple[Item, Failure]] = []
        """Have used up their attempts while nothing went well: the ID's fault, or an outage that has just begun?"""
        self.begun_ms: dict[str, float] = {}
        """Wall clock at which the first call of an ID began that needs more than one."""
        self.started_s = 0.0
        """When the last call was handed out, monotonic."""
        self.opening = 0
        """Connections that are being opened."""
        self.reading = False
        """The reader waits for its input."""
        self.storing = 0
        """Outcomes that the sink is being given just now."""
        self.storing_since_s = 0.0
        self.input_is_anothers = self.sink_is_anothers = False
        """Somebody else may take as long as they like: who fills a pipe, or empties one."""
        self.input_ended = False
        self.error: FetcherError | None = None
        """Why the run ends before its time; None as long as it goes on or when it ended by itself."""
        self.closed_until_s = -math.inf
        """Until then no call may start, because of the hour or of a cap over a longer time; monotonic."""
        self.paused = False
        """Somebody wants no further call to start until they say so: see `steering`."""
        self.dispatcher_bell = Alarm()
        self.reader_bell = Bell()
        self.only_time_helps = False
        """The dispatcher sleeps until the next slot: waking it earlier would be work for nothing."""

    @property
    def stopping(self) -> bool:
        """No further call is to start."""
        return self.error is not None

    def stop(self, error: FetcherError) -> None:
        """End the run: what is in flight is awaited, nothing new starts. The first reason stands."""
        if self.error is None:
            self.error = error
        self.dispatcher_bell.ring()
        self.reader_bell.ring()

    def changed(self) -> None:
        """Something happened for which a sleeping dispatcher may have waited."""
        if not self.only_time_helps:
            self.dispatcher_bell.ring()

    @property
    def waits_for_others(self) -> bool:
        """Nothing can move until somebody outside writes more IDs or takes more outcomes."""
        idle = not (self.queue or self.waiting or self.flying)
        return (self.sink_is_anothers and self.storing > 0) or (self.input_is_anothers and self.reading and idle)

    @property
    def exhausted(self) -> bool:
        """All that was read is done, and there is nothing more to read."""
        return self.input_ended and not self.queue and not self.waiting and not self.flying
