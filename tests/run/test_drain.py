"""Signals, sent to this very process."""

from __future__ import annotations

import asyncio
import os
import signal

from fetcher.run.drain import listening


async def test_the_first_signal_asks_and_the_second_ends() -> None:
    """Each is told which; handlers are put back afterwards."""
    before = signal.getsignal(signal.SIGTERM)
    first, second = list[signal.Signals](), list[bool]()
    with listening(first.append, lambda: second.append(True)):
        for _ in range(3):
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(0.01)
    assert first == [signal.SIGTERM]
    assert second == [True, True]
    assert signal.getsignal(signal.SIGTERM) == before


async def test_an_ignored_interrupt_is_heard_all_the_same() -> None:
    """A shell starts background jobs with SIGINT ignored; asking such a run to end must still work."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    heard = list[signal.Signals]()
    try:
        with listening(heard.append, lambda: None):
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.sleep(0.01)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
    assert heard == [signal.SIGINT]
