"""The output files as a run's sink: written in a thread of their own, so that a slow disk holds up no answer."""

from __future__ import annotations

import asyncio
from typing import Final

import anyio

from fetcher.errors import Defect, FetcherError, OutputError
from fetcher.model import Outcome
from fetcher.output import Encoded, Output
from fetcher.run.thread import BlockingThread

AT_ONCE_S: Final = 0.5
"""How long whoever asked twice to end waits for a disk that does not answer."""


class FileSink:
    """Args:
    output: opened; this sink closes it.
    patience_s: how long the last sync may take.
    """

    def __init__(self, output: Output, patience_s: float = 300.0) -> None:
        self._output, self._patience_s = output, patience_s
        self._thread = BlockingThread("fetcher-writer")
        self._error: OutputError | None = None
        self._closing: anyio.CancelScope | None = None

    @property
    def is_anothers(self) -> bool:
        """See `roles.Sink`."""
        return self._output.is_stdout

    async def put(self, outcomes: list[Outcome]) -> None:
        """See `roles.Sink`. Raises `OutputError`; what was written before stands."""
        if self._error is not None:
            raise self._error
        await self._thread.call(self._output.append, outcomes)

    async def put_encoded(self, encoded: Encoded) -> None:
        """The same, for lines that another process has made."""
        if self._error is not None:
            raise self._error
        await self._thread.call(self._output.append_encoded, encoded)

    async def keep(self, interval_s: float) -> None:
        """Make what was written durable, and close compressed members, also while nothing new comes."""
        while self._error is None:
            await asyncio.sleep(interval_s)
            try:
                await self._thread.call(self._output.sync_if_due)
            except OutputError as error:
                self._error = error

    def hurry(self) -> None:
        """Somebody wants the end now: wait for the disk a moment only."""
        self._patience_s = AT_ONCE_S
        if self._closing is not None:
            self._closing.deadline = anyio.current_time() + AT_ONCE_S

    async def close(self) -> FetcherError | None:
        """Make all of it durable and let go of the files. What went wrong is returned: it is the run's last word."""
        try:
            with anyio.move_on_after(self._patience_s) as self._closing:
                await self._thread.call(self._output.close)
                return None
        except OutputError as error:
            return error
        finally:
            self._thread.stop()
        self._output.leave()
        return Defect(
            "the disk did not answer when the files were to be closed",
            "what was written stands; look at the disk, then run the same command again",
        )
