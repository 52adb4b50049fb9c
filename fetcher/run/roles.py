"""What a run asks of those around it: where outcomes go, and where calls that may be charged are noted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from fetcher.errors import FetcherError
from fetcher.metrics import Snapshot
from fetcher.model import Outcome
from fetcher.report import Watcher
from fetcher.run.token_file import TokenPlace
from fetcher.settings import Settings

if TYPE_CHECKING:
    from fetcher.pacing import LeasePlace


class Sink(Protocol):
    """Where outcomes go: the output files, or a library user's loop."""

    @property
    def is_anothers(self) -> bool:
        """Somebody else may take as long as they like to take an outcome: a user's loop, a reader of stdout."""
        ...

    async def put(self, outcomes: list[Outcome]) -> None:
        """Take them all, in order. May wait: that is the back-pressure. Raises `OutputError`."""
        ...


class Onlooker(Protocol):
    """Who is shown a run's figures: a person's screen, or whoever runs it as a part of something larger."""

    def update(self, snapshot: Snapshot) -> FetcherError | None:
        """How it stands, about four times a second. What is returned stops the run, resumable."""
        ...

    def close(self, snapshot: Snapshot) -> None:
        """How it ended."""
        ...


class Principal(Protocol):
    """Whoever has a run done as a part of something larger: what it shares with the other parts comes from there."""

    def place(self, settings: Settings, as_set: LeasePlace | None) -> LeasePlace | None:
        """Where the cap of the key in these settings is shared, and calls are counted if they are limited.

        Args:
            settings: with this key as the plain one.
            as_set: where they say themselves; None: nowhere.
        """
        ...

    def tokens(self) -> TokenPlace | None:
        """Where those of all keys are; None: where the settings say."""
        ...

    def sent(self, key: str, time_s: float) -> None:
        """A call was sent with that key, at that monotonic time. Quick: it stands in every call's way."""
        ...


class Watched:
    """An onlooker beside another one: Prometheus beside the screen."""

    def __init__(self, onlooker: Onlooker, watcher: Watcher) -> None:
        self._onlooker, self._watcher = onlooker, watcher

    def update(self, snapshot: Snapshot) -> FetcherError | None:
        """See `Onlooker`."""
        self._watcher.show(snapshot)
        return self._onlooker.update(snapshot)

    def close(self, snapshot: Snapshot) -> None:
        """See `Onlooker`."""
        self._watcher.show(snapshot)
        self._onlooker.close(snapshot)


class CallNotes(Protocol):
    """Where calls are noted before they leave, because each may be charged: `output.AttemptLog`."""

    def calls(self, ids: list[str]) -> None:
        """These are about to be called. Raises `OutputError`: then they must not be."""
        ...

    def answered(self, product_id: str) -> None:
        """It was answered with nothing to store, or never left."""
        ...

    def stored(self, ids: list[str]) -> None:
        """Their outcomes are stored."""
        ...


class NoNotes:
    """Where calls are not worth noting."""

    def calls(self, ids: list[str]) -> None:
        """See `CallNotes`."""

    def answered(self, product_id: str) -> None:
        """See `CallNotes`."""

    def stored(self, ids: list[str]) -> None:
        """See `CallNotes`."""
