"""One append-only file of lines: opened and locked, mended, appended to, synced; cut back when the disk refuses.

The file is the journal: nothing is remembered elsewhere. A line is written whole by one writer, so `kill -9` can tear
the last one only; a power cut can take what was not yet synced. It knows nothing of products: lines are bytes.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from fetcher.errors import OutputError, UsageError
from fetcher.output.compress import Codec, Plain, codec_of, lines_of
from fetcher.output.disk import Disk, write_all

try:
    import fcntl
except ImportError:  # Windows: one run at a time is then up to the user
    fcntl = None  # type: ignore[assignment]

MEMBER_BYTES: Final = 1 << 20
"""A compressed member is closed at this size, or at the next sync."""
FIRST_BYTES: Final = b'{"id":"'
_GO_ON: Final = "what was written stands and nothing is lost: make room or repair it, then run the same command again"


class Held(Exception):
    """Another process has locked the file."""


def refused(path: str, error: OSError) -> OutputError:
    """An operating system's error as a sentence."""
    return OutputError(f"{path}: {error.strerror or error}", _GO_ON)


class Journal:
    """Args:
    path: of the file; links are followed.
    disk: the operations, for tests.
    """

    def __init__(self, path: str, disk: Disk) -> None:
        self.path = os.path.realpath(path)
        self.codec: Codec = codec_of(path)
        self._disk = disk
        self._descriptor = -1
        self._size_bytes = self._synced_bytes = 0
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._broken: OutputError | None = None

    @property
    def is_open(self) -> bool:
        """It has a descriptor."""
        return self._descriptor >= 0

    @property
    def is_empty(self) -> bool:
        """No byte in it."""
        return self._size_bytes == 0

    def open(self) -> None:
        """Create it if need be, and lock it.

        Raises:
            Held: another process has it.
            UsageError: its folder is missing, or it is a folder.
            OutputError: it may not be written.
        """
        folder = Path(self.path).parent
        if not folder.is_dir():
            raise UsageError(f"there is no folder {folder}", f"mkdir -p {folder}")
        if Path(self.path).is_dir():
            raise UsageError(f"{self.path} is a folder, not a file")
        try:
            self._descriptor = self._disk.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
            self._lock()
            self._size_bytes = self._synced_bytes = os.fstat(self._descriptor).st_size
            self._disk.sync_folder(str(folder))
        except OSError as error:
            self.close()
            raise refused(self.path, error) from None

    def _lock(self) -> None:
        if fcntl is None:
            return
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.close()
            raise Held from None
        if not self.in_place():  # replaced between open and lock
            self.close()
            raise Held

    def in_place(self) -> bool:
        """The path still leads to the file that we hold."""
        try:
            there = os.stat(self.path)  # noqa: PTH116 - compared with fstat
        except FileNotFoundError:
            return False
        held = os.fstat(self._descriptor)
        return (there.st_dev, there.st_ino) == (held.st_dev, held.st_ino)

    def lines(self) -> Iterator[tuple[list[bytes], int]]:
        """Lists of whole lines, and the offset up to which the file is good with them (-1: cannot be said)."""
        with open(self.path, "rb", buffering=0) as file:
            yield from lines_of(self.codec, file.read)

    def begins_as_ours(self) -> bool:
        """The first bytes are those of a line of ours, or as many of them as there are."""
        with open(self.path, "rb") as file:
            start = file.read(len(FIRST_BYTES))
        return isinstance(self.codec, Plain) and FIRST_BYTES.startswith(start)

    def cut(self, good_bytes: int) -> int:
        """Cut what stands behind `good_bytes`, keeping it aside in `PATH.torn`. Returns how many bytes were cut."""
        torn_bytes = self._size_bytes - good_bytes
        if torn_bytes <= 0:
            return 0
        with open(self.path, "rb") as file:
            file.seek(good_bytes)
            while block := file.read(MEMBER_BYTES):
                self.keep_aside("torn", block)
        try:
            self._disk.truncate(self._descriptor, good_bytes)
            self._disk.sync(self._descriptor)
        except OSError as error:
            raise refused(self.path, error) from None
        self._size_bytes = self._synced_bytes = good_bytes
        return torn_bytes

    def keep_aside(self, why: str, data: bytes) -> None:
        """Append `data` to `PATH.why`, readable by the owner alone: cut is not thrown away."""
        try:
            descriptor = self._disk.open(f"{self.path}.{why}", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                write_all(self._disk, descriptor, data)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise refused(self.path, error) from None

    def rewrite(self, keep: Callable[[bytes], bool]) -> None:
        """Leave only the lines that `keep` wants, in one step: before it the old file stands, after it the new one."""
        beside = f"{self.path}.new"
        mode = os.fstat(self._descriptor).st_mode & 0o777
        try:
            descriptor = self._disk.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
            try:
                for lines, _ in self.lines():
                    if kept := [line + b"\n" for line in lines if keep(line)]:
                        write_all(self._disk, descriptor, self.codec.pack(b"".join(kept)))
                self._disk.sync(descriptor)
            finally:
                os.close(descriptor)
            self._disk.replace(beside, self.path)
            self._disk.sync_folder(str(Path(self.path).parent))
        except OSError as error:
            raise refused(self.path, error) from None
        self.close()
        self.open()

    def clear(self) -> None:
        """Start anew."""
        try:
            self._disk.truncate(self._descriptor, 0)
        except OSError as error:
            raise refused(self.path, error) from None
        self._size_bytes = self._synced_bytes = 0

    def append(self, data: bytes) -> None:
        """Write whole lines: at once, or into the member that is being gathered.

        Raises:
            OutputError: the disk refuses; the file ends on a whole line then.
        """
        if self._broken is not None:
            raise self._broken
        if isinstance(self.codec, Plain):
            self._write(data)
            return
        self._pending.append(data)
        self._pending_bytes += len(data)
        if self._pending_bytes >= MEMBER_BYTES:
            self._commit()

    def _commit(self) -> None:
        if self._pending:
            packed = self.codec.pack(b"".join(self._pending))
            self._pending, self._pending_bytes = [], 0
            self._write(packed)

    def _write(self, data: bytes) -> None:
        try:
            write_all(self._disk, self._descriptor, data)
        except OSError as error:
            raise self._fail(error, self._size_bytes) from None
        self._size_bytes += len(data)

    def _fail(self, error: OSError, good_bytes: int) -> OutputError:
        """Cut back to the last whole record. From now on every write is refused: the kernel may have dropped pages."""
        try:
            self._disk.truncate(self._descriptor, good_bytes)
            self._size_bytes = good_bytes
        except OSError:
            pass  # the next start finds the torn tail
        self._broken = refused(self.path, error)
        return self._broken

    @property
    def unsynced(self) -> bool:
        """Something was appended that a power cut may take."""
        return bool(self._pending) or self._size_bytes > self._synced_bytes

    def sync(self) -> None:
        """Make what was appended durable. A failed sync is final: it is never tried again.

        Raises:
            OutputError: it could not, or the file was replaced or removed meanwhile.
        """
        if self._broken is not None:
            raise self._broken
        self._commit()
        if self._size_bytes == self._synced_bytes:
            return
        try:
            self._disk.sync(self._descriptor)
        except OSError as error:
            raise self._fail(error, self._synced_bytes) from None
        self._synced_bytes = self._size_bytes
        if not self.in_place():
            self._broken = refused(self.path, OSError(errno.ESTALE, "it was replaced or removed while we wrote to it"))
            raise self._broken

    def close(self) -> None:
        """Let go of the file and its lock. Does not sync."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
