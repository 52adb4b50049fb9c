"""What two finished files hold, read back from them: for whoever publishes them or keeps books over several."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from fetcher.errors import OutputError
from fetcher.output.compress import lines_in
from fetcher.output.disk import Disk, refused
from fetcher.output.journal import Journal
from fetcher.output.line import head_id, is_permanent, kind_of, whole


class Contents(msgspec.Struct):
    """IDs in the order of their lines, and what kinds of failures there are."""

    fetched: list[str] = []
    failed: list[str] = []
    permanent: int = 0
    """Failures that no further try can help."""
    by_kind: dict[str, int] = {}


def contents_of(out: str, failed: str) -> Contents:
    """Read both files to their ends; one that is not there is empty.

    Raises:
        OutputError: a line is torn or none of ours, or the disk refuses.
    """
    found = Contents()
    for line in _lines(out):
        found.fetched.append(_id_of(line, out))
    for line in _lines(failed):
        found.failed.append(_id_of(line, failed))
        found.permanent += is_permanent(line)
        kind = kind_of(line)
        found.by_kind[kind] = found.by_kind.get(kind, 0) + 1
    return found


def sha256_of(path: str) -> str:
    """Of the file as it is stored, in hex. Raises `OutputError`."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise refused(path, error) from None


def _id_of(line: bytes, path: str) -> str:
    found = head_id(line)
    if found is None or not whole(line):
        raise OutputError(
            f"{path} holds a line that is none of ours", "run the same command again: it mends what it can"
        )
    return found


def _lines(path: str) -> Iterator[bytes]:
    if not Path(path).exists():
        return
    good_bytes = 0
    try:
        for region, end in Journal(path, Disk()).regions():
            good_bytes = max(good_bytes, end)
            yield from lines_in(region)
        size_bytes = Path(path).stat().st_size
    except OSError as error:
        raise refused(path, error) from None
    if size_bytes > good_bytes:
        raise OutputError(f"{path} ends within a line", "run the same command again: it mends that")
