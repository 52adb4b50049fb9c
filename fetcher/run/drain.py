"""Signals: the first asks the run to finish what is in flight, the second ends it at once.

It knows how to listen, not what a run is: it calls what it is given.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

ASKING: Final = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""A terminal that is closed sends SIGHUP: as good a reason to drain as the other two."""


@contextmanager
def listening(first: Callable[[signal.Signals], None], second: Callable[[], None]) -> Iterator[None]:
    """While inside: the first signal calls `first(which)`, every further one `second()`.

    Handlers are installed even where the process was started with SIGINT ignored (as background jobs of a shell are):
    `asyncio.run` would leave it ignored. Outside the main thread nothing is installed, because nothing can be.
    """
    heard: list[signal.Signals] = []

    def hear(which: signal.Signals) -> None:
        heard.append(which)
        if len(heard) == 1:
            first(which)
        else:
            second()

    loop = asyncio.get_running_loop()
    installed: list[signal.Signals] = []
    before = {which: signal.getsignal(which) for which in ASKING}
    try:
        for which in ASKING:
            if which is getattr(signal, "SIGHUP", None) and before[which] is signal.SIG_IGN:
                continue  # nohup asked for exactly this
            try:
                loop.add_signal_handler(which, hear, which)
            except (NotImplementedError, RuntimeError, ValueError):
                continue
            installed.append(which)
        yield
    finally:
        for which in installed:
            loop.remove_signal_handler(which)
            signal.signal(which, before[which] or signal.SIG_DFL)
