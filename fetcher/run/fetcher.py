"""The library's face: `Fetcher`. One cap, one pool of connections, any number of streams under it.

async with Fetcher(Settings(app_key="…", app_secret="…")) as fetcher:
    async for outcome in fetcher.stream(ids):
        print(outcome.id, outcome.data if outcome.ok else outcome.error)
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

import msgspec

from fetcher.clock import Clock, SystemClock
from fetcher.errors import Defect, UsageError
from fetcher.model import Failure, Outcome
from fetcher.policy import FieldFilter
from fetcher.run.assemble import Parts, assemble, new_tally
from fetcher.run.desk import Interrupted
from fetcher.run.feed import IterableFeed
from fetcher.run.loop import Ended, Run
from fetcher.run.treated import fields_of
from fetcher.settings import Settings

if TYPE_CHECKING:
    import httpx

HELD: Final = 256
"""Outcomes that lie ready for a user who is slower than the gateway; then the calls wait."""


class Fetcher:
    """Fetches products under one rate cap.

    Args:
        settings: at least `app_key` and `app_secret`; `qps` is the cap of all streams and fetches together.
        client: an `httpx.AsyncClient` of your own (a proxy, HTTP/2, a mock); it is used as it is and not closed.
            Without it the fast lane is used.
        clock: for tests.

    Raises:
        UsageError: on entering, when a setting or a credential is wrong or missing.
    """

    def __init__(
        self, settings: Settings, *, client: httpx.AsyncClient | None = None, clock: Clock | None = None
    ) -> None:
        self._settings, self._client, self._clock = settings, client, clock or SystemClock()
        self._parts: Parts | None = None
        self._streams: set[_Stream] = set()

    async def __aenter__(self) -> Self:
        self._parts = assemble(self._settings, clock=self._clock, client=self._client)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for stream in list(self._streams):
            await stream.close()
        if self._parts is not None:
            await self._parts.aclose()
            self._parts = None

    async def stream(self, ids: Iterable[str | int] | AsyncIterable[str | int]) -> AsyncIterator[Outcome]:
        """Outcomes in the order in which they come: one `Product` or `Failure` for every distinct ID.

        Leave the loop early and the rest is not fetched; at most what was in flight has been called in vain.

        Raises:
            Refused: the gateway refused the whole run (key, signature, permission).
            LimitReached: `max_calls` or the usage is at an end, or an outage outlasted `max_outage_s`.
            TooManyErrors: more failures than `max_errors`.
            UsageError: `ids` is a text, which would be taken for its characters.
            Defect: a field that is to be left out (`drop`, `keep`) cannot be taken out of an answer.
        """
        parts = self._opened()
        if isinstance(ids, str | bytes):
            raise UsageError("ids is a text, not IDs", "give a list of IDs; one ID is fetched with fetch(id)")
        feed = IterableFeed(ids, numeric=parts.gateway.api.numeric_ids, wall_ms=self._clock.wall_ms)
        stream = _Stream(fields_of(self._settings))
        self._streams.add(stream)
        try:
            stream.start(Run(parts, feed, stream, new_tally(parts), held=HELD))
            while (outcome := await stream.next()) is not None:
                yield outcome
        finally:
            self._streams.discard(stream)
            await stream.close()
        if stream.ended is not None and stream.ended.error is not None:
            raise stream.ended.error

    async def fetch(self, product_id: str | int) -> Outcome:
        """The outcome of one ID. Raises what `stream` raises."""
        async for outcome in self.stream([product_id]):
            return outcome
        raise UsageError("no ID was given")

    def _opened(self) -> Parts:
        if self._parts is None:
            raise UsageError("a Fetcher is used inside `async with Fetcher(settings) as fetcher:`")
        return self._parts


def _thinned(outcome: Outcome, fields: FieldFilter) -> Outcome:
    """Without what is not to be kept. Raises Defect: that cannot be taken out of it."""
    if isinstance(outcome, Failure):
        return outcome
    try:
        return msgspec.structs.replace(outcome, payload=fields.apply(outcome.payload))
    except ValueError as error:
        raise Defect(f"an answer could not be kept: {error}", "without keep and drop it can") from None


class _Stream:
    """A run's sink on one side, a user's `async for` on the other; holds a bounded number of outcomes between."""

    is_anothers = True

    def __init__(self, fields: FieldFilter | None) -> None:
        self._fields = fields
        self._ready: deque[Outcome] = deque()
        self._changed = asyncio.Condition()
        self._closed = False
        self._run: Run | None = None
        self._task: asyncio.Task[None] | None = None
        self.ended: Ended | None = None

    def start(self, run: Run) -> None:
        """Own the run's task until `close`."""
        self._run = run
        self._task = asyncio.create_task(self._drive(run), name="fetcher-stream")

    async def _drive(self, run: Run) -> None:
        try:
            self.ended = await run.run()
        finally:
            async with self._changed:
                self._closed = True
                self._changed.notify_all()

    async def put(self, outcomes: list[Outcome]) -> None:
        """See `roles.Sink`: returns when the user has made room."""
        if self._fields is not None:
            outcomes = [_thinned(one, self._fields) for one in outcomes]
        async with self._changed:
            self._ready.extend(outcomes)
            self._changed.notify_all()
            await self._changed.wait_for(lambda: self._closed or len(self._ready) < HELD)

    async def next(self) -> Outcome | None:
        """The next outcome, or None when the run has ended and all are handed out."""
        if self._ready:
            outcome = self._ready.popleft()
            if len(self._ready) == HELD - 1:
                async with self._changed:
                    self._changed.notify_all()
            return outcome
        async with self._changed:
            await self._changed.wait_for(lambda: self._closed or self._ready)
        return self._ready.popleft() if self._ready else None

    async def close(self) -> None:
        """End the run if it still goes on, and wait for its end."""
        async with self._changed:
            self._closed = True
            self._changed.notify_all()
        task, self._task = self._task, None
        if task is None:
            return
        if not task.done() and self._run is not None:
            self._run.stop(Interrupted(2, "its caller"))
            self._run.abandon()
        with suppress(asyncio.CancelledError):
            await task
