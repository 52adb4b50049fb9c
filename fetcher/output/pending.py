"""Lines on their way into a compressed member, plain, beside the file: `.NAME.pending`.

A member is worth closing only once a second or a megabyte; without this file `kill -9` would cost all answers since the
last one. It is emptied when the members are safe on disk, so what it holds may stand in the file already: whoever takes
it in looks at the IDs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from fetcher.output.compress import Plain, lines_in, regions_of
from fetcher.output.disk import NO_FOLLOW, Disk, beside, write_all


class Pending:
    """Made for the file at `path`. Every method raises OSError where the disk refuses."""

    def __init__(self, path: str, disk: Disk) -> None:
        self.path = beside(path, "pending")
        self._disk = disk
        self._descriptor = -1
        self._size_bytes = 0

    def append(self, data: bytes) -> None:
        """Whole lines; on an error the file ends where it ended before, if the disk lets it."""
        if self._descriptor < 0:
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | NO_FOLLOW
            self._descriptor = self._disk.open(self.path, flags)
            self._size_bytes = os.fstat(self._descriptor).st_size
        try:
            write_all(self._disk, self._descriptor, data)
        except OSError:
            self._cut_back()
            raise
        self._size_bytes += len(data)

    def _cut_back(self) -> None:
        with suppress(OSError):  # the torn line is no line: the next start leaves it out
            self._disk.truncate(self._descriptor, self._size_bytes)

    def clear(self) -> None:
        """All of it is safe in the file."""
        if self._size_bytes:
            self._disk.truncate(self._descriptor, 0)
            self._size_bytes = 0

    def lines(self) -> Iterator[list[bytes]]:
        """What a killed run left here, torn tail aside."""
        if self.is_there:
            with open(self.path, "rb", buffering=0) as file:
                for region, _ in regions_of(Plain(), file.read):
                    yield lines_in(region)

    @property
    def is_there(self) -> bool:
        """A killed run has left something."""
        try:
            return Path(self.path).stat().st_size > 0
        except OSError:
            return False

    def remove(self) -> None:
        """Take the file away."""
        self.close()
        self._disk.remove(self.path)

    def close(self) -> None:
        """Let go of it, and leave it as it is."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor, self._size_bytes = -1, 0
