"""The thread for blocking work."""

from __future__ import annotations

import asyncio
import threading

import pytest

from fetcher.run.thread import BlockingThread


async def test_calls_run_in_order_and_bring_their_result() -> None:
    """One after the other, each in the same thread."""
    thread, seen = BlockingThread("test"), list[int]()
    names = await asyncio.gather(
        *(thread.call(lambda k=k: (seen.append(k), threading.current_thread().name)[1]) for k in range(20))
    )
    thread.stop()
    assert seen == list(range(20))
    assert set(names) == {"test"}


async def test_what_a_call_raises_is_raised_to_its_caller() -> None:
    """And the thread goes on."""
    thread = BlockingThread("test")
    with pytest.raises(ZeroDivisionError):
        await thread.call(lambda: 1 // 0)
    with pytest.raises(RuntimeError):
        await thread.call(next, iter(()))
    assert await thread.call(len, "abc") == 3
    thread.stop()


async def test_a_cancelled_caller_does_not_stop_the_work() -> None:
    """What was begun is finished, and later calls come after it."""
    thread, go, seen = BlockingThread("test"), threading.Event(), list[str]()

    def slow() -> None:
        go.wait(5)
        seen.append("slow")

    task = asyncio.create_task(thread.call(slow))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    go.set()
    await thread.call(seen.append, "after")
    thread.stop()
    assert seen == ["slow", "after"]
