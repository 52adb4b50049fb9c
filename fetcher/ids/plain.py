"""Plain text: one ID a line, `#` for comments, perhaps a heading. It knows no files."""

from __future__ import annotations

from fetcher.ids.found import Aside, Found, id_names, is_word
from fetcher.ids.lines import Spoilt


class Plain:
    """The format of `.txt`. The first line that is no comment may be a heading: a word without digits."""

    def __init__(self, *, numeric: bool, id_parameter: str) -> None:
        self.whole_lines = False
        self._numeric = numeric
        self._names = id_names(id_parameter)

    def find(self, line: str) -> Found:
        """See `Format`."""
        if line.lstrip().startswith("#"):
            return Aside.COMMENT
        if not self.whole_lines:
            self.whole_lines = True  # there is one heading at most
            if self._is_heading(line):
                return Aside.HEADER
        return line.bad if isinstance(line, Spoilt) else line

    def _is_heading(self, line: str) -> bool:
        if isinstance(line, Spoilt):
            return False
        return line.strip().strip("\"'").casefold() in self._names or (self._numeric and is_word(line))


class Given:
    """IDs that were handed over one by one: no comments, no heading."""

    whole_lines = True

    def find(self, line: str) -> Found:
        """See `Format`."""
        return line
