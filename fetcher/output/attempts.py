"""The attempt journal (`.NAME.attempts`): which IDs were called and have no stored answer yet.

For calls that cost money. An ID is noted before its call leaves (`+ID`), and once more when an answer came that is not
stored (`-ID`: over the rate, a server's error); what stands in OUT or the failed file needs no note. So after a crash
the IDs that are noted and stand nowhere are the calls that may have been charged without their answer being kept. Notes
are grouped, written without a sync, and rewritten when they have grown: they hold what is open, not the run's history.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from fetcher.output.disk import NO_FOLLOW, Disk, beside, refused, write_all

LONGEST_BYTES: Final = 1 << 20
"""At this size the file is rewritten: every 70 000 calls or so."""


def attempt_files(path: str) -> list[str]:
    """Every file in which calls for OUT at `path` were noted: each process of a run has one of its own."""
    first = Path(beside(path, "attempts"))
    others = first.parent.glob(f"{glob.escape(first.name)}-*") if first.parent.is_dir() else ()
    return [str(each) for each in (first, *sorted(others)) if each.is_file()]


def read_attempts(path: str) -> list[str]:
    """IDs that earlier runs for OUT at `path` noted and did not take back, in order. A torn last note is none."""
    return list(dict.fromkeys(one for each in attempt_files(path) for one in _read(each)))


def _read(path: str) -> list[str]:
    try:
        data = Path(path).read_bytes()
    except OSError:
        return []
    opened: dict[str, None] = {}
    for note in data[: data.rfind(b"\n") + 1].decode("utf-8", "replace").split("\n"):
        if note.startswith("+"):
            opened[note[1:]] = None
        else:
            opened.pop(note[1:], None)
    return list(opened)


class AttemptLog:
    """Open from the first call on. One thread at a time.

    Args:
        path: OUT's.
        disk: the operations, for tests.
        doubtful: what an earlier run left open and this one has not settled.
        process: which of the run's processes notes here; 0 when there is one.
    """

    def __init__(self, path: str, disk: Disk, doubtful: Iterable[str] = (), process: int = 0) -> None:
        self.path = beside(path, f"attempts-{process}" if process else "attempts")
        self._disk = disk
        self._open = set(doubtful)
        self._taken_back: list[str] = []
        self._descriptor = -1
        self._size_bytes = 0
        self._broken = False

    def start(self) -> None:
        """Begin a new file that holds what is open. Raises `OutputError`."""
        self._guard(self._rewrite)

    def calls(self, ids: Iterable[str]) -> None:
        """These are about to be called. Returns when that is written.

        Raises:
            OutputError: it cannot be written; then they must not be called.
        """
        ids = list(ids)
        self._open.update(ids)
        notes = [f"-{one}\n" for one in self._taken_back] + [f"+{one}\n" for one in ids]
        self._taken_back = []
        self._guard(lambda: self._append("".join(notes).encode()))

    def answered(self, product_id: str) -> None:
        """Its call was answered, and there is nothing to store, or it never left: written with the next note."""
        if product_id in self._open:
            self._open.discard(product_id)
            self._taken_back.append(product_id)

    def stored(self, ids: Iterable[str]) -> None:
        """They stand in OUT or the failed file."""
        self._open.difference_update(ids)

    @property
    def open(self) -> frozenset[str]:
        """Called, and neither answered nor stored so far."""
        return frozenset(self._open)

    def close(self) -> None:
        """At the end: remove the file when nothing is open, else leave just that."""
        if self._descriptor < 0:
            return
        if not self._broken:
            self._guard(self._rewrite)
            if not self._open:
                self._guard(lambda: self._disk.remove(self.path))
        os.close(self._descriptor)
        self._descriptor = -1

    def _append(self, data: bytes) -> None:
        if self._size_bytes > LONGEST_BYTES:
            self._rewrite()
            return
        write_all(self._disk, self._descriptor, data)
        self._size_bytes += len(data)

    def _rewrite(self) -> None:
        data = "".join(f"+{one}\n" for one in sorted(self._open)).encode()
        beside = f"{self.path}.new"
        descriptor = self._disk.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | NO_FOLLOW)
        try:
            write_all(self._disk, descriptor, data)
            self._disk.replace(beside, self.path)
        except BaseException:
            os.close(descriptor)
            raise
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor, self._size_bytes, self._taken_back = descriptor, len(data), []

    def _guard(self, operation: Callable[[], None]) -> None:
        try:
            operation()
        except OSError as error:
            self._broken = True
            raise refused(self.path, error) from None
