"""JSON Lines: an object with the ID in one of its fields, or the bare ID, on each line. It knows no files."""

from __future__ import annotations

import json
from typing import Any

from fetcher.ids.check import Bad
from fetcher.ids.found import Found, id_names
from fetcher.ids.lines import Spoilt


class JsonLines:
    """The format of `.jsonl` and `.ndjson`.

    Numbers are taken as they are written, so neither size nor exponent is lost on the way.
    """

    def __init__(self, field: str | None, *, id_parameter: str) -> None:
        """`field` is a name or a dotted path (`item.id`); None: the first of the usual names that an object has."""
        self.whole_lines = True  # a bare number is a JSON value
        self._field = field
        self._names = id_names(id_parameter)
        self._guess: str | None = None

    def find(self, line: str) -> Found:
        """See `Format`."""
        if isinstance(line, Spoilt):
            return line.bad
        try:
            value = json.loads(line, parse_int=str, parse_float=str, parse_constant=str)
        except (ValueError, RecursionError):  # RecursionError: thousands of brackets
            return Bad("not_json", "is not a JSON value")
        if isinstance(value, dict):
            value = self._of(value)
        if isinstance(value, str | Bad):
            return value
        if isinstance(value, list):
            return Bad("json_array", "is a JSON array: one value a line")
        return Bad("no_id", "the ID is neither a text nor a number")

    def _of(self, record: dict[str, Any]) -> Any:
        if self._field is not None:
            return _walk(record, self._field)
        if self._guess not in record:
            self._guess = next((key for name in self._names for key in record if key.casefold() == name), None)
        if self._guess is None:
            return Bad("no_field", "has no field that is named like an ID: say which with --id-field")
        return record[self._guess]


def _walk(record: dict[str, Any], path: str) -> Any:
    if path in record:  # a name may hold a dot itself
        return record[path]
    value: Any = record
    for name in path.split("."):
        if not isinstance(value, dict) or name not in value:
            return Bad("no_field", "has no such field")
        value = value[name]
    return value
