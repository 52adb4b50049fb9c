"""What stands between fences in the README and in docs/, and how it is run.

A block of shell or Python is run as it stands, in the order of its page, in a folder with a few files and a sandbox
behind the usual variables. A comment on the line before its fence may say otherwise:

    <!-- not run: why -->       it is not run
    <!-- exit 1 -->             the code with which it ends, if that is not 0
    <!-- output -->             (before a `text` block) what the block above prints; numbers may differ
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted(path.relative_to(ROOT).as_posix() for path in (*ROOT.glob("README*.md"), *ROOT.glob("docs/*.md")))
READERS = ("duckdb", "polars", "pandas")
"""Packages that an example may use and that fetcher does not need."""

_FENCE = re.compile(
    r"(?:^<!-- (?P<note>.+?) -->\n)?^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
_DIGITS = re.compile(r"\d[\d .,]*")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    page: str
    line: int
    language: str
    note: str
    text: str

    @property
    def runs(self) -> bool:
        """Whether it is an example that must work."""
        return self.language in ("sh", "python") and not self.note.startswith("not run: ")

    @property
    def lines(self) -> list[str]:
        """As they stand."""
        return self.text.splitlines()

    @property
    def exit_code(self) -> int:
        """The one that it says it ends with."""
        return int(self.note.removeprefix("exit ")) if self.note.startswith("exit ") else 0

    @property
    def is_output(self) -> bool:
        """Whether it shows what the block above prints."""
        return self.language == "text" and self.note == "output"

    @property
    def needs(self) -> str | None:
        """The package without which it cannot run, of `READERS`."""
        return next((name for name in READERS if re.search(rf"^\s*import {name}\b", self.text, re.MULTILINE)), None)


def blocks(page: str) -> list[Block]:
    """All fenced blocks of a page, in its order."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return [
        Block(
            page,
            1 + text.count("\n", 0, found.start("language")),
            found["language"],
            found["note"] or "",
            found["text"],
        )
        for found in _FENCE.finditer(text)
    ]


def without_numbers(text: str) -> list[str]:
    """Lines in which every number is the same, and nothing hangs on how many spaces stand between words."""
    return [" ".join(_DIGITS.sub("0 ", line).split()) for line in text.splitlines() if line.strip()]
