"""The event loop that everything here runs on."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from fetcher.cycles import spare_modules

T = TypeVar("T")

SHORTEST_SLEEP_S: Final = 0.001
"""Timers below a millisecond spin on uvloop; the pacer's slack makes up for what a late tick loses."""
LONGEST_SLEEP_S: Final = 0.25
"""Rates recover and outages are judged by the clock, so whoever waits for a permit looks up now and then."""


def sleep_of(wait_s: float) -> float:
    """How long to sleep at a time of a wait of `wait_s`, which may be infinite."""
    return max(SHORTEST_SLEEP_S, min(wait_s, LONGEST_SLEEP_S))


def with_loop(main: Coroutine[Any, Any, T]) -> T:
    """Run it on uvloop where that is installed."""
    factory = None
    try:
        import uvloop

        factory = uvloop.new_event_loop
    except ImportError:
        pass
    spare_modules()
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(main)
