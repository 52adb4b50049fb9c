"""What the driver notes of itself beside the parts, for `fetcher cluster status` and for the next driver."""

from __future__ import annotations

import math
import os
import socket
from contextlib import suppress
from typing import Final

import msgspec

from fetcher.clock import Clock
from fetcher.cluster.board import Figure
from fetcher.cluster.figures import JobFigures
from fetcher.cluster.records import JOB, PROGRESS, Start
from fetcher.cluster.store import LocalStore, Store
from fetcher.errors import OutputBusy, OutputError
from fetcher.metrics import Snapshot

try:
    import fcntl
except ImportError:  # Windows: one driver at a time is then up to the user
    fcntl = None  # type: ignore[assignment]

FRESH_S: Final = 60.0
"""A driver whose note is older has gone."""
LOCAL_S: Final = 1.0
REMOTE_S: Final = 10.0
"""How often it is written: a put to an object store costs something."""


class At(msgspec.Struct, frozen=True):
    """A shard that is worked on."""

    shard: int
    attempt: int
    node: str
    pid: int


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """The note."""

    state: str
    """`running`, or `ended`."""
    exit_code: int | None = None
    reason: str = ""
    host: str
    pid: int
    started_ms: int
    at_ms: int
    """Wall clock of this note."""
    shards: int
    done: int
    workers: int
    snapshot: Snapshot
    at: list[At] = []
    starts: list[Start] = []
    """What this start has sent, and those before."""


def read_progress(store: Store) -> Progress | None:
    """The last note; None where there is none that can be read."""
    with suppress(FileNotFoundError, msgspec.DecodeError, ValueError):
        return msgspec.json.decode(store.read(PROGRESS), type=Progress)
    return None


class Holding:
    """One driver at a time. In a folder by a lock, which ends with its process; elsewhere by a fresh note."""

    def __init__(self, store: Store, wall_ms: int) -> None:
        """Raises `OutputBusy`: another driver is at work."""
        self._descriptor = -1
        if isinstance(store, LocalStore):
            self._lock(store)
        else:
            note = read_progress(store)
            if note is not None and note.state == "running" and wall_ms - note.at_ms < FRESH_S * 1000:
                raise _busy(store, note)

    def _lock(self, store: LocalStore) -> None:
        path = store.path(f"{JOB}/lock")
        path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o666)
        if fcntl is not None:
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self.release()
                raise _busy(store, read_progress(store)) from None

    def release(self) -> None:
        """Let another driver have it."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _busy(store: Store, note: Progress | None) -> OutputBusy:
    who = f" (process {note.pid} on {note.host})" if note is not None else ""
    return OutputBusy(
        f"another driver works at {store.place}{who}",
        f"wait for it; after a driver was lost, its note in a URI counts {FRESH_S:g} s",
    )


class Noting:
    """Writes the note, now and then."""

    def __init__(self, store: Store, clock: Clock, figures: JobFigures) -> None:
        self._store, self._clock, self._figures = store, clock, figures
        self._started_ms, self._noted_s = clock.wall_ms(), -math.inf
        self._workers = 0

    def now(self, snapshot: Snapshot, at: list[Figure], workers: int) -> None:
        """How it stands."""
        self._workers = workers
        now_s = self._clock.monotonic_s()
        if now_s - self._noted_s >= (LOCAL_S if self._store.is_local else REMOTE_S):
            self._noted_s = now_s
            self._write("running", snapshot, [At(one.shard, one.attempt, one.node, one.pid) for one in at], None, "")

    def ended(self, snapshot: Snapshot, code: int, reason: str) -> None:
        """How it ended."""
        self._write("ended", snapshot, [], code, reason)

    def _write(self, state: str, snapshot: Snapshot, at: list[At], code: int | None, reason: str) -> None:
        host, pid = here()
        note = Progress(
            state=state,
            exit_code=code,
            reason=reason,
            host=host,
            pid=pid,
            started_ms=self._started_ms,
            at_ms=self._clock.wall_ms(),
            shards=self._figures.shards,
            done=self._figures.shards_done,
            workers=self._workers,
            snapshot=snapshot,
            at=at,
            starts=self._figures.starts(),
        )
        with suppress(OutputError):  # a note that cannot be written harms nothing
            self._store.write(PROGRESS, msgspec.json.encode(note))


def here() -> tuple[str, int]:
    """Host and process."""
    return socket.gethostname(), os.getpid()
