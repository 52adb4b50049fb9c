"""The operations on files that matter for durability, in one place, so that a test can make each of them fail."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from fetcher.errors import OutputError

NO_FOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)
"""For files of our own making beside OUT: in a folder that others can write to, a link there is a trap."""
_GO_ON: Final = "what was written stands and nothing is lost: make room or repair it, then run the same command again"


class Disk:
    """The real one: each method is one system call."""

    def open(self, path: str, flags: int, mode: int = 0o666) -> int:
        """A descriptor; the mode is narrowed by the umask."""
        return os.open(path, flags | getattr(os, "O_CLOEXEC", 0), mode)

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        """How many bytes were written: perhaps not all."""
        return os.write(descriptor, data)

    def sync(self, descriptor: int) -> None:
        """Until what was written survives a power cut."""
        getattr(os, "fdatasync", os.fsync)(descriptor)

    def truncate(self, descriptor: int, size_bytes: int) -> None:
        """Cut the file."""
        os.ftruncate(descriptor, size_bytes)

    def replace(self, source: str, target: str) -> None:
        """Put `source` in the place of `target`, in one step."""
        Path(source).replace(target)

    def remove(self, path: str) -> None:
        """Take the name away; none there is as good."""
        Path(path).unlink(missing_ok=True)

    def sync_folder(self, path: str) -> None:
        """Until the names in the folder survive a power cut."""
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        except OSError:
            pass  # some file systems cannot; then there is nothing to be had
        finally:
            os.close(descriptor)


def write_all(disk: Disk, descriptor: int, data: bytes | memoryview) -> None:
    """Write every byte: a single write may stop early, and did in 28 of 200 tries on a nearly full disk.

    Raises:
        OSError: it cannot go on.
    """
    rest = memoryview(data)
    while rest:
        written = disk.write(descriptor, rest)
        if written == 0:
            raise OSError(5, "nothing more could be written")
        rest = rest[written:]


def write_whole(disk: Disk, path: str, data: bytes) -> None:
    """A small file that is there with all of its bytes or as it was before.

    Raises:
        OSError: it cannot be written.
    """
    beside = f"{path}.new"
    descriptor = disk.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | NO_FOLLOW)
    try:
        write_all(disk, descriptor, data)
    finally:
        os.close(descriptor)
    disk.replace(beside, path)


def beside(path: str, ending: str) -> str:
    """The hidden file that belongs to `path`: `a/out.jsonl` → `a/.out.jsonl.ENDING`."""
    folder, name = os.path.split(path)
    return str(Path(folder) / f".{name}.{ending}")


def refused(path: str, error: OSError) -> OutputError:
    """An operating system's error as a sentence."""
    return OutputError(f"{path}: {error.strerror or error}", _GO_ON)
