"""Where lines come from: a file, a pipe, stdin, or IDs at hand; and how far through it one is. The room's two doors."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from itertools import islice
from typing import BinaryIO

from fetcher.ids.formats import chooser
from fetcher.ids.lines import Lines
from fetcher.ids.opening import Opened, open_bytes
from fetcher.ids.plain import Given
from fetcher.ids.source import Source
from fetcher.idset import IdSet


class FileInput:
    """Lines of a file, a pipe or stdin."""

    def __init__(self, opened: Opened, encoding: str | None) -> None:
        self._opened = opened
        self._lines = Lines(opened.source.read, encoding)
        self.name = opened.name
        self.total_bytes = opened.stream.size_bytes
        self.is_pipe = self.total_bytes is None

    @property
    def position_bytes(self) -> int | None:
        """How far into the stored file; None for a pipe."""
        return None if self.is_pipe else self._opened.source.position_bytes

    @property
    def encoding(self) -> str:
        """As it turned out."""
        return self._lines.encoding

    def lot(self) -> list[str]:
        """See `Input`."""
        return self._lines.lot()

    def close(self) -> None:
        """See `Input`. Stdin stays open."""
        self._opened.stream.close()


class GivenInput:
    """IDs that somebody has at hand."""

    name = "the IDs given"
    is_pipe = False
    total_bytes: int | None = None
    position_bytes: int | None = None
    encoding: str | None = None

    def __init__(self, ids: Iterable[str]) -> None:
        self._ids = iter(ids)

    def lot(self) -> list[str]:
        """See `Input`."""
        return list(islice(self._ids, 1024))

    def close(self) -> None:
        """Nothing is held."""


def open_source(
    path: str,
    *,
    numeric: bool,
    id_parameter: str = "productID",
    column: str | None = None,
    field: str | None = None,
    encoding: str | None = None,
    limit: int | None = None,
    known: IdSet | None = None,
    fresh: IdSet | None = None,
    stdin: BinaryIO | None = None,
    wall_ms: Callable[[], int] | None = None,
) -> Source:
    """Open a file of IDs and read up to the first one. Blocks while a pipe has not brought it.

    Args:
        path: `.csv .tsv .jsonl .ndjson .json` say the format, anything else is plain text (JSON lines if the first line
            begins with `{`); each also with `.gz` or `.zst` after it; `-` is stdin. Compression is also told by the
            first bytes.
        numeric: the API takes numbers only.
        id_parameter: the API's name for an ID: the first column or field that is looked for.
        column: of a table, by name or by index counted from 1.
        field: of JSON lines; dots go into objects.
        encoding: of the text; unset: UTF-8. A byte order mark is believed before either.
        limit: end after so many IDs that are new.
        known: the IDs of earlier runs. Every ID that is read is claimed in it.
        fresh: IDs that need no call, since another file has them.
        stdin: in place of the process's own.
        wall_ms: the wall clock, for the stamp of failures.

    Raises:
        InputError: the file is missing, a directory, unreadable or truncated, has no such column, or is not in this
            encoding.
    """
    opened = open_bytes(path, stdin)
    with ExitStack() as stack:
        stack.callback(opened.stream.close)
        choose = chooser(opened.format_name, column=column, field=field, numeric=numeric, id_parameter=id_parameter)
        lines = FileInput(opened, encoding)
        source = Source(lines, choose, numeric=numeric, known=known, fresh=fresh, limit=limit, wall_ms=wall_ms)
        stack.pop_all()  # from here on it is the Source's
    return source


def source_of(
    ids: Iterable[str],
    *,
    numeric: bool,
    limit: int | None = None,
    known: IdSet | None = None,
    fresh: IdSet | None = None,
    wall_ms: Callable[[], int] | None = None,
) -> Source:
    """IDs that are at hand, read like a file with one ID a line: checked, counted, duplicates dropped."""
    lines = GivenInput(ids)
    return Source(lines, lambda _: Given(), numeric=numeric, known=known, fresh=fresh, limit=limit, wall_ms=wall_ms)
