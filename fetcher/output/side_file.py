"""A small file beside OUT (`.NAME.ENDING`) that somebody else understands: read whole, written whole."""

from __future__ import annotations

from pathlib import Path

from fetcher.output.disk import Disk, beside, refused, write_whole


class SideFile:
    """Args:
    out: OUT's path.
    ending: tells it from the others.
    disk: the operations, for tests.
    """

    def __init__(self, out: str, ending: str, disk: Disk | None = None) -> None:
        self.path, self._disk = beside(out, ending), disk or Disk()

    def read(self) -> bytes:
        """All of it; nothing where it is not there or cannot be read."""
        try:
            return Path(self.path).read_bytes()
        except OSError:
            return b""

    def write(self, data: bytes) -> None:
        """In the place of what it held: there are all of the new bytes or all of the old. Raises `OutputError`."""
        try:
            write_whole(self._disk, self.path, data)
        except OSError as error:
            raise refused(self.path, error) from None
