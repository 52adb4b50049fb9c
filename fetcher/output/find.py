"""What has become of one ID: looked up in OUT and the files beside it, without taking in all the others.

Files are searched for the line's first bytes, at the speed of the disk; it changes nothing and takes no lock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

from fetcher.errors import UsageError
from fetcher.output.attempts import read_attempts
from fetcher.output.disk import Disk
from fetcher.output.journal import Journal
from fetcher.output.opening import failed_path_of, unchanged_path_of

Ending: TypeAlias = Literal["fetched", "failed", "unchanged"]


class Found(msgspec.Struct, frozen=True):
    """A line about the ID."""

    ending: Ending
    path: str
    line: bytes
    """Without its newline."""
    on_the_way: bool = False
    """It lies beside the compressed file, as a killed run has left it or a run writes it just now."""


class Trace(msgspec.Struct, frozen=True):
    """All that the files say of one ID."""

    found: list[Found]
    in_doubt: bool
    """A call of it is noted whose answer is stored nowhere: by a run that was killed, or one that waits for it now."""


def find_id(product_id: str, out: str, failed: str | None = None) -> Trace:
    """Look it up.

    Args:
        product_id: as the input has it, put right.
        out: OUT's path.
        failed: the failed file's; None: by OUT's name.

    Raises:
        UsageError: OUT is not there.
    """
    if not Path(out).is_file():
        raise UsageError(f"there is no file {out}", "give the OUT of a run with -o")
    start = b'{"id":%b,"fetched_at":' % msgspec.json.encode(product_id)
    places: tuple[tuple[Ending, str], ...] = (
        ("fetched", out),
        ("failed", failed or failed_path_of(out)),
        ("unchanged", unchanged_path_of(out)),
    )
    found = [one for ending, path in places if Path(path).is_file() for one in _search(ending, path, start)]
    in_doubt = not found and product_id in read_attempts(str(Path(out).resolve()))
    return Trace(found, in_doubt)


def _search(ending: Ending, path: str, start: bytes) -> Iterator[Found]:
    journal = Journal(path, Disk())
    stored = [Found(ending, path, line) for line in _lines(start, (region for region, _ in journal.regions()))]
    yield from stored
    if journal.is_packed and not stored:
        waiting = (b"\n".join([*lines, b""]) for lines in journal.pending.lines())
        yield from (Found(ending, path, line, on_the_way=True) for line in _lines(start, waiting))


def _lines(start: bytes, regions: Iterable[bytes]) -> Iterator[bytes]:
    for region in regions:
        at = region.find(start)
        while at >= 0:
            if at == 0 or region[at - 1] == 0x0A:
                yield region[at : region.index(b"\n", at)]
            at = region.find(start, at + 1)
