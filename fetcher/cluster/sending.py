"""When calls were sent, on every machine of the job, on one clock: the proof of the caps over all of them. Pure.

Each node tells the times of its calls by the board's clock, some at a time; they are held against the caps as soon as
all who work have told up to there, so nothing is kept for longer than the slowest of them is silent.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from fetcher.cluster.board import Sent
from fetcher.metrics import KeyFigures, PoolProof, Proof

FIRST_WORD_S: Final = 2.0
"""A try tells of its first call sooner than this."""


class SentLately:
    """What a node is yet to tell: quick to add to, a few bytes a call."""

    def __init__(self) -> None:
        self._times: dict[str, array[float]] = {}

    def add(self, key: str, time_s: float) -> None:
        """A call was sent with this key, by this machine's clock."""
        times = self._times.get(key)
        if times is None:
            times = self._times[key] = array("d")
        times.append(time_s)

    def take(self, shard: int, attempt: int, now_s: float, offset_s: float, error_s: float) -> Sent:
        """All since the last look.

        Args:
            now_s: this machine's clock.
            offset_s: the board's clock less that.
            error_s: how wrong that may be.
        """
        times, self._times = self._times, {}
        base_s = min((each[0] for each in times.values()), default=now_s)
        told = {key: array("I", [int((one - base_s) * 1e6) for one in each]).tobytes() for key, each in times.items()}
        until_s = now_s + offset_s - 3 * error_s  # the offset will be known better, and then differ
        return Sent(shard, attempt, told, base_s + offset_s, until_s, error_s)


class JobProof:
    """Holds the times of all nodes against the caps.

    Args:
        caps_per_s: of each key, by its name.
    """

    def __init__(self, caps_per_s: Mapping[str, float]) -> None:
        self._proofs = PoolProof(caps_per_s)
        self._waiting: dict[str, list[float]] = {key: [] for key in caps_per_s}
        self._known_s: dict[int, float] = {}
        self._lost = False
        self._error_s = 0.0

    def told(self, sent: Sent, *, goes_on: bool) -> None:
        """A node has told. A try that was given up for lost may still do so; its calls count."""
        if goes_on:
            self._known_s[sent.shard] = sent.until_s
        self._error_s = max(self._error_s, sent.error_s)
        for key, data in sent.times.items():
            times = array("I")
            times.frombytes(data)
            self._waiting.setdefault(key, []).extend(sent.base_s + one * 1e-6 for one in times)

    def over(self, shard: int, *, lost: bool = False) -> None:
        """A try at the shard has ended and has told all; `lost`: but for its last moments."""
        self._known_s.pop(shard, None)
        self._lost = self._lost or lost

    def prove(self, now_s: float, *, last: bool = False) -> None:
        """Hold against the caps what is complete by now; `last`: all."""
        until_s = float("inf") if last else min([now_s - FIRST_WORD_S, *self._known_s.values()])
        ready = {name: sorted(one for one in times if one <= until_s) for name, times in self._waiting.items()}
        self._waiting = {name: [one for one in times if one > until_s] for name, times in self._waiting.items()}
        self._proofs.sent(ready)

    def take_fullest_1s(self) -> int:
        """Calls in the fullest second that ended since this was asked last."""
        return self._proofs.take_fullest_1s()

    def proof(self) -> Proof:
        """Of all keys together. Not exact where a worker was lost: nobody knows of its last half second."""
        seen = self._proofs.proof()
        return msgspec.structs.replace(seen, exact=seen.exact and not self._lost, clock_error_s=self._error_s)

    def keys(self, left_pool: Mapping[str, str]) -> tuple[KeyFigures, ...]:
        """See `PoolProof`."""
        return self._proofs.keys(left_pool)


def decoded(told: Iterable[bytes]) -> list[Sent]:
    """What the board has kept."""
    return [msgspec.msgpack.decode(one, type=Sent) for one in told]
