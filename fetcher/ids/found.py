"""The words between input, formats and reader, and what all formats agree on: an ID's usual names, what a heading is.

It knows neither files nor counts.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Final, Protocol, TypeAlias

from fetcher.ids.check import Bad, check_id

USUAL_NAMES: Final = ("id", "product_id", "productId", "offerId")
"""Columns and fields that hold the ID, in the order in which they are looked for; the API's own name goes first."""

HEADER_CHARACTERS: Final = 64
"""A lone word that is longer is no heading."""


class Aside(Enum):
    """A line that holds no ID, and rightly so."""

    BLANK = auto()
    COMMENT = auto()
    HEADER = auto()


Found: TypeAlias = str | Aside | Bad


class Format(Protocol):
    """Finds the ID in a line. It may remember what came before (a header); asked twice, it says the same."""

    whole_lines: bool
    """From here on a line of nothing but digits is an ID. Spares the usual line most of the way."""

    def find(self, line: str) -> Found:
        """The ID's text, or why there is none. `line` has no line end and is not blank."""
        ...


class Input(Protocol):
    """Where lines come from."""

    name: str
    is_pipe: bool
    total_bytes: int | None

    @property
    def position_bytes(self) -> int | None:
        """How far into the stored file; None for a pipe."""
        ...

    @property
    def encoding(self) -> str | None:
        """What it was taken for; None where there are no bytes to decode."""
        ...

    def lot(self) -> list[str]:
        """Some lines; [] at the end. Raises `InputError`."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...


def id_names(id_parameter: str) -> tuple[str, ...]:
    """Names of the ID's column or field in the order of preference, in lower case."""
    return tuple(dict.fromkeys(name.casefold() for name in (id_parameter, *USUAL_NAMES)))


def is_word(text: str) -> bool:
    """Whether this is a word such as `id`, `product_id` or `商品编号`: letters only, no digit."""
    bare = text.strip().strip("\"'")
    return len(bare) <= HEADER_CHARACTERS and bare.replace("_", "").replace("-", "").replace(" ", "").isalpha()


def heads_column(cell: str, names: tuple[str, ...], *, numeric: bool) -> bool:
    """Whether a column's first cell is its heading, not an ID.

    A damaged ID must not be taken for a heading and vanish. So a cell with digits is one only if it starts with a
    letter; and where any text can be an ID, only the usual names are headings.
    """
    if cell.strip().casefold() in names:
        return True
    if not numeric or "://" in cell:
        return False
    verdict = check_id(cell, numeric=True)
    if not isinstance(verdict, Bad) or verdict.code == "control_character":
        return False
    return cell.strip()[:1].isalpha() or not any(character.isdigit() for character in cell)
