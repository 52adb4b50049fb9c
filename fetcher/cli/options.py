"""Options made from the settings table: what may be said on the command line, under which heading, with which help.

It must not know what a setting does.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, NoReturn, TypeVar

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from fetcher.errors import FetcherError, UsageError
from fetcher.settings import FIELDS, GROUPS, Field
from fetcher.settings.compound import PathList
from fetcher.settings.kinds import Flag, PathText

_Decorated = TypeVar("_Decorated", bound=Callable[..., Any])

NEVER_AN_OPTION: Final = (
    "FETCHER_APP_SECRET, FETCHER_ACCESS_TOKEN, FETCHER_REFRESH_TOKEN: environment, .env, fetcher.toml or --secrets"
)


class HeadedOption(click.Option):
    """An option that knows its heading in the help."""

    def __init__(self, *args: Any, heading: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.heading = heading


class SettingOption(HeadedOption):
    """A row of the table as an option. Its text is passed on as it came, for the table to parse."""

    def __init__(self, row: Field) -> None:
        names = [name for name in (row.short, row.flag) if name]
        shape: dict[str, Any] = {"is_flag": True}
        if not isinstance(row.kind, Flag):
            kind = click.Path() if isinstance(row.kind, PathText | PathList) else click.STRING
            shape = {"metavar": row.kind.metavar, "multiple": row.kind.repeats, "type": kind}
        super().__init__([*names, row.name], help=_help_of(row), heading=row.group, **shape)
        self.row = row

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The words that the setting can be; else what click proposes."""
        if self.row.name == "api":
            return [CompletionItem(name) for name in _presets() if name.startswith(incomplete)]
        words = [CompletionItem(word) for word in self.row.kind.choices() if word.startswith(incomplete)]
        return words or super().shell_complete(ctx, incomplete)


def _presets() -> list[str]:
    """Names of APIs, the user's own among them."""
    from fetcher.gateway import ALIASES, APIS, own_apis
    from fetcher.settings import load

    own: list[str] = []
    with suppress(FetcherError, OSError):  # a file with a mistake in it must not spoil the completion
        own = list(own_apis(dict(load().settings.apis)))
    return sorted({*APIS, *ALIASES, *own})


def _help_of(row: Field) -> str:
    """The table's phrase, the default and the variable."""
    shown = row.default if row.default is not None else row.kind.none_word
    parts = []
    if shown not in (None, False, (), "none"):
        parts.append(f"default: {shown:g}" if isinstance(shown, float) else f"default: {shown}")
    if row.env:
        parts.append(row.env)
    return f"{row.help} [{'; '.join(parts)}]" if parts else row.help


def settings_options(decorated: _Decorated) -> _Decorated:
    """Adds an option for every row that has one, and a hidden one that refuses each secret."""
    return options_of(*GROUPS)(decorated)


def options_of(*groups: str) -> Callable[[_Decorated], _Decorated]:
    """The same for some headings only."""

    def decorate(decorated: _Decorated) -> _Decorated:
        for row in reversed([row for row in FIELDS if row.group in groups]):
            _add_row(decorated, row)
        return decorated

    return decorate


def _add_row(decorated: Callable[..., Any], row: Field) -> None:
    if row.flag:
        _add(decorated, SettingOption(row))
    elif row.secret:
        _add(decorated, _refusing(row))


def _add(decorated: Callable[..., Any], option: click.Option) -> None:
    """What click's own decorators do, for an option that is already made."""
    params: list[click.Parameter] = decorated.__dict__.setdefault("__click_params__", [])
    params.append(option)


def _refusing(row: Field) -> click.Option:
    """The option that a secret does not have: says so, without repeating the value."""
    flag = "--" + row.name.replace("_", "-")

    def refuse(_ctx: click.Context, _param: click.Parameter, value: object) -> None:
        if value is not None:
            _refuse(row, flag)

    return click.Option([flag], hidden=True, expose_value=False, is_eager=True, callback=refuse)


def _refuse(row: Field, flag: str) -> NoReturn:
    raise UsageError(
        f"{flag} is not an option: arguments show in the process list and in the shell's history",
        f"Use {row.env} in the environment or in .env, {row.key} in fetcher.toml, or a file named by --secrets.\n"
        "If that was the real one, have it replaced.",
    )


def given_flags(ctx: click.Context) -> dict[str, Any]:
    """Setting's name → what the command line said; nothing for options that were not used."""
    return {
        param.name: list(ctx.params[param.name]) if param.multiple else ctx.params[param.name]
        for param in ctx.command.params
        if isinstance(param, SettingOption)
        and param.name is not None
        and ctx.get_parameter_source(param.name) is ParameterSource.COMMANDLINE
    }
