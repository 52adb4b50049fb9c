"""Memory that a worker process and its parent both see, for the lines on their way from one to the other.

A worker lays a lot of lines there and tells its length; the parent writes them into OUT from where they lie, and until
it has said that they are stored the worker lays no other. So the lines are copied once on their way to `write`; through
the socket the same bytes would be copied half a dozen times more.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

try:
    import resource
except ImportError:  # Windows: nothing there limits the size of a file
    resource = None  # type: ignore[assignment]

LARGEST_BYTES: Final = 1 << 26
"""More than a run ever lets wait for its sink, but for a single answer beyond measure, which goes through the socket.
Of so much memory only what a lot has needed is ever taken: about a megabyte where the disk keeps up
(`buffer.LOT_BYTES`)."""


def make_memory() -> int:
    """A descriptor of such memory, empty, for both to open. No name leads to it, so it ends with the last of them."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("fetcher-lot")
    else:
        import tempfile

        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.ftruncate(descriptor, _largest_bytes())
    return descriptor


def _largest_bytes() -> int:
    """What the user lets a file be (`ulimit -f`) is the end of this, too."""
    if resource is not None:
        allowed, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
        if allowed != resource.RLIM_INFINITY:
            return max(mmap.PAGESIZE, min(LARGEST_BYTES, allowed))
    return LARGEST_BYTES


class Lot:
    """One end of it.

    Args:
        descriptor: of memory made by `make_memory`; it is closed, for a mapping needs it no more.
    """

    def __init__(self, descriptor: int) -> None:
        self._memory = mmap.mmap(descriptor, 0)
        os.close(descriptor)

    def lay(self, pieces: Sequence[bytes]) -> memoryview | bytes:
        """Put them there, one after the other, and see them lie. Bytes: they are too many, and are only joined."""
        length = sum(map(len, pieces))
        if length > len(self._memory):
            return b"".join(pieces)
        self._memory.seek(0)
        write = self._memory.write  # piece by piece: joined first, they would be copied twice
        for piece in pieces:
            write(piece)
        return self.look(length)

    def look(self, length: int) -> memoryview:
        """What lies there, not copied: until the other end is told that it may lay something else."""
        return memoryview(self._memory)[:length]

    def close(self) -> None:
        """Let go of it; a writer that hangs may still look at it, and then the end of the process does."""
        with suppress(BufferError):
            self._memory.close()
