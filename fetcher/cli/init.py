"""`fetcher init`: writes a commented `fetcher.toml`. On a terminal it asks for what a first run needs."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import click

from fetcher.cli.console import Console
from fetcher.cli.help import Command
from fetcher.errors import OutputError, UsageError
from fetcher.settings import field_named, template

CONFIG: Final = Path("fetcher.toml")
ENV: Final = Path(".env")
ASKED: Final = ("app_key", "api", "qps", "gateway")
SECRETS: Final = ("app_secret", "access_token")
_PLACES: Final = {
    "env": "into .env, beside fetcher.toml",
    "toml": "into fetcher.toml itself",
    "none": "nowhere: FETCHER_APP_SECRET will be in the environment",
}

_EXAMPLES: Final = """
fetcher init              # asks, and writes fetcher.toml
fetcher init --no-input   # the plain template, nothing asked
fetcher init --force      # start over
"""


@click.command("init", cls=Command, examples=_EXAMPLES)
@click.option("--force", is_flag=True, help="replace the fetcher.toml that is there")
@click.option("--no-input", is_flag=True, help="ask nothing: write the plain template")
@click.pass_context
def command(ctx: click.Context, force: bool, no_input: bool) -> int:
    """Write a commented fetcher.toml into this folder, readable by you alone.

    On a terminal it asks for app key, secret, API, rate and gateway first. An empty answer keeps what is in brackets.
    """
    console = ctx.find_object(Console) or Console()
    if CONFIG.exists() and not force:
        raise UsageError(f"{CONFIG} is already there", "fetcher init --force replaces it.")
    asks = not no_input and sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()
    values, secrets, place = _ask() if asks else ({}, {}, "none")
    try:
        if place == "env" and secrets:
            _add_to_env(ENV, secrets)
        write_private(CONFIG, template(values | (secrets if place == "toml" else {})), replace=force)
    except FileExistsError:
        raise UsageError(f"{CONFIG} is already there", "fetcher init --force replaces it.") from None
    except OSError as error:
        raise OutputError(f"{CONFIG} could not be written: {error.strerror or error}") from None
    console.plain(_next(values, secrets, place))
    return 0


def _next(values: dict[str, Any], secrets: dict[str, Any], place: str) -> str:
    wrote = f"wrote {CONFIG}, which only you can read"
    if secrets and place == "env":
        wrote += f", and the secrets into {ENV}: keep both out of version control"
    if not values:
        return f"{wrote}\nnext: put in app_key and app_secret, then fetcher check"
    needed = "" if secrets and place != "none" else "export FETCHER_APP_SECRET=…, then "
    return f"{wrote}\nnext: {needed}fetcher check, then fetcher run IDS -o OUT"


def _ask() -> tuple[dict[str, Any], dict[str, Any], str]:
    """Values that differ from the defaults, secrets, and where the secrets go."""
    click.echo("An empty answer keeps what stands in brackets. Nothing is written before the last answer.", err=True)
    values = {}
    for name in ASKED:
        answer = _answer(name)
        if answer != field_named(name).default:
            values[name] = answer
    secrets = {name: answer for name in SECRETS if (answer := _answer(name, hide=True)) is not None}
    if not secrets:
        return values, {}, "none"
    for word, where in _PLACES.items():
        click.echo(f"  {word:5} {where}", err=True)
    place = click.prompt("Where shall the secrets go", type=click.Choice(list(_PLACES)), default="env", err=True)
    return values, secrets, place


def _answer(name: str, *, hide: bool = False) -> Any:
    """One answer, asked again until it is possible; None: an empty one where there is no default."""
    row = field_named(name)
    shown = row.default if row.default is not None else ""
    shown = f"{shown:g}" if isinstance(shown, float) else shown
    return click.prompt(
        f"{name}: {row.help}",
        default=shown,
        hide_input=hide,
        show_default=bool(shown),
        value_proc=_checked(row.kind.parse, name),
        err=True,
    )


def _checked(parse: Callable[[str], Any], name: str) -> Callable[[str], Any]:
    def check(text: str) -> Any:
        try:
            value = parse(text)
        except ValueError as error:
            raise click.UsageError(f"{name} {error}") from None
        if name == "api":
            _known_api(value)
        return value

    return check


def _known_api(name: str) -> None:
    """A preset, or a full name (which needs `--id-param` in the run)."""
    from fetcher.gateway import find_api

    if name.count("/") < 2:
        try:
            find_api(name)
        except UsageError as error:
            raise click.UsageError(f"{error}. {error.advice}") from None


def _add_to_env(path: Path, secrets: dict[str, Any]) -> None:
    """Append the variables; a file that is there keeps what it says, and must not say them already.

    Raises:
        UsageError: it says one of them, or others can read it.
        OSError: it cannot be written.
    """
    lines = {field_named(name).env or "": secret.reveal() for name, secret in secrets.items()}
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    if already := [name for name in lines if any(line.startswith(f"{name}=") for line in text.splitlines())]:
        raise UsageError(f"{path} already says {' and '.join(already)}", "Change it there, and run fetcher init again.")
    if text and path.stat().st_mode & 0o077 and os.name == "posix":
        raise UsageError(f"others can read {path}", f"chmod 600 {path}, then fetcher init again.")
    added = "".join(f"{name}={_in_quotes(value)}\n" for name, value in lines.items())
    gap = "" if not text or text.endswith("\n") else "\n"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0), 0o600)
    with open(descriptor, "w", encoding="utf-8", newline="\n") as file:
        file.write(gap + added)


def _in_quotes(value: str) -> str:
    """As `.env` has it."""
    if "'" not in value:
        return f"'{value}'"
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    return f'"{escaped}"'


def write_private(path: Path, text: str, *, replace: bool) -> None:
    """A file with mode 0600, whole or not at all.

    Raises:
        FileExistsError: it is there and must not be replaced.
        OSError: it could not be written.
    """
    target = path.with_name(f".{path.name}.{os.getpid()}.new") if replace else path
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        if replace:
            target.replace(path)
    except OSError:
        with suppress(OSError):
            target.unlink()
        raise
