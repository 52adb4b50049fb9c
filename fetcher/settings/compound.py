"""Kinds of settings with parts: the API's extra parameters, and when too many IDs have failed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fetcher.settings.kinds import Kind, has_control, quoted, shown


class Parameters(Kind):
    """Extra API parameters: pairs of texts, each name once."""

    metavar = "K=V"
    repeats = True

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


class TextList(Kind):
    """Texts, in the order in which they were given: an option that may be repeated, or a list in a file."""

    repeats = True

    def parse(self, text: str) -> Any:
        return self.check([text])

    def accept(self, value: Any) -> Any:
        return () if value is None else self.check(value)

    def check(self, value: Any) -> tuple[str, ...]:
        texts = [value] if isinstance(value, str) or hasattr(value, "__fspath__") else value
        if not isinstance(texts, Iterable) or isinstance(texts, bytes | Mapping):
            raise ValueError("must be a list of texts")
        return tuple(self.one(each.__fspath__() if hasattr(each, "__fspath__") else each) for each in texts)

    def one(self, text: Any) -> str:
        """One of the texts, checked."""
        if not isinstance(text, str) or not text or has_control(text):
            raise ValueError(f"must be texts without control characters, not {shown(text)}")
        return text

    def toml(self, value: Any) -> str:
        return f"[{', '.join(map(quoted, value))}]"


class PathList(TextList):
    """Paths of files."""

    metavar = "PATH"


class FieldList(TextList):
    """Fields of an answer, dotted: see `field_steps`."""

    metavar = "FIELD"

    def one(self, text: Any) -> str:
        field_steps(super().one(text))
        return text  # type: ignore[no-any-return]


def field_steps(text: str) -> tuple[str, ...]:
    r"""The steps of a dotted path: `result.items.*.name` → `("result", "items", "*", "name")`.

    A step leads into each element of a list without being told so; `*` is any member or element, `items[]` and
    `items[*]` are `items.*`, and `\.` is a dot in a name.

    Raises:
        ValueError: a step is empty.
    """
    plain = text.replace("[*]", ".*").replace("[]", ".*").replace("\\.", "\0")
    steps = tuple(step.replace("\0", ".") for step in plain.split("."))
    if not all(steps):
        raise ValueError(f"must be a field such as result.buyer.name, not {shown(text)}")
    return steps


_AGES: Final = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
_LONGEST_AGE_S: Final = 1e9


class Age(Kind):
    """How long ago: `7d`, `12h`, `30m`, `90s`, `2w`; seconds as a number."""

    metavar = "AGE"
    none_word = "none"

    def check(self, value: Any) -> float:
        seconds = -1.0
        if isinstance(value, int | float) and not isinstance(value, bool):
            seconds = float(value)
        elif isinstance(value, str) and value.isascii() and value[-1:] in _AGES:
            number = value[:-1].strip()
            seconds = float(number) * _AGES[value[-1]] if number.replace(".", "", 1).isdigit() else -1.0
        if not 0 < seconds <= _LONGEST_AGE_S:
            raise ValueError(f"must be an age such as 7d, 12h, 30m or 90s, not {shown(value)}")
        return seconds

    def toml(self, value: Any) -> str:
        return super().toml(value if value is None else f"{value:g}s")
