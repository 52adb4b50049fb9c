"""Do the answers still hold what they held? Presence of fields over a sample, and a word when one has gone.

A gateway that begins to leave out a field answers as well as before: each call is charged, and a budget is spent on
empty products. So the fields of the first answers are learnt, and from then on one in 64 is looked at; every one,
as long as something is missing. It decides nothing about the run and knows no clock.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

import orjson

LEARNT: Final = 50
"""Answers of which "nearly all" is said."""
NEARLY_ALL: Final = 0.95
EVERY: Final = 64
"""One answer in so many is looked at: half a microsecond a product of 6 KB, all in all."""
GONE: Final = 20
"""Points that make a field vanished: one for each answer without it, three back for each with it."""
_BACK: Final = 3
DEPTH: Final = 5
"""Levels of objects that are looked into."""
MOST_FIELDS: Final = 400
ELEMENTS: Final = 3
"""Of a list, how many are looked at; their fields count as one."""


class SchemaWatch:
    """Hand it answers when `wants` says so; it says which fields have vanished, each once."""

    def __init__(self) -> None:
        self._seen = 0
        self._counts: Counter[str] = Counter()
        self._common: frozenset[str] = frozenset()
        self._points: dict[str, int] = {}
        self._due_in = 1

    @property
    def learns(self) -> int:
        """How many more answers it learns from before it can miss anything."""
        return max(0, LEARNT - self._seen)

    def wants(self, answers: int) -> int | None:
        """Which of the next `answers` it wants to see, counted from 0; None: none of them."""
        if self._due_in > answers:
            self._due_in -= answers
            return None
        at, self._due_in = self._due_in - 1, 1
        return at

    def observe(self, payload: bytes) -> tuple[str, ...]:
        """Look at one answer.

        Returns:
            Fields that nearly all answers had at first and that have vanished now, dotted; each is said once, and none
            whose parent is said too.
        """
        try:
            fields = fields_of(orjson.loads(payload))
        except ValueError:  # half an emoji: the next will do
            return ()
        self._seen += 1
        if self._seen <= LEARNT:
            self._learn(fields)
            self._due_in = 1
            return ()
        missing = self._common - fields
        for name in missing:
            self._points[name] = self._points.get(name, 0) + 1
        for name in [name for name in self._points if name not in missing]:
            self._points[name] -= _BACK
            if self._points[name] <= 0:
                del self._points[name]
        self._due_in = 1 if missing else EVERY
        return self._vanished()

    def _learn(self, fields: set[str]) -> None:
        self._counts.update(fields)
        if self._seen == LEARNT:
            self._common = frozenset(name for name, n in self._counts.items() if n >= NEARLY_ALL * LEARNT)
            self._counts.clear()

    def _vanished(self) -> tuple[str, ...]:
        gone = {name for name, points in self._points.items() if points >= GONE}
        self._common -= gone
        for name in gone:
            del self._points[name]
        return tuple(sorted(name for name in gone if not any(name.startswith(f"{other}.") for other in gone)))


def fields_of(value: Any) -> set[str]:
    """Dotted names of all that is there and not null, lists passed through; at most `MOST_FIELDS`, `DEPTH` deep."""
    found: set[str] = set()
    _walk(value, "", 0, found)
    return found


def _walk(value: Any, prefix: str, depth: int, found: set[str]) -> None:
    if isinstance(value, list):
        for element in value[:ELEMENTS]:
            if isinstance(element, dict):
                _walk(element, prefix, depth, found)
    elif isinstance(value, dict) and depth < DEPTH:
        for name, inner in value.items():
            if inner is None or len(found) >= MOST_FIELDS:
                continue
            found.add(prefix + name)
            if isinstance(inner, dict | list):
                _walk(inner, f"{prefix}{name}.", depth + 1, found)
