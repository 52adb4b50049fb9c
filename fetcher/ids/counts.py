"""Where the lines of an input went. Each line is counted once; the sum is a law that tests hold it to."""

from __future__ import annotations

import msgspec

from fetcher.ids.found import Aside
from fetcher.idset import Claim


class SourceCounts(msgspec.Struct):
    """Where the lines went. Only lines that were handed out or put aside are counted, never what is read ahead."""

    lines: int = 0
    blank: int = 0
    comments: int = 0
    header: int = 0
    duplicates: int = 0
    """IDs, good or bad, that stood on an earlier line."""
    known: int = 0
    """IDs, good or bad, that an earlier run has done."""
    fresh: int = 0
    """IDs that other files hold, fetched lately enough."""
    bad: int = 0
    items: int = 0
    repaired: dict[str, int] = msgspec.field(default_factory=dict)
    """Lines whose ID was put right, by what was done; they stand in another count too."""

    @property
    def content(self) -> int:
        """Lines that should hold an ID."""
        return self.lines - self.blank - self.comments - self.header

    def put_aside(self, aside: Aside) -> None:
        """A line without an ID."""
        if aside is Aside.BLANK:
            self.blank += 1
        elif aside is Aside.COMMENT:
            self.comments += 1
        else:
            self.header += 1

    def put_off(self, claimed: Claim) -> None:
        """An ID that need not be done: it was done before (KNOWN), or stood on an earlier line (SEEN)."""
        if claimed is Claim.KNOWN:
            self.known += 1
        else:
            self.duplicates += 1
