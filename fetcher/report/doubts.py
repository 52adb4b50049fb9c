"""Calls that may have been charged without their answer being stored: how many, which, and what becomes of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from fetcher.report.figures import number

NAMED: Final = 10
"""How many IDs a sentence names; the summary names all."""


class Doubts(msgspec.Struct, frozen=True, kw_only=True):
    """IDs of such calls."""

    earlier: tuple[str, ...] = ()
    """Called by runs that were killed before this one."""
    held: bool = False
    """Those are held back in the failed file; otherwise they were to be done again."""
    open: tuple[str, ...] = ()
    """Called, and neither answered nor stored when this run ended."""
    noted: bool = False
    """This run noted its calls, so `open` is complete after a kill, too."""

    def __bool__(self) -> bool:
        return bool(self.earlier or self.open)


def doubt_lines(doubts: Doubts) -> Iterator[str]:
    """One sentence for each kind there is."""
    if doubts.earlier:
        fate = "held back in the failed file; --on-doubt retry fetches them" if doubts.held else "fetched again"
        yield f"in doubt from an earlier run: {_named(doubts.earlier)} may have been charged, answer not stored; {fate}"
    if doubts.open:
        yield (
            f"in doubt: {_named(doubts.open)} may have been charged, answer not stored; the next run fetches them "
            "again, or with --on-doubt hold keeps them back"
        )


def _named(ids: Sequence[str]) -> str:
    more = f" and {number(len(ids) - NAMED)} more" if len(ids) > NAMED else ""
    return f"{number(len(ids))} {'call' if len(ids) == 1 else 'calls'} ({', '.join(ids[:NAMED])}{more})"


def doubt_document(doubts: Doubts) -> dict[str, Any]:
    """For the summary."""
    return {"noted": doubts.noted, "earlier": list(doubts.earlier), "held": doubts.held, "open": list(doubts.open)}
