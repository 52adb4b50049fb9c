"""The kinds of values that a setting can have: how each is read from text, checked, and written as TOML.

A kind knows nothing of names, files or options. What is wrong with a value is a `ValueError` whose text completes the
sentence "qps …" and never contains a secret.
"""

from __future__ import annotations

import math
from contextlib import suppress
from typing import Any, Final

from fetcher.secret import Secret
from fetcher.settings.spelling import did_you_mean

SHOWN: Final = 60
"""Characters of a wrong value that a message repeats."""


def shown(value: object) -> str:
    """A value as a message repeats it."""
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def has_control(text: str) -> bool:
    """Whether the text has control characters (C0, DEL, C1), which no setting needs."""
    return any(ord(each) < 0x20 or 0x7F <= ord(each) < 0xA0 for each in text)


class Kind:
    """One kind of value. `parse` takes the text of an option or a variable, `accept` a value from Python or TOML."""

    metavar: str = "TEXT"
    none_word: str | None = None
    """The text that stands for None, such as `auto`; without one, empty text does."""
    repeats = False
    """An option of this kind may be given several times."""

    def parse(self, text: str) -> Any:
        """The value that a text means.

        Raises:
            ValueError: it means none; the text says why.
        """
        text = text.strip()
        return None if text == (self.none_word or "") else self.convert(text)

    def accept(self, value: Any) -> Any:
        """The value as it is kept, checked.

        Raises:
            ValueError: it is not one of this kind; the text says why.
        """
        if value is None or (isinstance(value, str) and value == (self.none_word or "")):
            return None
        return self.check(value)

    def convert(self, text: str) -> Any:
        """What `parse` does with a text that is not None's."""
        return self.check(text)

    def check(self, value: Any) -> Any:
        """What `accept` does with a value that is not None's."""
        raise NotImplementedError

    def toml(self, value: Any) -> str:
        """The value as the right side of a TOML line."""
        return quoted((self.none_word or "") if value is None else str(value))

    def choices(self) -> tuple[str, ...]:
        """All values there are, when they are few (for completion and help)."""
        return (self.none_word,) if self.none_word else ()


def quoted(text: str) -> str:
    """A text as a TOML basic string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


class Text(Kind):
    """Any text without control characters."""

    def __init__(self, metavar: str = "TEXT") -> None:
        self.metavar = metavar

    def check(self, value: Any) -> str:
        if not isinstance(value, str):
            raise ValueError(f"must be text, not {shown(value)}")
        if has_control(value):
            raise ValueError("contains a control character or a line break")
        return value


class PathText(Text):
    """The path of a file."""

    def __init__(self) -> None:
        super().__init__("PATH")

    def check(self, value: Any) -> str:
        return super().check(value.__fspath__() if hasattr(value, "__fspath__") else value)


class Encoding(Text):
    """The name of a text encoding that this Python knows."""

    def check(self, value: Any) -> str:
        name = super().check(value)
        try:
            b"0".decode(name, "replace")  # an empty text is decoded without looking the name up
        except LookupError:
            near = did_you_mean(name, ("utf-8", "utf-16", "gb18030", "gbk", "gb2312", "big5", "latin-1", "shift_jis"))
            raise ValueError(f"{shown(name)} is not a text encoding{near}") from None
        return name


class AppKey(Text):
    """An app key: it becomes a part of the URL's path, so nothing that would change the path is let in."""

    def check(self, value: Any) -> str:
        if isinstance(value, int) and not isinstance(
            value, bool
        ):  # keys are digits; TOML invites to leave the quotes out
            value = str(value)
        key = super().check(value)
        if not (key.isascii() and key.replace("_", "").replace("-", "").replace(".", "").isalnum()):
            raise ValueError("is not an app key: letters, digits, '_', '-' and '.' only")
        return key


class Choice(Kind):
    """One of a few words."""

    def __init__(self, *words: str) -> None:
        self.words = words
        self.metavar = "|".join(words)

    def check(self, value: Any) -> str:
        if not isinstance(value, str) or value not in self.words:
            near = did_you_mean(value, self.words) if isinstance(value, str) else ""
            raise ValueError(f"must be {' or '.join(self.words)}, not {shown(value)}{near}")
        return value

    def choices(self) -> tuple[str, ...]:
        return self.words


class Upper(Choice):
    """One of a few words, in capitals; small letters are taken too."""

    def check(self, value: Any) -> str:
        return super().check(value.upper() if isinstance(value, str) else value)


_TRUE: Final = frozenset({"1", "true", "yes", "on"})
_FALSE: Final = frozenset({"0", "false", "no", "off"})


class Flag(Kind):
    """Yes or no."""

    metavar = ""

    def convert(self, text: str) -> bool:
        if text.lower() in _TRUE | _FALSE:
            return text.lower() in _TRUE
        raise ValueError(f"must be true or false, not {shown(text)}")

    def check(self, value: Any) -> bool:
        if not isinstance(value, bool):
            raise ValueError(f"must be true or false, not {shown(value)}")
        return value

    def toml(self, value: Any) -> str:
        return "true" if value else "false"


class Number(Kind):
    """A number within bounds, whole ones only if `whole`; `none_word` stands for None."""

    def __init__(
        self,
        *,
        above: float | None = None,
        least: float | None = None,
        most: float = math.inf,
        whole: bool = False,
        none_word: str | None = None,
        metavar: str = "N",
    ) -> None:
        self.above, self.least, self.most, self.whole = above, least, most, whole
        self.none_word = none_word
        self.metavar = metavar if none_word in (None, "none") else f"{metavar}|{none_word}"

    def convert(self, text: str) -> float | int:
        if self.metavar.startswith("PCT"):
            text = text.removesuffix("%")
        value: float | None = None
        if text.isascii() and "_" not in text:  # int() and float() take '1_000' and full-width digits
            with suppress(ValueError):
                value = int(text) if self.whole else float(text)
        if value is None or not self._within(value):
            raise ValueError(self._wanted(text))
        return value

    def check(self, value: Any) -> float | int:
        right_type = isinstance(value, int) if self.whole else isinstance(value, int | float)
        if not right_type or isinstance(value, bool) or not self._within(value):
            raise ValueError(self._wanted(value))
        return int(value) if self.whole else float(value)

    def _within(self, value: float) -> bool:
        if isinstance(value, float) and not math.isfinite(value):
            return False
        if self.above is not None and value <= self.above:
            return False
        return (self.least is None or value >= self.least) and value <= self.most

    def _wanted(self, value: object) -> str:
        bounds = []
        if self.above is not None:
            bounds.append(f"above {self.above:g}")
        if self.least is not None:
            bounds.append(f"at least {self.least:g}")
        if self.most != math.inf:
            bounds.append(f"at most {self.most:.0f}")
        noun = "a whole number" if self.whole else "a number"
        word = f" or '{self.none_word}'" if self.none_word else ""
        return f"must be {noun}{' ' if bounds else ''}{' and '.join(bounds)}{word}, not {shown(value)}"

    def toml(self, value: Any) -> str:
        return super().toml(None) if value is None else f"{value:g}" if value < 1e6 else str(value)


class SecretText(Kind):
    """A secret. What is wrong with one is said without repeating it."""

    metavar = "SECRET"

    def check(self, value: Any) -> Secret:
        text = value.reveal() if isinstance(value, Secret) else value
        if not isinstance(text, str):
            raise ValueError("must be text in quotes (the value is not shown)")
        if not text or has_control(text):
            raise ValueError("is empty or contains a control character or line break (the value is not shown)")
        return Secret(text)
