"""The life of an ID, as one table. Everything that may happen to an ID stands here and nowhere else.

The run moves IDs along these edges, `metrics` counts the edges, and therefore the books balance by construction:

    read = fetched + failed + skipped + left          (when nothing is queued, in flight or waiting)
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from fetcher.errors import Defect


class State(StrEnum):
    """Where an ID stands."""

    NEW = "new"
    """Read from the input, nothing decided yet."""
    QUEUED = "queued"
    IN_FLIGHT = "in_flight"
    WAITING = "waiting"
    """Will be tried again at a known time."""
    FETCHED = "fetched"
    FAILED = "failed"
    SKIPPED = "skipped"
    """Done by an earlier run, or a duplicate."""
    LEFT = "left"
    """The run ended first: it stays to be done."""


class Event(StrEnum):
    """What happens to an ID."""

    READ = "read"
    KNOWN = "known"
    BAD = "bad"
    START = "start"
    ANSWERED = "answered"
    REFUSED = "refused"
    AGAIN = "again"
    END = "end"


TRANSITIONS: Final[dict[tuple[State, Event], State]] = {
    (State.NEW, Event.READ): State.QUEUED,
    (State.NEW, Event.KNOWN): State.SKIPPED,
    (State.NEW, Event.BAD): State.FAILED,
    (State.QUEUED, Event.START): State.IN_FLIGHT,
    (State.QUEUED, Event.END): State.LEFT,
    (State.IN_FLIGHT, Event.ANSWERED): State.FETCHED,
    (State.IN_FLIGHT, Event.REFUSED): State.FAILED,
    (State.IN_FLIGHT, Event.AGAIN): State.WAITING,
    (State.IN_FLIGHT, Event.END): State.LEFT,
    (State.WAITING, Event.START): State.IN_FLIGHT,
    (State.WAITING, Event.END): State.LEFT,
}
"""State and event → next state. What is not here cannot happen."""

FINAL: Final = frozenset({State.FETCHED, State.FAILED, State.SKIPPED, State.LEFT})


def step(state: State, event: Event) -> State:
    """The next state.

    Raises:
        Defect: the table has no such edge, so one of our own rooms is wrong.
    """
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise Defect(f"an ID that is {state} cannot be {event}") from None
