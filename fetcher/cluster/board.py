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
    keepers: list[str]
    """Names of the actors that keep the caps, one for each key; empty: `--share-cap` says where."""
    tokens: dict[str, bytes] = {}
    """Of each app, as far as there are any: see `tokens`."""
    calls_allowed: int | None = None
    """By this start of the job, all workers together."""

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
    without: tuple[str, ...] = ()
    """Names of keys that have left the pool."""


class Figure(msgspec.Struct, frozen=True):
    """How a try stands, and where."""

    shard: int
    attempt: int
    node: str
    pid: int
    snapshot: Snapshot
    age_s: float = 0.0
    """Since it was told."""


class Sent(msgspec.Struct, frozen=True):
    """When a try has sent calls, in the board's time: what it has not told before."""

    shard: int
    attempt: int
    times: dict[str, bytes]
    """By key: microseconds since `base_s`, as unsigned 32-bit numbers."""
    base_s: float
    until_s: float
    """Up to then nothing is missing."""
    error_s: float
    """By how much its clock and the board's may disagree."""


class Board:
    """Calls come one after the other."""

    def __init__(self) -> None:
        self._briefing = b""
        self._sent: list[bytes] = []
        self._calls_left: int | None = None
        self._tokens: dict[str, bytes] = {}
        self._renewed: set[str] = set()
        self._renewing: dict[str, tuple[int, int]] = {}
        self._attempts: dict[int, int] = {}
        self._figures: dict[int, tuple[Figure, float]] = {}
        self._stop = False

    def __repr__(self) -> str:
        return "Board()"

    def brief(self, briefing: bytes) -> None:
        """The driver says what the job is."""
        self._briefing = briefing
        decoded = msgspec.msgpack.decode(briefing, type=Briefing)
        self._calls_left, self._tokens = decoded.calls_allowed, dict(decoded.tokens)

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

    def report(self, figure: bytes) -> tuple[bool, float]:
        """A node says how its shard stands. Returns whether it is to stop, and the time here."""
        now_s, told = time.monotonic(), msgspec.msgpack.decode(figure, type=Figure)
        if self._attempts.get(told.shard) != told.attempt:
            return True, now_s  # another try has the shard now, or nobody waits for it
        self._figures[told.shard] = (told, now_s)
        return self._stop, now_s

    def may_commit(self, shard: int, attempt: int) -> bool:
        """Whether this is still the try that counts: one that was given up for lost must not publish."""
        return self._attempts.get(shard) == attempt

    def stop(self) -> None:
        """No new call anywhere; what is in flight is finished."""
        self._stop = True

    def clock_s(self) -> float:
        """The time that all who are in the job go by."""
        return time.monotonic()

    def take_calls(self, wanted: int, unused: int) -> tuple[int, int]:
        """A node is about to lease slots, under a limit of calls. Returns how many it may, and how many are left then.

        Args:
            wanted: slots.
            unused: slots that it took and has made no calls of.
        """
        if self._calls_left is None:
            return wanted, 2**62
        self._calls_left += unused
        taken = min(wanted, self._calls_left)
        self._calls_left -= taken
        return taken, self._calls_left

    def tokens(self, app_key: str) -> bytes:
        """The newest of this app; empty: none were renewed."""
        return self._tokens.get(app_key, b"")

    def keep_tokens(self, app_key: str, tokens: bytes) -> None:
        """A node has renewed them, for all."""
        self._tokens[app_key] = tokens
        self._renewed.add(app_key)

    def take_tokens(self) -> dict[str, bytes]:
        """The driver takes what was renewed since it asked last."""
        taken, self._renewed = self._renewed, set()
        return {app_key: self._tokens[app_key] for app_key in taken}

    def lock_tokens(self, app_key: str, shard: int, attempt: int) -> bool:
        """A node wants to renew them. Whether it is the only one; a try that is over renews nothing any more."""
        holder = self._renewing.get(app_key)
        if holder is not None and self._attempts.get(holder[0]) == holder[1]:
            return False
        self._renewing[app_key] = (shard, attempt)
        return True

    def unlock_tokens(self, app_key: str) -> None:
        """It has, or could not."""
        self._renewing.pop(app_key, None)

    def tell(self, sent: bytes) -> None:
        """A node says when it sent, whether its try still counts or not: the calls were made."""
        self._sent.append(sent)

    def take_sent(self) -> list[bytes]:
        """The driver takes what the nodes have told since it asked last."""
        taken, self._sent = self._sent, []
        return taken

    def figures(self) -> bytes:
        """All shards that are worked on."""
        now_s = time.monotonic()
        known = [msgspec.structs.replace(figure, age_s=now_s - at_s) for figure, at_s in self._figures.values()]
        return msgspec.msgpack.encode(known)
