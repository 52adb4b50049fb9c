"""Examples of what a run met, in fixed memory: the slowest IDs, the failures by kind and code, the answers that hurt.

It keeps what it is given, first come, and counts the rest. It is told of whole lots of outcomes, as they are stored.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from fetcher.model import Failure, Outcome

SLOWEST: Final = 20
CLASSES: Final = 40
"""Different pairs of kind and code; a gateway that makes up a new code for every answer must not fill the memory."""
EXAMPLES: Final = 5
LONGEST_MESSAGE: Final = 300
OTHERS: Final = "other codes"


class Slow(msgspec.Struct, frozen=True, order=True):
    """A call that took long. Orders by its duration."""

    latency_ms: float
    id: str
    attempts: int
    ok: bool


class Trouble(msgspec.Struct):
    """One sort of bad answer or failure: how often, with its first message and its first IDs."""

    kind: str
    code: str | None
    count: int = 0
    message: str = ""
    ids: list[str] = []


class Troubles:
    """Counts by kind and code."""

    def __init__(self) -> None:
        self._by_class: dict[tuple[str, str | None], Trouble] = {}

    def note(self, kind: str, code: str | None, message: str, ids: Iterable[str], count: int = 1) -> None:
        """`count` more of this sort."""
        key = (kind, code)
        found = self._by_class.get(key)
        if found is None:
            if len(self._by_class) >= CLASSES:
                key = (kind, OTHERS)
                found = self._by_class.get(key)
            if found is None:
                found = self._by_class[key] = Trouble(*key, message=message[:LONGEST_MESSAGE])
        found.count += count
        if len(found.ids) < EXAMPLES:
            found.ids = [*found.ids, *ids][:EXAMPLES]

    def all(self) -> list[Trouble]:
        """The most frequent first."""
        return sorted(self._by_class.values(), key=lambda trouble: (-trouble.count, trouble.kind, trouble.code or ""))

    def merge(self, others: Iterable[Trouble]) -> None:
        """Add what another process has met."""
        for other in others:
            self.note(other.kind, other.code, other.message, other.ids, other.count)


class Specimens:
    """Of a whole run."""

    def __init__(self) -> None:
        self._slowest: list[Slow] = []
        self._least_ms = -1.0
        self.failures = Troubles()
        """IDs that ended without a product."""
        self.answers = Troubles()
        """Calls after which an ID had to be tried again, or that ended the run."""

    def outcomes(self, outcomes: Sequence[Outcome]) -> None:
        """These were stored. A plain product costs two looks, 0.05 µs."""
        least_ms = self._least_ms
        for outcome in [one for one in outcomes if one.latency_ms > least_ms]:
            self._slow(Slow(outcome.latency_ms, outcome.id, outcome.attempts, outcome.ok))
        # `isinstance` would ask the structs' metaclass, at six times the cost of all of this.
        for failure in [one for one in outcomes if type(one) is Failure]:
            error = failure.error
            self.failures.note(error.kind, error.code, error.message, [failure.id])

    def _slow(self, slow: Slow) -> None:
        insort(self._slowest, slow)
        if len(self._slowest) > SLOWEST:
            del self._slowest[0]
            self._least_ms = self._slowest[0].latency_ms

    def slowest(self) -> list[Slow]:
        """The slowest first."""
        return self._slowest[::-1]

    def dump(self) -> bytes:
        """All of it, for `merge` in another process."""
        return msgspec.msgpack.encode((self._slowest, self.failures.all(), self.answers.all()))

    def merge(self, dumped: bytes) -> None:
        """Add what another process has met."""
        shape = tuple[list[Slow], list[Trouble], list[Trouble]]
        slowest, failures, answers = msgspec.msgpack.decode(dumped, type=shape)
        for slow in slowest:
            self._slow(slow)
        self.failures.merge(failures)
        self.answers.merge(answers)
