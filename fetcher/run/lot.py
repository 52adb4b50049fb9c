"""Memory that a worker process and its parent both see, for the lines on their way from one to the other.

A worker lays a lot of lines there and tells its length; the parent takes it before it answers, and until then the
worker lays no other. Through the socket the same bytes would be copied half a dozen times more.
"""

from __future__ import annotations

import mmap
import os
from typing import Final

LARGEST_BYTES: Final = 1 << 20
"""Four of the usual lots (`buffer.LOT_BYTES`); what is larger goes through the socket."""


def make_memory() -> int:
    """A descriptor of such memory, empty, for both to open. No name leads to it, so it ends with the last of them."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("fetcher-lot")
    else:
        import tempfile

        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.ftruncate(descriptor, LARGEST_BYTES)
    return descriptor


class Lot:
    """One end of it.

    Args:
        descriptor: of memory made by `make_memory`; it is closed, for a mapping needs it no more.
    """

    def __init__(self, descriptor: int) -> None:
        self._memory = mmap.mmap(descriptor, LARGEST_BYTES)
        os.close(descriptor)

    def lay(self, lines: bytes) -> int:
        """Put them there. Returns how many bytes that were: all, or none when they are too many."""
        if len(lines) > LARGEST_BYTES:
            return 0
        self._memory[: len(lines)] = lines
        return len(lines)

    def take(self, length: int) -> bytes:
        """A copy of what lies there: it may be needed when the other end has long laid something else."""
        return self._memory[:length]

    def close(self) -> None:
        """Let go of it."""
        self._memory.close()
