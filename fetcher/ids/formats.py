"""Which format an input has: by its name, by what was asked of it, else by its first line."""

from __future__ import annotations

from collections.abc import Callable

from fetcher.errors import InputError
from fetcher.ids.found import Format
from fetcher.ids.plain import Plain


def chooser(
    format_name: str | None, *, column: str | None, field: str | None, numeric: bool, id_parameter: str
) -> Callable[[str], Format]:
    """A function from the first line that is not blank to the format.

    Where the name says nothing (`.txt`, stdin, anything else), `column` means CSV or TSV and `field` means JSON Lines;
    without either a first line that begins with `{` means JSON Lines, and anything else is plain text.

    Raises:
        InputError: a column of JSON was asked for, or a field of a table.
    """
    if column is not None and (field is not None or format_name == "jsonl"):
        raise InputError("--id-column is for .csv and .tsv", "the ID's field in JSON lines is said with --id-field")
    if field is not None and format_name in ("csv", "tsv"):
        raise InputError("--id-field is for JSON lines", "the ID's column in a table is said with --id-column")

    def choose(first_line: str) -> Format:
        name = format_name or ("csv" if column is not None else "jsonl" if field is not None else None)
        if name in ("csv", "tsv"):
            from fetcher.ids.delimited import Delimited

            delimiter = "\t" if name == "tsv" else None
            return Delimited(column, numeric=numeric, id_parameter=id_parameter, delimiter=delimiter)
        if name == "jsonl" or first_line.lstrip().startswith("{"):
            from fetcher.ids.jsonl import JsonLines

            return JsonLines(field, id_parameter=id_parameter)
        return Plain(numeric=numeric, id_parameter=id_parameter)

    return choose
