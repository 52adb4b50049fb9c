"""The board between driver and nodes: what the job is, how each shard stands, who may commit, whether to stop.

One object in one process (a Ray actor; in tests, itself). What is on it is handed over by method calls, from memory to
memory: nothing of it is an argument of a task or of an actor's making, which Ray writes down and shows.
"""

from __future__ import annotations

import time
from typing import Any

import msgspec

from fetcher.metrics import Snapshot


class Briefing(msgspec.Struct, frozen=True, kw_only=True):
    """All that a node has to know. A secret as a whole: its repr shows nothing."""

    version: str
    """Of this program: nodes with another would not agree about what is stored."""
    job: str
    place: str
    ending: str
    settings: dict[str, Any]
    """Plain values, secrets laid open; without them where the nodes have their own."""
    own_secrets: bool
    """The nodes take the credentials from their own environment."""
    log_level: int
    keeper: str
    """Name of the actor that keeps the cap; empty: `--share-cap` says where."""

    def __repr__(self) -> str:
        return f"Briefing({self.job})"


class Order(msgspec.Struct, frozen=True):
    """One try at one shard."""

    shard: int
    attempt: int
    """From 1, in this start of the job."""
    look: bool
    """Something may be there already."""
    start_bytes: int
    end_bytes: int
    ids: int
    digest: str


class Figure(msgspec.Struct, frozen=True):
    """How a try stands, and where."""

    shard: int
    attempt: int
    node: str
    pid: int
    snapshot: Snapshot
    age_s: float = 0.0
    """Since it was told."""


class Board:
    """Calls come one after the other."""

    def __init__(self) -> None:
        self._briefing = b""
        self._attempts: dict[int, int] = {}
        self._figures: dict[int, tuple[Figure, float]] = {}
        self._stop = False

    def __repr__(self) -> str:
        return "Board()"

    def brief(self, briefing: bytes) -> None:
        """The driver says what the job is."""
        self._briefing = briefing

    def briefing(self) -> bytes:
        """A node asks."""
        return self._briefing

    def expect(self, shard: int, attempt: int) -> None:
        """The driver says which try at the shard counts from now on."""
        self._attempts[shard] = attempt
        self._figures.pop(shard, None)

    def settled(self, shard: int) -> None:
        """The driver has its result."""
        self._attempts.pop(shard, None)
        self._figures.pop(shard, None)

    def report(self, figure: bytes) -> bool:
        """A node says how its shard stands. Returns whether it is to stop."""
        told = msgspec.msgpack.decode(figure, type=Figure)
        if self._attempts.get(told.shard) != told.attempt:
            return True  # another try has the shard now, or nobody waits for it
        self._figures[told.shard] = (told, time.monotonic())
        return self._stop

    def may_commit(self, shard: int, attempt: int) -> bool:
        """Whether this is still the try that counts: one that was given up for lost must not publish."""
        return self._attempts.get(shard) == attempt

    def stop(self) -> None:
        """No new call anywhere; what is in flight is finished."""
        self._stop = True

    def figures(self) -> bytes:
        """All shards that are worked on."""
        now_s = time.monotonic()
        known = [msgspec.structs.replace(figure, age_s=now_s - at_s) for figure, at_s in self._figures.values()]
        return msgspec.msgpack.encode(known)
