"""Opens the files that settings come from, and says whether others can read them. It must not know the settings."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import Any, Final

from fetcher.errors import UsageError

MAX_BYTES: Final = 1 << 20
"""No settings file is longer; the wrong file (a dump, a device) may be."""


class Opened:
    """A settings file that was read: its text, and whether others than its owner can read it too."""

    def __init__(self, path: Path, text: str, *, open_to_others: bool) -> None:
        self.path = path
        self.text = text
        self.open_to_others = open_to_others


def read_settings_file(path: Path) -> Opened:
    """The file's text, read through one descriptor, so that the mode belongs to what was read.

    Raises:
        UsageError: it is missing, a folder, unreadable, too long or not UTF-8.
    """
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or type(error).__name__}") from None
    if len(raw) > MAX_BYTES:
        raise UsageError(f"{path} is over 1 MiB long: that is no settings file")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{path} line {line} is not UTF-8", "Save the file as UTF-8.") from None
    others = os.name == "posix" and stat.S_ISREG(status.st_mode) and status.st_mode & (stat.S_IRGRP | stat.S_IROTH)
    return Opened(path, text, open_to_others=bool(others))


def parse_toml(opened: Opened) -> dict[str, Any]:
    """The file as a table.

    Raises:
        UsageError: it is not TOML; says where.
    """
    import tomllib

    try:
        return tomllib.loads(opened.text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(
            f"{opened.path} is not TOML: {error}", 'Texts stand in quotes there: api = "product". See `fetcher init`.'
        ) from None


def line_of_key(text: str, key: str) -> int | None:
    """The line of a TOML text that a key or table begins on, counted from 1; None when it is written in another way."""
    found = re.search(rf"""^[ \t]*\[*[ \t]*["']?{re.escape(key)}["']?[ \t]*[=.\]]""", text, re.MULTILINE)
    return text.count("\n", 0, found.start()) + 1 if found else None
