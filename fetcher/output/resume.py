"""What earlier runs have done: read from OUT and the failed file, never from counters; and mended where it is torn."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import msgspec

from fetcher.errors import OutputMismatch
from fetcher.idset import IdSet
from fetcher.model import Kind
from fetcher.output.compress import lines_in
from fetcher.output.journal import Journal
from fetcher.output.line import head_id, is_doubtful, is_permanent, kind_of, whole

LOOKED_AT_WHOLE: Final = 4
"""So many of the last lines are parsed from end to end; those before were followed by others and cannot be torn."""
_OURS: Final = re.compile(rb'(?m)^\{"id":"([1-9][0-9]{0,17})","fetched_at":".*\}$')
"""A line with a number for an ID that begins and ends as ours do."""
_HEAD: Final = b'","fetched_at":"'
_ROOM: Final = 1.02


class Reopening(msgspec.Struct, frozen=True):
    """What becomes of what earlier runs have left."""

    overwrite: bool = False
    """Start anew."""
    retry_failed: str = "transient"
    """`transient`, `all` or `none`: which earlier failures go back to be done."""
    hold_doubts: bool = False
    """Calls that may have been charged are not made again."""


class Earlier(msgspec.Struct):
    """What stood in the files before this run. Counts of IDs."""

    fetched: int = 0
    failed: int = 0
    """Stand in the failed file and stay there."""
    to_retry: int = 0
    """Stood there and will be tried again."""
    held: int = 0
    """Of those that stay: held back, because their call may have been charged."""
    bad: int = 0
    """Of those that stay: lines of the input that are no IDs."""
    unchanged: int = 0
    """Fetched, and the same as before: only a slim line tells of them."""


class Scan:
    """One pass over a journal: the IDs in it, what is torn, what is bad."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.good_bytes = 0
        self.lines = self.bad = 0
        self._last: tuple[bytes, ...] = ()

    def into(self, done: IdSet) -> None:
        """Enter every ID. Lines of no ID, and those of an ID that is there already, count as bad."""
        done.reserve(int((len(done) + self._journal.expected_lines()) * _ROOM))
        for region, end in self._journal.regions():
            lines = region.count(b"\n")
            self.lines += lines
            self.bad += lines - enter(region, lines, done)
            if end >= 0:
                self.good_bytes = end
                self._last = (*self._last[-1:], region)

    @property
    def tail_is_whole(self) -> bool:
        """The last lines are JSON from end to end."""
        last = [region.rsplit(b"\n", LOOKED_AT_WHOLE + 1)[1:-1] or lines_in(region) for region in self._last]
        return all(whole(line) for line in [line for lines in last for line in lines][-LOOKED_AT_WHOLE:])


def enter(region: bytes, lines: int, done: IdSet) -> int:
    """Enter the IDs of these lines. Returns how many lines are good ones of IDs that were not there.

    Almost always every line is one of ours with a number; one pass of a pattern over all of them then costs a sixth of
    looking at each. Every line is read whole where zero bytes lie, as a power cut can leave them in the midst of a
    file, or where lines and heads of lines are not as many: cut by another program, one line runs into the next.
    """
    careful = b"\0" in region or region.count(_HEAD) != lines
    if not careful:
        found = _OURS.findall(region)
        if len(found) == lines:
            return done.add_numbers(list(map(int, found)))
    good = 0
    for line in lines_in(region):
        product_id = head_id(line)
        if product_id is not None and (not careful or whole(line)):
            good += done.add(product_id)
    return good


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
    if not _is_ours(scan, journal, noted):
        raise OutputMismatch(
            f"{journal.path} is not a file of ours: no line of it begins with an ID",
            "choose another -o, or --overwrite it",
        )
    if torn_bytes := journal.cut(scan.good_bytes):
        notes.append(f"{journal.path} ended within a line: {torn_bytes} bytes were cut and kept in {journal.path}.torn")
    count = scan.lines - scan.bad
    if scan.bad or not scan.tail_is_whole:
        done.clear()
        count = weed(journal, done, notes)
    return count + recover(journal, done, notes)


def _is_ours(scan: Scan, journal: Journal, noted: bool) -> bool:
    """A good line, nothing at all, or what a torn first record leaves."""
    if scan.lines > scan.bad or journal.is_empty:
        return True
    if not scan.lines:
        return noted or journal.begins_as_ours()
    return noted and journal.begins_as_ours()


def weed(journal: Journal, done: IdSet, notes: list[str]) -> int:
    """Rewrite without the lines that are none, or stand there twice; enter the others. Returns how many those are."""
    out = list[bytes]()

    def keep(line: bytes) -> bool:
        found = head_id(line)
        if found is not None and whole(line) and done.add(found):
            return True
        out.append(line + b"\n")
        return False

    before = len(done)
    journal.rewrite(keep, lambda: journal.keep_aside("bad", b"".join(out)))
    notes.append(f"{journal.path}: {len(out)} bad or repeated lines were taken out and kept in {journal.path}.bad")
    return len(done) - before


def recover(journal: Journal, done: IdSet, notes: list[str]) -> int:
    """Take in what a killed run left beside a compressed file. Returns how many lines."""
    count = journal.recover(fresh(done))
    if count:
        notes.append(f"{journal.path}: {count} lines that a killed run had not yet compressed were taken in")
    return count


def fresh(done: IdSet) -> Callable[[bytes], bool]:
    """Whether a line is whole and of an ID that is not yet in `done`; it is then."""

    def is_fresh(line: bytes) -> bool:
        found = head_id(line)
        return found is not None and whole(line) and done.add(found)

    return is_fresh


class Sorting:
    """Which lines of the failed file stay: OUT wins, and what is to be tried again goes."""

    def __init__(self, fetched: IdSet, reopening: Reopening) -> None:
        self._fetched, self._reopening = fetched, reopening
        self.seen = IdSet()
        """IDs whose lines stay."""
        self._gone = IdSet()
        self.retried = self.dropped = self.held = self.bad = 0

    def stays(self, line: bytes) -> bool:
        """Look at one line."""
        found = head_id(line)
        if found is None or not whole(line) or found in self._fetched or found in self.seen:
            self.dropped += 1
            return False
        if self._is_retried(line):
            self.retried += self._gone.add(found)
            return False
        self.seen.add(found)
        self.held += is_doubtful(line)
        self.bad += kind_of(line) == Kind.BAD_ID
        return True

    def _is_retried(self, line: bytes) -> bool:
        if self._reopening.retry_failed == "none":
            return False
        if is_doubtful(line):
            return not self._reopening.hold_doubts
        return self._reopening.retry_failed == "all" or not is_permanent(line)


def sort_failed(journal: Journal, fetched: IdSet, reopening: Reopening) -> tuple[Sorting, int]:
    """Look at every line of the failed file; change nothing. Returns what was found and the good length in bytes."""
    sorting, good_bytes = Sorting(fetched, reopening), 0
    for region, end in journal.regions():
        for line in lines_in(region):
            sorting.stays(line)
        good_bytes = max(good_bytes, end)
    return sorting, good_bytes
