"""The real command in a process of its own that is there at once: forked from a server that has it loaded.

A fresh interpreter takes half a second to get going, a fork a fiftieth of it; for hundreds of kills that is the
difference between a minute and none. What runs is the program's own `main`, on descriptors and an environment of its
own.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.holds.sent_times import note_sent_times

CLONE_NEWNET = 0x4000_0000
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.holds.preloaded"])


def _child(
    arguments: tuple[str, ...],
    env: Mapping[str, str],
    cwd: str,
    streams: tuple[str, str],
    limits: Mapping[str, int],
    sent: str,
    network: str,
) -> None:
    os.chdir(cwd)
    if network:
        _enter(network)
    if sent:
        note_sent_times(sent)
    os.environ.clear()
    os.environ.update(env)
    for name, value in limits.items():
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))
    if "FSIZE" in limits:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # as Python itself does at its start
    for number, path in enumerate(streams, 1):
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
        os.dup2(descriptor, number)
        os.close(descriptor)
    sys.stdout = os.fdopen(1, "w", closefd=False)
    sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
    from fetcher.cli import main

    code = main(["run", *arguments])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _enter(network: str) -> None:
    """Be in this network namespace from now on. (`os.setns` comes with Python 3.12.)"""
    with open(f"/run/netns/{network}", "rb") as namespace:
        if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"cannot enter the network namespace {network}")


class Forked:
    """`fetcher run ARGUMENTS`, running. What it says on stdout and stderr is collected in a file, or in two.

    `sent` is where it writes down when it sent each call, see `sent_times`; `apart` is a file for stderr;
    `network` a network namespace.
    """

    def __init__(
        self,
        *arguments: object,
        env: Mapping[str, str],
        cwd: Path,
        limits: Mapping[str, int] | None = None,
        sent: str = "",
        apart: str = "",
        network: str = "",
    ) -> None:
        descriptor, self._said = tempfile.mkstemp(prefix="said-")
        os.close(descriptor)
        words = tuple(map(str, arguments))
        self._process: Any = CONTEXT.Process(
            target=_child,
            args=(words, dict(env), str(cwd), (self._said, apart or self._said), dict(limits or {}), sent, network),
            daemon=True,
        )
        self._process.start()

    @property
    def pid(self) -> int:
        """Of the process."""
        pid = self._process.pid
        assert pid is not None
        return int(pid)

    @property
    def running(self) -> bool:
        """It has not ended yet."""
        return bool(self._process.is_alive())

    @property
    def said(self) -> str:
        """Both streams so far, or stdout where stderr is apart."""
        return Path(self._said).read_text(encoding="utf-8", errors="replace")

    def send(self, which: signal.Signals) -> None:
        """A signal, if it still runs."""
        if self.running:
            os.kill(self.pid, which)

    def kill(self) -> None:
        """`kill -9`, and wait for the end."""
        self.send(signal.SIGKILL)
        self.wait()

    def wait(self, timeout_s: float = 40.0) -> int:
        """The exit code, minus the signal's number where one ended it."""
        self._process.join(timeout_s)
        if self.running:
            os.kill(self.pid, signal.SIGKILL)
            self._process.join(5)
            raise AssertionError(f"still running after {timeout_s} s; it said:\n{self.said}")
        return int(self._process.exitcode)


def finished(
    *arguments: object,
    env: Mapping[str, str],
    cwd: Path,
    limits: Mapping[str, int] | None = None,
    wait_s: float = 40.0,
) -> tuple[int, str]:
    """Run to the end: exit code, and what it said."""
    process = Forked(*arguments, env=env, cwd=cwd, limits=limits)
    return process.wait(wait_s), process.said


def until(condition: Callable[[], object], timeout_s: float = 20.0) -> None:
    """Wait for something that a running process is about to do."""
    end_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end_s, "what was waited for did not happen"
        time.sleep(0.02)
