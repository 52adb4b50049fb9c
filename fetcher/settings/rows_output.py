"""Rows of the table: where outcomes go, and what becomes of what is there already."""

from __future__ import annotations

from typing import Any, Final

from fetcher.settings.compound import FieldList
from fetcher.settings.groups import OUTPUT
from fetcher.settings.kinds import Choice, Flag, Number, PathText
from fetcher.settings.table import Converted, rows, setting

_SECONDS: Final = Number(above=0, most=86_400, metavar="S")


@rows
class OutputRows:
    """A part of `Settings`."""

    failed: str | None = setting(
        None, (OUTPUT, "where failures go; unset: OUT with .failed.jsonl", PathText()), env=False
    )
    overwrite: bool = setting(False, (OUTPUT, "start anew; without it a run resumes OUT", Flag()), env=False, key=False)
    retry_failed: str = setting(
        "transient",
        (OUTPUT, "which earlier failures a resumed run tries again", Choice("transient", "all", "none")),
        env=False,
    )
    on_doubt: str = setting(
        "retry",
        (
            OUTPUT,
            "calls of a killed run that may have been charged: fetch again, or hold back",
            Choice("retry", "hold"),
        ),
        env=False,
    )
    attempt_journal: str = setting(
        "auto",
        (
            OUTPUT,
            "note IDs before they are called; auto: where calls have a price or a limit",
            Choice("auto", "on", "off"),
        ),
    )
    keep: Converted[tuple[str, ...], Any] = setting(
        (),
        (OUTPUT, "store only these fields of data, such as result.items.*.price; repeatable", FieldList()),
        env=False,
    )
    drop: Converted[tuple[str, ...], Any] = setting(
        (), (OUTPUT, "leave these fields of data out of what is stored; repeatable", FieldList()), env=False
    )
    sync_interval_s: float = setting(
        1.0, (OUTPUT, "seconds until a stored line is sure to survive a power cut", _SECONDS), flag=False
    )
