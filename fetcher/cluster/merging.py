"""The parts become one OUT: joined byte by byte (lines, gzip members and zstd frames are all rows of whole pieces).

Each part is held against the sha256 of its commit on the way; OUT appears whole or not at all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any, BinaryIO, cast

from fetcher.cluster.records import Commit, File
from fetcher.cluster.store import Store, open_store
from fetcher.errors import OutputError


class _Hashing:
    """Writes on, and knows the digests of what has passed: of all, and since `mark`."""

    def __init__(self, target: BinaryIO) -> None:
        self._target = target
        self.whole, self.piece = hashlib.sha256(), hashlib.sha256()
        self.bytes = 0

    def mark(self) -> None:
        self.piece = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.whole.update(data)
        self.piece.update(data)
        self.bytes += len(data)
        return self._target.write(data)


def joined_into(place: str, parts: Store, files: Iterable[File]) -> File:
    """Join `files` of `parts` into the file at `place`.

    Raises:
        OutputError: the place refuses, or a part is not what its commit says.
    """
    folder, name = split(place)
    lines = 0
    with open_store(folder).writing(name) as target:
        out = _Hashing(target)
        for file in files:
            out.mark()
            try:
                parts.copy_to(file.name, cast("BinaryIO", out))
            except FileNotFoundError:
                raise _damaged(parts, file, "is gone") from None
            if out.piece.hexdigest() != file.sha256:
                raise _damaged(parts, file, "is not what was committed")
            lines += file.lines
    return File(place, lines, out.bytes, out.whole.hexdigest())


def damaged(parts: Store, files: Iterable[File]) -> list[str]:
    """Sentences about those that are gone or not what was committed."""
    found = []
    for file in files:
        out = _Hashing(cast("BinaryIO", _Nowhere()))
        try:
            parts.copy_to(file.name, cast("BinaryIO", out))
        except FileNotFoundError:
            found.append(f"{file.name} is gone")
            continue
        if out.whole.hexdigest() != file.sha256:
            found.append(f"{file.name} is not what was committed: its sha256 differs")
    return found


def files_of(commits: Iterable[Commit], *, failed: bool) -> list[File]:
    """The parts, or the failed files, in the order of the commits."""
    return [file for commit in commits for file in commit.files if (".failed." in file.name) == failed]


def split(place: str) -> tuple[str, str]:
    """Folder and name of a path or URI."""
    folder, _, name = place.rpartition("/")
    return folder or ("/" if place.startswith("/") else "."), name


def name_beside(out: str, place: str) -> str:
    """How a manifest names a file: without its folder where that is OUT's, so that both may be moved together."""
    folder, name = split(place)
    return name if folder == split(out)[0] else place


def place_beside(out: str, name: str) -> str:
    """Where that is now."""
    return name if "/" in name else f"{split(out)[0]}/{name}"


class _Nowhere:
    def write(self, data: Any) -> int:
        return len(data)


def _damaged(parts: Store, file: File, how: str) -> OutputError:
    return OutputError(
        f"{parts.place}/{file.name} {how}",
        "remove _job/commits/ of that part and run the same command again: its IDs are then fetched again",
    )
