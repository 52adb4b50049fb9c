"""The reader: a file of IDs becomes Items, and every line of it is accounted for.

    lines = blank + comments + header + duplicates + known + fresh + bad + items

It puts the parts together and counts; what a line means is the format's affair, what an ID is `check`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final, Self

from fetcher.clock import SystemClock
from fetcher.errors import InputError
from fetcher.ids.check import SPACES, Bad, bad_id, check_id
from fetcher.ids.counts import SourceCounts
from fetcher.ids.found import Aside, Format, Input
from fetcher.idset import Claim, IdSet
from fetcher.model import Failure, Item

SUSPECT_IDS: Final = 20
"""How many long IDs there must be before their last digits are judged."""

_LONG_ID: Final = 12
_JUDGED_IDS: Final = 10_000
_SUSPECT_LINES: Final = 5
_FAST_DIGITS: Final = 19
_TOGETHER: Final = 128
"""Lines that take the short way together; one that is not plain keeps its neighbours from it."""


class Source:
    """Items in the order of the input. A context manager; used by one thread at a time.

    Attributes:
        counts: where the lines read so far went.
        warnings: sentences about the input as a whole.
        is_pipe: it cannot be said how much is left.
    """

    def __init__(
        self,
        lines: Input,
        choose: Callable[[str], Format],
        *,
        numeric: bool,
        known: IdSet | None = None,
        fresh: IdSet | None = None,
        limit: int | None = None,
        wall_ms: Callable[[], int] | None = None,
    ) -> None:
        """Read up to the first ID, so that a wrong column is found before anything is sent.

        Args:
            lines: the input.
            choose: the format, told by the first line that is not blank.
            numeric: the API takes numbers only.
            known: IDs done by earlier runs; every ID read is claimed in it.
            fresh: IDs that need no call, since another file has them.
            limit: end after so many new IDs.
            wall_ms: the wall clock, for the stamp of failures.

        Raises:
            InputError: see `open_source`.
        """
        self.counts = SourceCounts()
        self.warnings: list[str] = []
        self.bad_ids = IdSet()
        """Texts of the input that are no IDs, whether earlier runs have met them or not."""
        self.is_pipe = lines.is_pipe
        self._input, self._choose, self._numeric = lines, choose, numeric
        self._known = IdSet() if known is None else known
        self._fresh = fresh
        self._limit = 2**62 if limit is None else limit
        self._wall_ms = wall_ms or SystemClock().wall_ms
        self._lot: list[str] = []
        self._at = 0
        self._span = (lines.position_bytes or 0, lines.position_bytes or 0)
        self._rest: Iterator[str] = iter(())
        self._ended = False
        self._error: InputError | None = None
        self._undecodable = self._first_undecodable = 0
        self._long_ids = self._round_ids = 0
        self._format: Format | None = None
        self._begin()

    @property
    def is_read_whole(self) -> bool:
        """Nothing is left to be read."""
        return self._ended and self._at == len(self._lot)

    @property
    def total_bytes(self) -> int | None:
        """Size of the stored file (compressed, if it is); None for a pipe."""
        return self._input.total_bytes

    @property
    def position_bytes(self) -> int | None:
        """How far into the stored file the lines handed out reach; None for a pipe."""
        if self.is_pipe or self.total_bytes is None:
            return None
        start, end = self._span
        return start + (end - start) * self._at // max(1, len(self._lot))

    def read(self, n: int) -> list[Item | Failure]:
        """The next new IDs and bad lines, at most `n` (from 1 up); an empty list at the end, and only then. Blocks.

        Raises:
            InputError: the input cannot be read on, or is not in the encoding it was taken for.
        """
        if self._error is not None:
            raise self._error
        found: list[Item | Failure] = []
        try:
            while (room := min(n - len(found), self._limit - self.counts.items)) > 0:
                if self._at == len(self._lot) and ((found and self.is_pipe) or not self._refill()):
                    break  # what a pipe has brought is not kept waiting for what it has not
                self._take(found, room)
        except InputError as error:
            self._error = error
            raise
        self._look_for_rounding(found)
        return found

    def close(self) -> None:
        """Let go of the file. Stdin stays open."""
        self._input.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _begin(self) -> None:
        """Put aside what stands before the first ID, and settle the format."""
        while self._at < len(self._lot) or self._refill():
            line = self._lot[self._at]
            aside = self._aside(line)
            if aside is None:
                break
            self._at += 1
            self.counts.lines += 1
            self.counts.put_aside(aside)
        self._rest = iter(self._lot[self._at :])

    def _aside(self, line: str) -> Aside | None:
        if not line.strip(SPACES):
            return Aside.BLANK
        if self._format is None:
            self._format = self._choose(line)
        found = self._format.find(line)
        return found if isinstance(found, Aside) else None

    def _refill(self) -> bool:
        start = self._input.position_bytes or 0
        lot = [] if self._ended else self._input.lot()
        if not lot:
            self._ended = True  # a file that has grown since is not gone back to: the end was said
            self._judge_encoding(at_end=True)
            return False
        self._lot, self._at, self._rest = lot, 0, iter(lot)
        self._span = (start, self._input.position_bytes or 0)
        return True

    def _take(self, found: list[Item | Failure], room: int) -> None:
        """Go on through the lot by some lines, at most `room`. The usual ones, all numbers, take the short way."""
        counts, lines = self.counts, list(islice(self._rest, min(room, _TOGETHER)))
        first = counts.lines + 1
        if self._numeric and self._whole_lines() and _are_numbers(lines):
            self._take_numbers(found, lines, first)
            counts.lines += len(lines)
        else:
            for line in lines:
                counts.lines += 1
                if (outcome := self._judge(line, counts.lines)) is not None:
                    found.append(outcome)
        self._at += len(lines)

    def _take_numbers(self, found: list[Item | Failure], lines: list[str], first: int) -> None:
        counts, fresh = self.counts, self._fresh
        claims = self._known.claim_numbers(map(int, lines))
        for number, (line, claimed) in enumerate(zip(lines, claims, strict=True), first):
            if claimed is not Claim.NEW:
                counts.put_off(claimed)
            elif fresh is not None and line in fresh:
                counts.fresh += 1
            else:
                counts.items += 1
                found.append(Item(line, number))

    def _whole_lines(self) -> bool:
        return self._format is not None and self._format.whole_lines

    def _judge(self, line: str, number: int) -> Item | Failure | None:
        """Any line: an Item or a failure if it is new, else None; counted in any case."""
        if not line.strip(SPACES):
            self.counts.put_aside(Aside.BLANK)
            return None
        assert self._format is not None
        found = self._format.find(line)
        if isinstance(found, Aside):
            self.counts.put_aside(found)
            return None
        verdict = found if isinstance(found, Bad) else check_id(found, self._numeric)
        if isinstance(verdict, Bad):
            shown = found if isinstance(found, str) and found.strip(SPACES) else line
            return self._refuse(shown, verdict, number)
        if verdict.repair is not None:
            self.counts.repaired[verdict.repair] = self.counts.repaired.get(verdict.repair, 0) + 1
        if (claimed := self._known.claim(verdict.id)) is not Claim.NEW:
            self.counts.put_off(claimed)
            return None
        if self._fresh is not None and verdict.id in self._fresh:
            self.counts.fresh += 1
            return None
        self.counts.items += 1
        return Item(verdict.id, number)

    def _refuse(self, shown: str, verdict: Bad, number: int) -> Failure | None:
        if verdict.code == "undecodable":
            self._undecodable += 1
            self._first_undecodable = self._first_undecodable or number
            self._judge_encoding()
        failure = bad_id(shown, verdict, line=number, wall_ms=self._wall_ms())
        self.bad_ids.add(failure.id)
        if (claimed := self._known.claim(failure.id)) is not Claim.NEW:
            self.counts.put_off(claimed)
            return None
        self.counts.bad += 1
        return failure

    def _judge_encoding(self, at_end: bool = False) -> None:
        """A bad line is a bad line; but where most are undecodable, it is the encoding that is wrong."""
        encoding = self._input.encoding
        enough = 1 if at_end else _SUSPECT_LINES
        if encoding is None or self._undecodable < enough or self._undecodable * 2 <= self.counts.content:
            return
        raise InputError(
            f"line {self._first_undecodable} of {self._input.name} is not {encoding} text, nor are most others",
            "say how the file is encoded: " + ("--encoding gb18030" if encoding == "utf-8" else "--encoding utf-8"),
        )

    def _look_for_rounding(self, found: list[Item | Failure]) -> None:
        """One ID in a thousand ends in 000; when most do, a spreadsheet has rounded them."""
        if not self._numeric or self._long_ids >= _JUDGED_IDS or self.warnings:
            return
        long_ids = [item.id for item in found if type(item) is Item and len(item.id) >= _LONG_ID]
        self._long_ids += len(long_ids)
        self._round_ids += sum(long_id.endswith("000") for long_id in long_ids)
        if self._long_ids >= SUSPECT_IDS and self._round_ids * 2 > self._long_ids:
            self.warnings.append(
                f"{self._round_ids} of the first {self._long_ids} long IDs end in 000: they look rounded by a "
                "spreadsheet; format the column as text and export again"
            )


def _are_numbers(lines: list[str]) -> bool:
    """Canonical ones, of fewer than 19 digits."""
    text = "".join(lines)
    plain = text.isdigit() and text.isascii() and max(map(len, lines)) < _FAST_DIGITS
    return plain and {line[:1] for line in lines}.isdisjoint(("", "0"))
