"""What every test gets: a clean environment, and an event loop whose clock a test may turn."""

from __future__ import annotations

import asyncio
import gc
import os
import selectors
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from itertools import accumulate, filterfalse, groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.sharing.redis_server import RedisServer, needs_redis

settings.register_profile("fetcher", deadline=None)  # a busy machine is slow, not wrong
settings.load_profile("fetcher")

MEMORY_DISK = "/dev/shm"
if "TMPDIR" not in os.environ and os.access(MEMORY_DISK, os.W_OK) and shutil.disk_usage(MEMORY_DISK).free > 2 << 30:
    # What survives a kill does not depend on the disk, and thousands of syncs there take minutes. What survives a
    # power cut does: holds/test_power.py brings its own. `TMPDIR=/var/tmp pytest` runs all on a real disk.
    os.environ["TMPDIR"] = tempfile.tempdir = MEMORY_DISK


# Tests start hundreds of processes; where each has to compile the program anew, that is half of their time.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """What is collected stays to the end: the garbage collector need not walk thousands of tests again and again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Among several workers the modules that mostly wait are dealt out among those that compute.

    So the cores always have work. They stand in the first two thirds: what comes last should be short.
    """
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return
    modules = [list(tests) for _, tests in groupby(items, key=lambda item: item.path)]
    waiting, computing = list(filter(_waits, modules)), list(filterfalse(_waits, modules))
    before, total = accumulate(map(len, computing), initial=0), sum(map(len, computing))
    places = [(0.6 * k / len(waiting), tests) for k, tests in enumerate(waiting)]
    places += [(count / total, tests) for count, tests in zip(before, computing, strict=False)]
    items[:] = [item for _, tests in sorted(places, key=itemgetter(0)) for item in tests]


def _waits(tests: list[pytest.Item]) -> bool:
    return any(item.get_closest_marker("slow") for item in tests)


UNTRACED = ("tests/holds/", "tests/docs/", "tests/house/")
"""The program runs in processes of its own there, of which coverage sees nothing, or not at all."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Coverage's tracer makes everything take two to three times as long, so it pauses where it would learn nothing.

    That is in `UNTRACED` and in tests marked `untraced`, which walk the same lines again and again: hours of virtual
    time, or Hypothesis. What only those reach counts as not covered. (pytest-cov's own `no_cover` does nothing in the
    workers of xdist: each has two collectors, and stopping one lets the other go on.)
    """
    if not (item.nodeid.startswith(UNTRACED) or item.get_closest_marker("untraced")):
        return (yield)
    tracer, in_threads = sys.gettrace(), threading.gettrace()
    sys.settrace(None)
    threading.settrace(None)  # type: ignore[arg-type]
    try:
        return (yield)
    finally:
        sys.settrace(tracer)
        threading.settrace(in_threads)  # type: ignore[arg-type]


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis of the test's own; without the program or the library the test is skipped."""
    needs_redis()
    server = RedisServer(tmp_path, password="hunter22")
    server.start()
    yield server
    server.kill()


class _JumpingSelector(selectors.DefaultSelector):
    """Real sockets, virtual time: with nothing ready, the clock jumps to the next timer instead of waiting for it."""

    now_ns = 0

    def select(self, timeout: float | None = None) -> Any:
        self.now_ns += 1_000  # a clock that stands still livelocks float timers such as aiolimiter's
        if timeout is None:
            return super().select(None)
        ready = super().select(0)
        if not ready and timeout > 0:
            self.now_ns += int(timeout * 1e9)
        return ready


class AutojumpLoop(asyncio.SelectorEventLoop):
    """Hours pass in milliseconds. Work in threads takes no virtual time, so such tests use no threads."""

    def __init__(self) -> None:
        self._selector_clock = _JumpingSelector()
        super().__init__(self._selector_clock)

    def time(self) -> float:
        return self._selector_clock.now_ns / 1e9


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> Any:
    if item.get_closest_marker("virtual_time"):
        return {"autojump": AutojumpLoop}
    return {"real": asyncio.new_event_loop}


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy, credential or colour setting of the machine reaches a test."""
    for name in list(os.environ):
        if name.startswith("FETCHER_") or name.upper().endswith("_PROXY") or name in {"NO_COLOR", "FORCE_COLOR"}:
            monkeypatch.delenv(name)
