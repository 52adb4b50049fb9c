"""CSV and TSV: which column holds the ID, and the ID's cell of a line. It knows no files.

Each line is read on its own: IDs hold no line ends, and an unclosed quote can then spoil one line, not the rest of the
file.
"""

from __future__ import annotations

import csv
import re
from typing import Final

from fetcher.errors import InputError
from fetcher.ids.check import SPACES, Bad, check_id, shown_id
from fetcher.ids.found import Aside, Found, heads_column, id_names
from fetcher.ids.lines import Spoilt

DELIMITERS: Final = ",;\t"
"""Tried on the first line; in doubt the first."""

_COLUMNS_SHOWN: Final = 20
_QUOTED = re.compile('"[^"]*"')


class Delimited:
    """The format of `.csv` and `.tsv`. The first line that is not blank decides: delimiter, heading, column."""

    def __init__(self, column: str | None, *, numeric: bool, id_parameter: str, delimiter: str | None = None) -> None:
        """`column` is a name or an index counted from 1; None: a usual name, else the first column."""
        self.whole_lines = False
        self._column = column
        self._numeric = numeric
        self._names = id_names(id_parameter)
        self._delimiter = delimiter
        self._index: int | None = None

    def find(self, line: str) -> Found:
        """See `Format`.

        Raises:
            InputError: on the first line: there is no such column.
        """
        if isinstance(line, Spoilt) and not line.loose:
            return line.bad
        loose = line.loose if isinstance(line, Spoilt) else line
        if self._index is None and (self._names_delimiter(loose) or self._begin(loose)):
            return Aside.HEADER
        assert self._index is not None
        cell = self._cell(loose, self._index)
        if isinstance(line, Spoilt) and (isinstance(cell, Bad) or "\ufffd" in cell):
            return line.bad  # otherwise the damage is in another column, and the ID is whole
        if cell == "" and not loose.strip(f'{SPACES}{self._delimiter}"'):
            return Aside.BLANK
        return cell

    def _names_delimiter(self, line: str) -> bool:
        """Excel's own first line: `sep=;`."""
        if self._delimiter is None and len(line) == 5 and line.lower().startswith("sep="):
            self._delimiter = line[4]
            return True
        return False

    def _begin(self, line: str) -> bool:
        """Settle delimiter and column. True: the line is the heading."""
        self._delimiter = self._delimiter or self._likely_delimiter(line)
        cells = [cell.strip(SPACES) for cell in self._row(line) or line.split(self._delimiter)]
        lower = [cell.casefold() for cell in cells]
        if self._column is not None:
            self._index, named = self._chosen(cells, lower, self._column)
        else:
            usual = next((lower.index(name) for name in self._names if name in lower), None)
            self._index, named = usual or 0, usual is not None
        return named or heads_column(cells[self._index], self._names, numeric=self._numeric)

    def _likely_delimiter(self, line: str) -> str:
        """The most frequent one outside of quotes; where there is no heading, one that leaves an ID standing."""
        bare = _QUOTED.sub("", line)

        def likelihood(delimiter: str) -> tuple[bool, int]:
            cells = bare.split(delimiter)
            return self._numeric and any(check_id(cell, numeric=True).id for cell in cells), len(cells)

        return max(DELIMITERS, key=likelihood)

    def _chosen(self, cells: list[str], lower: list[str], column: str) -> tuple[int, bool]:
        """The column asked for: (index from 0, whether the line names it)."""
        if column in cells:
            return cells.index(column), True
        if column.strip().casefold() in lower:
            return lower.index(column.strip().casefold()), True
        if column.isascii() and column.isdigit() and 1 <= int(column[:9]) <= len(cells):
            return int(column[:9]) - 1, False
        names = ", ".join(shown_id(cell) for cell in cells[:_COLUMNS_SHOWN])
        more = f" and {len(cells) - _COLUMNS_SHOWN} more" if len(cells) > _COLUMNS_SHOWN else ""
        advice = "--id-column takes a name or an index, counted from 1"
        if any("\ufffd" in cell for cell in cells):
            advice = "the heading is not UTF-8: try --encoding gb18030"
        raise InputError(f"there is no column {shown_id(column)!r}; the first line has: {names}{more}", advice)

    def _cell(self, line: str, index: int) -> str | Bad:
        row = self._row(line)
        if row is None:
            return Bad("unclosed_quote", "a quote is opened and not closed on this line")
        if index >= len(row):
            return Bad("no_column", f"has {len(row)} columns; the ID is expected in column {index + 1}")
        return row[index].strip(SPACES)

    def _row(self, line: str) -> list[str] | None:
        """The cells, or None where a quote is not closed."""
        assert self._delimiter is not None
        if '"' not in line:
            return line.split(self._delimiter)
        # The reader takes an unclosed quote in silence. A last cell of ours tells: inside a quote it is not seen.
        *row, last = next(csv.reader([f"{line}{self._delimiter}end"], delimiter=self._delimiter))
        return row if last == "end" else None
