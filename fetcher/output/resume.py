"""What earlier runs have done: read from OUT and the failed file, never from counters; and mended where it is torn."""

from __future__ import annotations

from typing import Final

import msgspec

from fetcher.errors import OutputMismatch
from fetcher.idset import IdSet
from fetcher.output.journal import Journal
from fetcher.output.line import head_id, is_permanent, whole

LOOKED_AT_WHOLE: Final = 4
"""So many of the last lines are parsed from end to end; those before were followed by others and cannot be torn."""


class Earlier(msgspec.Struct):
    """What stood in the files before this run. Counts of IDs."""

    fetched: int = 0
    failed: int = 0
    """Stand in the failed file and stay there."""
    to_retry: int = 0
    """Stood there and will be tried again."""


class Scan:
    """One pass over a journal: the IDs in it, what is torn, what is bad."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.good_bytes = 0
        self.lines = self.bad = 0
        self._tail: list[tuple[bytes, int]] = []

    def into(self, done: IdSet) -> None:
        """Enter every ID. Lines of no ID, and those of an ID that is there already, count as bad."""
        add = done.add
        for lines, end in self._journal.lines():
            for line in lines:
                found = head_id(line)
                if found is None or not add(found):
                    self.bad += 1
            self.lines += len(lines)
            if end >= 0:
                self.good_bytes = end
                if lines:
                    self._tail = [(line, end) for line in lines[-LOOKED_AT_WHOLE:]]

    @property
    def tail_is_whole(self) -> bool:
        """The last lines are JSON from end to end."""
        return all(whole(line) for line, _ in self._tail)


def take_in(journal: Journal, done: IdSet, notes: list[str], *, noted: bool) -> int:
    """Mend OUT and enter its IDs.

    Args:
        journal: OUT, open and locked.
        done: takes the IDs.
        notes: takes what was mended, for a person.
        noted: a note beside OUT says that it is ours: then bytes without one whole line are a torn first record.

    Returns:
        How many lines it holds.

    Raises:
        OutputMismatch: it has bytes and not one line of ours.
    """
    scan = Scan(journal)
    scan.into(done)
    ours = scan.lines > scan.bad or journal.is_empty or (not scan.lines and (noted or journal.begins_as_ours()))
    if not ours:
        raise OutputMismatch(
            f"{journal.path} is not a file of ours: no line of it begins with an ID",
            "choose another -o, or --overwrite it",
        )
    if torn_bytes := journal.cut(scan.good_bytes):
        notes.append(f"{journal.path} ended within a line: {torn_bytes} bytes were cut and kept in {journal.path}.torn")
    if scan.bad or not scan.tail_is_whole:
        _weed(journal, notes)
    return scan.lines - scan.bad


def _weed(journal: Journal, notes: list[str]) -> None:
    """Rewrite without the lines that are none, or stand there twice."""
    seen, out = IdSet(), list[bytes]()

    def keep(line: bytes) -> bool:
        found = head_id(line)
        if found is not None and whole(line) and seen.add(found):
            return True
        out.append(line + b"\n")
        return False

    journal.rewrite(keep)
    journal.keep_aside("bad", b"".join(out))
    notes.append(f"{journal.path}: {len(out)} bad or repeated lines were taken out and kept in {journal.path}.bad")


class Sorting:
    """Which lines of the failed file stay: OUT wins, and what is to be tried again goes."""

    def __init__(self, fetched: IdSet, retry_failed: str) -> None:
        self._fetched, self._retry = fetched, retry_failed
        self._seen = IdSet()
        self.kept: list[str] = []
        self.retried = self.dropped = 0

    def stays(self, line: bytes) -> bool:
        """Look at one line."""
        found = head_id(line)
        if found is None or not whole(line) or found in self._fetched or not self._seen.add(found):
            self.dropped += 1
            return False
        if self._retry == "all" or (self._retry == "transient" and not is_permanent(line)):
            self.retried += 1
            return False
        self.kept.append(found)
        return True


def sort_failed(journal: Journal, fetched: IdSet, retry_failed: str) -> tuple[Sorting, int]:
    """Look at every line of the failed file; change nothing. Returns what was found and the good length in bytes."""
    sorting, good_bytes = Sorting(fetched, retry_failed), 0
    for lines, end in journal.lines():
        for line in lines:
            sorting.stays(line)
        good_bytes = max(good_bytes, end)
    return sorting, good_bytes
