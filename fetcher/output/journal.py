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
from fetcher.output.compress import Codec, Plain, codec_of, lines_in, regions_of
from fetcher.output.disk import NO_FOLLOW, Disk, refused, write_all
from fetcher.output.pending import Pending

try:
    import fcntl
except ImportError:  # Windows: one run at a time is then up to the user
    fcntl = None  # type: ignore[assignment]

MEMBER_BYTES: Final = 1 << 20
"""A compressed member is closed at this size, or at the next sync."""
FIRST_BYTES: Final = b'{"id":"'
SAMPLES: Final = 8
SAMPLE_BYTES: Final = 1 << 16


class Held(Exception):
    """Another process has locked the file."""


class Journal:
    """Args:
    path: of the file; links are followed.
    disk: the operations, for tests.
    """

    def __init__(self, path: str, disk: Disk) -> None:
        self.path = os.path.realpath(path)
        self.codec: Codec = codec_of(path)
        self.is_packed = not isinstance(self.codec, Plain)
        self.pending = Pending(self.path, disk)
        self._disk = disk
        self._descriptor = -1
        self._size_bytes = self._synced_bytes = 0
        self._gathered: list[bytes] = []
        self._gathered_bytes = 0
        self._broken: OutputError | None = None
        self.cut_back_to_sync = False
        """A sync failed: what was appended since the one before is gone from the file."""

    @property
    def is_open(self) -> bool:
        """It has a descriptor."""
        return self._descriptor >= 0

    @property
    def is_empty(self) -> bool:
        """No byte in it, nor on the way into it."""
        return self._size_bytes == 0 and not (self.is_packed and self.pending.is_there)

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
            _lock(self._descriptor)
            if not self.in_place():  # replaced between open and lock
                raise Held
            self._size_bytes = self._synced_bytes = os.fstat(self._descriptor).st_size
            self._disk.sync_folder(str(folder))
        except OSError as error:
            self.close()
            raise refused(self.path, error) from None
        except Held:
            self.close()
            raise

    def in_place(self) -> bool:
        """The path still leads to the file that we hold."""
        try:
            there = os.stat(self.path)  # noqa: PTH116 - compared with fstat
        except FileNotFoundError:
            return False
        held = os.fstat(self._descriptor)
        return (there.st_dev, there.st_ino) == (held.st_dev, held.st_ino)

    def regions(self) -> Iterator[tuple[bytes, int]]:
        """Runs of whole lines, and the offset up to which the file is good with them (-1: cannot be said)."""
        with open(self.path, "rb", buffering=0) as file:
            yield from regions_of(self.codec, file.read)

    def expected_lines(self) -> int:
        """How many lines the file holds, about, by samples from all over it; 0 where that cannot be told cheaply."""
        if self.is_packed:
            return 0
        with open(self.path, "rb", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            if size < SAMPLES * SAMPLE_BYTES:
                return 0
            newlines = 0
            for k in range(SAMPLES):
                file.seek(size * k // SAMPLES)
                newlines += file.read(SAMPLE_BYTES).count(b"\n")
        return int(newlines / (SAMPLES * SAMPLE_BYTES) * size)

    def begins_as_ours(self) -> bool:
        """The first bytes are those of a line of ours, or as many of them as there are."""
        with open(self.path, "rb") as file:
            start = file.read(len(FIRST_BYTES))
        return not self.is_packed and FIRST_BYTES.startswith(start)

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
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | NO_FOLLOW
        try:
            descriptor = self._disk.open(f"{self.path}.{why}", flags, 0o600)
            try:
                write_all(self._disk, descriptor, data)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise refused(f"{self.path}.{why}", error) from None

    def rewrite(self, keep: Callable[[bytes], bool], before: Callable[[], None] = lambda: None) -> None:
        """Leave only the lines that `keep` wants, in one step: before it the old file stands, after it the new one.

        `before` is called between. The new file is locked before it takes the old one's place, so no other run can
        slip in.
        """
        new = f"{self.path}.new"
        mode = os.fstat(self._descriptor).st_mode & 0o777
        try:
            descriptor = self._disk.open(new, os.O_RDWR | os.O_CREAT | os.O_APPEND | NO_FOLLOW, mode)
            try:
                self._disk.truncate(descriptor, 0)  # left by a run that was killed
                _lock(descriptor)
                for region, _ in self.regions():
                    if kept := [line + b"\n" for line in lines_in(region) if keep(line)]:
                        write_all(self._disk, descriptor, self.codec.pack(b"".join(kept)))
                self._disk.sync(descriptor)
                before()
                self._disk.replace(new, self.path)
            except BaseException:
                os.close(descriptor)
                raise
            os.close(self._descriptor)
            self._descriptor = descriptor
            self._size_bytes = self._synced_bytes = os.fstat(descriptor).st_size
            self._disk.sync_folder(str(Path(self.path).parent))
        except OSError as error:
            raise refused(self.path, error) from None

    def clear(self) -> None:
        """Start anew."""
        try:
            self._disk.truncate(self._descriptor, 0)
            self.pending.remove()
        except OSError as error:
            raise refused(self.path, error) from None
        self._size_bytes = self._synced_bytes = 0

    def recover(self, wanted: Callable[[bytes], bool]) -> int:
        """Take in the `wanted` lines that a killed run left on their way into a member. Returns how many."""
        if not self.is_packed or not self.pending.is_there:
            return 0
        count = 0
        try:
            for lines in self.pending.lines():
                if kept := [line + b"\n" for line in lines if wanted(line)]:
                    self._write(self.codec.pack(b"".join(kept)))
                    count += len(kept)
            self.sync()
            self.pending.remove()
        except OSError as error:
            raise refused(self.pending.path, error) from None
        return count

    def append(self, data: bytes | memoryview) -> None:
        """Write whole lines: at once, or beside the file until their member is closed. `data` is not kept.

        Raises:
            OutputError: the disk refuses; the file ends on a whole line then.
        """
        if self._broken is not None:
            raise self._broken
        if not self.is_packed:
            self._write(data)
            return
        data = bytes(data)
        try:
            self.pending.append(data)
        except OSError as error:
            self._broken = refused(self.pending.path, error)
            raise self._broken from None
        self._gathered.append(data)
        self._gathered_bytes += len(data)
        if self._gathered_bytes >= MEMBER_BYTES:
            self._commit()

    def _commit(self) -> None:
        if self._gathered:
            packed = self.codec.pack(b"".join(self._gathered))
            self._gathered, self._gathered_bytes = [], 0
            self._write(packed)

    def _write(self, data: bytes | memoryview) -> None:
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
        return bool(self._gathered) or self._size_bytes > self._synced_bytes

    def sync(self) -> None:
        """Make what was appended durable. A failed sync is final: it is never tried again.

        Raises:
            OutputError: it could not, or another program has replaced, removed or cut the file meanwhile.
        """
        if self._broken is not None:
            raise self._broken
        self._commit()
        if self._size_bytes == self._synced_bytes:
            return
        if trouble := self._meddled():
            self._broken = refused(self.path, OSError(errno.ESTALE, trouble))
            raise self._broken
        try:
            self._disk.sync(self._descriptor)
        except OSError as error:
            self.cut_back_to_sync = not self.is_packed  # what was packed still stands beside the file
            raise self._fail(error, self._synced_bytes) from None
        self._synced_bytes = self._size_bytes
        try:
            self.pending.clear()
        except OSError as error:
            self._broken = refused(self.pending.path, error)
            raise self._broken from None

    def _meddled(self) -> str:
        """What another program has done to the file that only we may write to; empty: nothing."""
        if not self.in_place():
            return "it was replaced or removed while we wrote to it"
        if os.fstat(self._descriptor).st_size != self._size_bytes:
            return "another program has cut it or written to it while we did"
        return ""

    def close(self) -> None:
        """Let go of the file and its lock. Does not sync."""
        self.pending.close()
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _lock(descriptor: int) -> None:
    """Raises `Held` when another process has it."""
    if fcntl is None:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Held from None
