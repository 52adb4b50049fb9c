"""Where a run's Items come from: a file's reader, or whatever IDs a library user hands over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Sized
from itertools import islice
from typing import Protocol

from fetcher.ids import Source, bad_id, check_id
from fetcher.idset import Claim, IdSet
from fetcher.model import Failure, Item
from fetcher.run.thread import BlockingThread


class Feed(Protocol):
    """Hands out IDs in order. What is not fit to be asked for comes as a `bad_id` failure."""

    @property
    def is_anothers(self) -> bool:
        """Somebody else may take as long as they like to write the next ID: a pipe, an iterable."""
        ...

    async def read(self, n: int) -> list[Item | Failure]:
        """At most `n`; an empty list at the end, and only then."""
        ...

    def skipped(self) -> tuple[int, int]:
        """How many IDs read so far were (done by an earlier run, duplicates)."""
        ...

    def expected_total(self) -> int | None:
        """A guess at how many IDs the whole input holds, or None."""
        ...

    def close(self) -> None:
        """No more reads."""
        ...


class SourceFeed:
    """A file (or stdin), read in a thread of its own so that a slow disk or pipe never stops the calls."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._thread = BlockingThread("fetcher-reader")

    @property
    def is_anothers(self) -> bool:
        """See `Feed`."""
        return self._source.is_pipe

    async def read(self, n: int) -> list[Item | Failure]:
        """See `Feed`. Raises `InputError` where the file cannot be read on."""
        return await self._thread.call(self._source.read, n)

    def skipped(self) -> tuple[int, int]:
        """See `Feed`. What other files hold counts as done by an earlier run."""
        counts = self._source.counts
        return counts.known + counts.fresh, counts.duplicates

    def expected_total(self) -> int | None:
        """By the share of the bytes that has been read; None for a pipe."""
        counts, total, position = self._source.counts, self._source.total_bytes, self._source.position_bytes
        if not total or not position:
            return None
        seen = counts.items + counts.bad + counts.known + counts.fresh
        return max(seen, round(seen * total / position))

    def close(self) -> None:
        """See `Feed`."""
        self._thread.stop()


class IterableFeed:
    """IDs handed over by a library user: any iterable or async iterable of texts or integers."""

    is_anothers = True

    def __init__(
        self, ids: Iterable[str | int] | AsyncIterable[str | int], *, numeric: bool, wall_ms: Callable[[], int]
    ) -> None:
        self._async: AsyncIterator[str | int] | None = None
        self._plain: Iterator[str | int] = iter(())
        if isinstance(ids, AsyncIterable):
            self._async = aiter(ids)
        else:
            self._plain = iter(ids)
        self._numeric, self._wall_ms = numeric, wall_ms
        self._claimed = IdSet()
        self._line = self._duplicates = 0
        self._total = len(ids) if isinstance(ids, Sized) else None

    async def read(self, n: int) -> list[Item | Failure]:
        """See `Feed`. An async iterable is asked for one ID at a time, so that none waits for its neighbours."""
        while True:
            texts = await self._next(n)
            if not texts:
                return []
            if found := [fit for fit in map(self._check, texts) if fit is not None]:
                return found

    async def _next(self, n: int) -> list[str | int]:
        if self._async is None:
            await asyncio.sleep(0)  # a generator that is slow to make IDs must not hold the loop for a whole run
            return list(islice(self._plain, n))
        try:
            return [await anext(self._async)]
        except StopAsyncIteration:
            return []

    def _check(self, raw: str | int) -> Item | Failure | None:
        self._line += 1
        checked = check_id(str(raw), numeric=self._numeric)
        fit: Item | Failure
        if checked.id is not None:
            fit = Item(checked.id, self._line)
        else:
            fit = bad_id(str(raw), checked, line=self._line, wall_ms=self._wall_ms())
        if self._claimed.claim(fit.id) is Claim.NEW:
            return fit
        self._duplicates += 1
        return None

    def skipped(self) -> tuple[int, int]:
        """See `Feed`."""
        return 0, self._duplicates

    def expected_total(self) -> int | None:
        """The length of what was handed over, where it has one."""
        return self._total

    def close(self) -> None:
        """Nothing is held."""
