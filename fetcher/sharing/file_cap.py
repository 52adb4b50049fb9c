"""One cap for the processes of one host: a small file under `flock`, in the time of the host's monotonic clock.

An exchange locks, reads 144 bytes for each key that meets others there, decides (`pacing.SlotBook`), writes its own
back and unlocks: some 20 µs, and nothing
reaches the disk in that time, so it is done on the event loop. Nothing is ever synced: after a power cut the clock
begins anew and so does the book. A file that was removed or replaced is opened again and counts as new.
"""

from __future__ import annotations

import asyncio
import logging
import os
import stat
from pathlib import Path
from typing import Final

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

from fetcher.clock import Clock
from fetcher.errors import UsageError
from fetcher.pacing import Ask, Grant, PlaceLost, SlotBook
from fetcher.sharing.disks import network_disk
from fetcher.sharing.layout import MOST, SIZE, Damaged, NotOurs, encode, find

LOCK_S: Final = 2.0
"""Somebody who holds the lock longer than this stands still."""
LOOK_AGAIN_S: Final = 0.0005
BOOT_ID: Final = "/proc/sys/kernel/random/boot_id"

log = logging.getLogger("fetcher.sharing")


class FileCap:
    """See `pacing.LeasePlace`.

    Args:
        path: the file; made if it is not there, readable and writable as the umask says.
        owner: 16 bytes: whose cap it is. Others' caps stand beside it.
        clock: monotonic time that all processes of this host share.

    Raises:
        UsageError: it cannot be used.
    """

    def __init__(self, path: str, owner: bytes, clock: Clock) -> None:
        self._path, self._owner, self._clock = path, owner, clock
        self._boot = _boot()
        if fcntl is None:
            raise UsageError("--share-cap: this system has no flock, so a file cannot be shared", "Use redis://…")
        if (kind := network_disk(path)) is not None:
            raise UsageError(
                f"--share-cap: {path} lies on a network disk ({kind}), whose hosts have no clock in common",
                "Take a file on this host's own disk, or redis://… for several hosts.",
            )
        try:
            self._fd = _open(path)
            self._read()  # a wrong file is told before anything starts
        except OSError as error:
            raise UsageError(f"--share-cap: cannot use {path}: {error.strerror}", _advice(error, path)) from None

    @property
    def where(self) -> str:
        """See `LeasePlace`."""
        return self._path

    async def lease(self, ask: Ask) -> Grant:
        """See `LeasePlace`."""
        try:
            await self._locked()
            try:
                offset, book = self._read(keep_calls=ask.calls_limit is not None)
                grant = book.answer(ask, self._clock.monotonic_s())
                os.pwrite(self._fd, encode(book, self._owner, self._boot), offset)
            finally:
                fcntl.flock(self._fd, fcntl.LOCK_UN)
        except OSError as error:
            raise PlaceLost(f"{self._path}: {error.strerror}") from None
        return grant

    async def aclose(self) -> None:
        """See `LeasePlace`."""
        os.close(self._fd)

    async def _locked(self) -> None:
        """Hold the lock of the file that stands at the path now."""
        until_s = self._clock.monotonic_s() + LOCK_S
        while True:
            while not self._lock():
                if self._clock.monotonic_s() > until_s:
                    raise PlaceLost(f"a process that stands still holds the lock of {self._path}")
                await asyncio.sleep(LOOK_AGAIN_S)
            if self._still_there():
                return
            os.close(self._fd)  # and the lock with it
            self._fd = _open(self._path)

    def _lock(self) -> bool:
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _still_there(self) -> bool:
        ours = os.fstat(self._fd)
        try:
            there = os.stat(self._path)  # noqa: PTH116
        except FileNotFoundError:
            return False
        return (ours.st_dev, ours.st_ino) == (there.st_dev, there.st_ino)

    def _read(self, *, keep_calls: bool = False) -> tuple[int, SlotBook]:
        """Where the book stands, and the book."""
        try:
            return find(os.pread(self._fd, MOST * SIZE, 0), self._owner, self._boot)
        except NotOurs as error:
            raise UsageError(f"--share-cap: {self._path} {error}", "Name another file.") from None
        except Damaged as damaged:
            if keep_calls:
                raise UsageError(
                    f"--share-cap: {self._path} is damaged, so nobody knows how many calls it has counted",
                    "Remove it to count from zero.",
                ) from None
            log.warning("%s is damaged; it is begun anew", self._path)
            return damaged.offset, SlotBook()


def _open(path: str) -> int:
    """A descriptor for reading and writing; the file is made where there is none."""
    flags = os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        descriptor = os.open(path, flags)
    except FileNotFoundError:
        # Not at once with O_CREAT: Linux refuses that in /tmp for a file of another user that is there already.
        descriptor = os.open(path, flags | os.O_CREAT, 0o666)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise UsageError(f"--share-cap: {path} is not a file", "Name a file; it is made if it is not there.")
    return descriptor


def _advice(error: OSError, path: str) -> str:
    if isinstance(error, PermissionError):
        return "Another user's? Then its owner lets you in: chmod g+rw, or chmod a+rw."
    if isinstance(error, IsADirectoryError):
        return f"Name a file in it, such as {Path(path) / 'fetcher.cap'}."
    if isinstance(error, FileNotFoundError):
        return f"Make the folder first: mkdir -p {Path(path).parent}"
    return "Name another file."


def _boot() -> bytes:
    """Sixteen bytes that differ from boot to boot; zeros where the system has none (then the clock itself tells)."""
    try:
        return bytes.fromhex(Path(BOOT_ID).read_text(encoding="ascii").strip().replace("-", ""))
    except (OSError, ValueError):
        return bytes(16)
