"""Kinds of settings with parts: the API's extra parameters, and when too many IDs have failed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fetcher.settings.kinds import Kind, has_control, quoted, shown


class Parameters(Kind):
    """Extra API parameters: pairs of texts, each name once."""

    metavar = "K=V"

    def parse(self, text: str) -> Any:
        return self.check([text])

    def accept(self, value: Any) -> Any:
        return () if value is None else self.check(value)

    def check(self, value: Any) -> tuple[tuple[str, str], ...]:
        if isinstance(value, str | bytes) or not isinstance(value, Iterable):
            raise ValueError("must be a table of names and values, or a list of 'K=V'")
        pairs = [_pair(each) for each in (value.items() if isinstance(value, Mapping) else value)]
        names = [name for name, _ in pairs]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"names {shown(twice)} twice")
        return tuple(pairs)

    def toml(self, value: Any) -> str:
        return "{ " + ", ".join(f"{quoted(name)} = {quoted(text)}" for name, text in value) + " }" if value else "{}"


class Tables(Kind):
    """Named tables, which somebody else understands: `[apis.NAME]`. Kept as pairs of name and table."""

    def accept(self, value: Any) -> Any:
        return () if value is None else self.check(value)

    def check(self, value: Any) -> tuple[tuple[str, dict[str, Any]], ...]:
        pairs = list(value.items()) if isinstance(value, Mapping) else value
        try:
            return tuple((str(name), dict(table)) for name, table in pairs)
        except (TypeError, ValueError):
            raise ValueError("must be tables with a name each: [apis.NAME]") from None

    def toml(self, value: Any) -> str:
        return "{}"


def _pair(given: Any) -> tuple[str, str]:
    """`K=V` or (K, V) as two texts. Booleans and numbers become the text that the gateway signs."""
    if isinstance(given, str):
        name, equals, value = given.partition("=")
        if not equals:
            raise ValueError("must be K=V: an '=' is missing")
    else:
        try:
            name, value = given
        except (TypeError, ValueError):
            raise ValueError("must be pairs of a name and a value") from None
    if isinstance(value, bool):
        value = "true" if value else "false"
    elif isinstance(value, int):
        value = str(value)
    if not isinstance(name, str) or not name.strip() or has_control(name):
        raise ValueError("must be K=V: the name is empty or has control characters")
    if not isinstance(value, str):
        raise ValueError(f"must have a text as the value of {shown(name)}")
    return name.strip(), value


@dataclass(frozen=True)
class ErrorLimit:
    """When too many IDs have failed: a number of them, or a part of those that were decided. One of the two is set."""

    count: int | None = None
    percent: float | None = None

    def __str__(self) -> str:
        return str(self.count) if self.percent is None else f"{self.percent:g}%"


class ErrorLimitKind(Kind):
    """`100` or `5%`."""

    metavar = "N|P%"
    none_word = "none"

    def check(self, value: Any) -> ErrorLimit:
        if isinstance(value, ErrorLimit):
            return value
        if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
            return ErrorLimit(count=value)
        if isinstance(value, str) and value.isascii():
            number = value.strip().removesuffix("%")
            percent = value.strip().endswith("%")
            if not percent and number.isdigit() and int(number) >= 1:
                return ErrorLimit(count=int(number))
            if percent and number.replace(".", "", 1).isdigit() and 0 < float(number) <= 100:
                return ErrorLimit(percent=float(number))
        raise ValueError(f"must be a number of IDs (100) or a part of them (5%), not {shown(value)}")
