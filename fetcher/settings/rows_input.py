"""Rows of the table: how the input is read."""

from __future__ import annotations

from typing import Final

from fetcher.settings.groups import INPUT
from fetcher.settings.kinds import Encoding, Number, Text
from fetcher.settings.table import rows, setting

_COUNT: Final = Number(least=1, whole=True, none_word="none")


@rows
class InputRows:
    """A part of `Settings`."""

    ids_column: str | None = setting(
        None,
        (INPUT, "column of a .csv or .tsv, by name or index", Text("NAME|INDEX")),
        flag="--id-column",
        key="id_column",
        env=False,
    )
    ids_field: str | None = setting(
        None,
        (INPUT, "field of a .jsonl line, dotted: item.id", Text("NAME")),
        flag="--id-field",
        key="id_field",
        env=False,
    )
    encoding: str | None = setting(None, (INPUT, "text encoding of IDS; unset: UTF-8", Encoding("NAME")), env=False)
    limit: int | None = setting(None, (INPUT, "stop after so many new IDs", _COUNT), env=False)
