"""`--known`: which IDs other files already hold, and how lately they were fetched. It reads and changes nothing."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from fetcher.errors import UsageError
from fetcher.idset import IdSet
from fetcher.output.compress import lines_in
from fetcher.output.content import stored
from fetcher.output.disk import Disk
from fetcher.output.journal import Journal
from fetcher.output.note import read_note

_OURS: Final = re.compile(
    rb'(?m)^\{"id":"([1-9][0-9]{0,17})","fetched_at":"([^"]{24})","attempts":[0-9]+,"latency_ms":[0-9.]+,"[cd]'
)
"""A product's line with a number for an ID, as nearly all are: one pass of a pattern then reads a whole region."""


def fresh_since_ms(out: str, age_s: float, wall_ms: int, *, overwrite: bool) -> int:
    """From when on a product counts as fetched lately, milliseconds since 1970 UTC.

    A run that goes on keeps to what its beginning has said, so that an ID which it passed over does not come due in
    mid-run. That stands in the note beside OUT; without it the time is reckoned anew, and nothing is lost.
    """
    if out != "-" and not overwrite and _has_lines(out):
        note = read_note(os.path.realpath(out))
        if note.skip_fresh_s == age_s:
            return note.fresh_since_ms
    return wall_ms - round(age_s * 1000)


def _has_lines(out: str) -> bool:
    """A run has stored something here. A note that has outlived its OUT says nothing."""
    path = Path(out)
    return path.is_file() and path.stat().st_size > 0


def read_known(paths: Iterable[str], since: str) -> IdSet:
    """IDs whose product stands in one of the files and was fetched at `since` or later.

    Args:
        paths: OUT files of earlier runs, or their lists of what was unchanged; plain, `.gz` or `.zst`.
        since: UTC as in `fetched_at`; empty: whenever.

    Raises:
        UsageError: a file is missing, or holds no product of ours.
    """
    found = IdSet()
    for path in paths:
        require_file(path, "--known")
        journal = Journal(path, Disk())
        found.reserve(len(found) + journal.expected_lines())
        lines = products = 0
        for region, _ in journal.regions():
            lines += region.count(b"\n")
            products += _enter(region, since.encode(), found)
        if lines and not products:
            raise UsageError(f"{path} holds no product of ours", "--known takes an OUT of an earlier run.")
    return found


def require_file(path: str, option: str) -> None:
    """Raises `UsageError` when there is no such file."""
    if not Path(path).is_file():
        raise UsageError(f"there is no file {path}", f"{option} takes an OUT of an earlier run.")


def _enter(region: bytes, since: bytes, found: IdSet) -> int:
    """Take in one region. Returns how many products it holds, fresh or not."""
    pairs = _OURS.findall(region)
    if len(pairs) == region.count(b"\n"):
        found.add_numbers([int(number) for number, fetched_at in pairs if fetched_at >= since])
        return len(pairs)
    count = 0
    for line in lines_in(region):
        product = stored(line)
        if product is not None:
            count += 1
            if product.fetched_at >= since:
                found.add(product.id)
    return count
