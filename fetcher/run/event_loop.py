"""The event loop that everything here runs on."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

T = TypeVar("T")

FEW_CYCLES: Final = 50_000
"""Objects more than were freed, until the garbage collector looks: a call leaves no cycles behind."""


def with_loop(main: Coroutine[Any, Any, T]) -> T:
    """Run it on uvloop where that is installed."""
    factory = None
    try:
        import uvloop

        factory = uvloop.new_event_loop
    except ImportError:
        pass
    gc.collect()
    gc.freeze()  # modules live as long as the process: looking at them again and again costs a tenth of the speed
    gc.set_threshold(FEW_CYCLES, *gc.get_threshold()[1:])
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(main)
