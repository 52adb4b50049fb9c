"""`fetcher config`: the settings as a run would find them, and where each of them comes from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

import click

from fetcher.cli.console import Console
from fetcher.cli.help import CONTEXT, Command, Examples
from fetcher.cli.options import given_flags, settings_options
from fetcher.settings import FIELDS, GROUPS, Field, Loaded, load

_EXAMPLES: Final = """
fetcher config show --origin                 # every setting, and where it comes from
fetcher config show --qps 20 --origin        # with the options that a run would have
fetcher config show --json | jq .qps.value
"""
_DEFAULT: Final = "default"
STARS: Final = "***"


class _Group(Examples, click.Group):
    """Shows its examples first."""

    examples = _EXAMPLES


@click.group("config", cls=_Group, context_settings=CONTEXT)
def command() -> None:
    """Show the settings as a run in this folder would find them. Nothing is sent."""


@command.command("show", cls=Command, examples=_EXAMPLES, headings=GROUPS)
@click.option("--origin", is_flag=True, help="say where each value comes from")
@click.option("--json", "as_json", is_flag=True, help="as JSON, for programs: value and origin of each")
@settings_options
@click.pass_context
def show(ctx: click.Context, /, origin: bool, as_json: bool, **_settings: Any) -> int:
    """Print every setting with its value; secrets as stars.

    A flag wins over the environment, that over .env, that over fetcher.toml, that over the default.
    """
    loaded = load(given_flags(ctx))
    (ctx.find_object(Console) or Console()).learn(loaded)
    if as_json:
        click.echo(json.dumps(_document(loaded), ensure_ascii=False, indent=2))
    else:
        for line in _lines(loaded, origin=origin):
            click.echo(line)
    return 0


def _document(loaded: Loaded) -> dict[str, Any]:
    return {
        _name(row): {
            "value": _plain(row, getattr(loaded.settings, row.name)),
            "origin": loaded.origins.get(row.name, _DEFAULT),
        }
        for row in FIELDS
    }


def _name(row: Field) -> str:
    """As fetcher.toml has it, so that a line can be copied there."""
    return row.key or row.name


def _plain(row: Field, value: Any) -> Any:
    if row.private:
        return None if value is None else STARS
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return list(value) if isinstance(value, tuple) else str(value)


def _lines(loaded: Loaded, *, origin: bool) -> Iterator[str]:
    """Under the headings of the help; what somebody has set is marked by its origin."""
    from fetcher.report import visible

    width = max(len(_name(row)) for row in FIELDS)
    for group in GROUPS:
        rows = [row for row in FIELDS if row.group == group]
        if rows:
            yield f"# {group}"
        for row in rows:
            value = getattr(loaded.settings, row.name)
            shown = _plain(row, value) if row.private else row.kind.toml(value)
            if value is None and row.kind.none_word is None:
                shown = "unset"
            where = f"  # {loaded.origins.get(row.name, _DEFAULT)}" if origin else ""
            yield visible(f"{_name(row):{width}} = {shown}{where}")
