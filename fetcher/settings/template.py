"""Writes the commented `fetcher.toml`, from the table alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from textwrap import wrap
from typing import Any

from fetcher.secret import Secret
from fetcher.settings.fields import FIELDS
from fetcher.settings.groups import GROUPS
from fetcher.settings.kinds import quoted
from fetcher.settings.table import Field

_HEAD = """\
# Settings of fetcher, read from the folder that it is started in (or from --config FILE).
# Every line shows the default: take the # away and change the value.
# Stronger than this file: options, then FETCHER_… variables, then .env.
# With a secret inside, keep the file to yourself: chmod 600 fetcher.toml
"""


def template(values: Mapping[str, Any] | None = None) -> str:
    """The text of a `fetcher.toml`. A line that sets something begins with `#` and no space.

    Args:
        values: setting's name → value, of those that are switched on; without any the file changes nothing.
    """
    given = values or {}
    sections = (
        f"\n# --- {group} ---\n\n{''.join(_rows(group, given)).rstrip()}\n" for group in GROUPS if any(_keyed(group))
    )
    return _HEAD + "".join(sections)


def _keyed(group: str) -> Iterator[Field]:
    return (row for row in FIELDS if row.group == group and row.key)


def _rows(group: str, given: Mapping[str, Any]) -> Iterator[str]:
    for row in _keyed(group):
        words = row.kind.choices()
        possible = f" ({', '.join(words)})" if len(words) > 1 else ""
        for line in wrap(f"{row.help[0].upper()}{row.help[1:]}{possible}.", 110):
            yield f"# {line}\n"
        if row.name in given:
            value = given[row.name]
            yield f"{row.key} = {quoted(value.reveal()) if isinstance(value, Secret) else row.kind.toml(value)}\n\n"
        else:
            yield f"#{row.key} = {row.kind.toml(row.default)}\n\n"
