"""`fetcher login`: prints where to authorise the app, takes the code, stores the tokens."""

from __future__ import annotations

import dataclasses
import sys
from typing import TYPE_CHECKING, Any, Final

import click

from fetcher.cli.console import Console
from fetcher.cli.help import Command
from fetcher.cli.options import NEVER_AN_OPTION, given_flags, options_of
from fetcher.settings import CommandSettings, load, require_credentials
from fetcher.settings.groups import CONNECTION, CREDENTIALS, GATEWAY

if TYPE_CHECKING:
    from fetcher.run.token_file import Kept

TOKEN_FILE: Final = "fetcher-tokens.json"  # noqa: S105  (a place)

_EXAMPLES: Final = """
fetcher login                                  # on the machine where the browser is
fetcher login --redirect-uri https://me.example/callback   # the address your app has registered; then paste
"""
_REMARKS: Final = {CREDENTIALS: [("never an option", NEVER_AN_OPTION)]}


@click.command("login", cls=Command, examples=_EXAMPLES, headings=(GATEWAY, CREDENTIALS, CONNECTION), remarks=_REMARKS)
@click.option("--redirect-uri", metavar="URL", help="the address registered for the app; then the code is pasted")
@click.option("--port", metavar="N", type=click.IntRange(0, 65535), default=0, help="where the browser comes back to")
@click.option("--authorise-url", metavar="URL", help="the page to authorise on; unset: 1688's own")
@options_of(GATEWAY, CREDENTIALS, CONNECTION)
@click.pass_context
def command(
    ctx: click.Context, /, redirect_uri: str | None, port: int, authorise_url: str | None, **_settings: Any
) -> int:
    """Let a member authorise your app, and keep the tokens for the runs to come.

    Open the address that is printed, log in, say yes. The browser comes back to this machine; with --redirect-uri it
    goes to the address that your app has registered, and you paste where it ended up, or the code in it.
    """
    console = ctx.find_object(Console) or Console()
    loaded = load(given_flags(ctx))
    console.learn(loaded)
    require_credentials(loaded.settings)
    settings = dataclasses.replace(loaded.settings, token_file=loaded.settings.token_file or TOKEN_FILE)
    from fetcher.run.login import Listener, login, question

    if redirect_uri is not None:
        asked = question(settings, redirect_uri, authorise_url)
        _say_where(asked.url)
        code = _pasted(asked.state)
    else:
        with Listener(port) as listener:
            asked = question(settings, listener.redirect_uri, authorise_url)
            _say_where(asked.url)
            click.echo(f"\nWaiting for the browser to come back to {listener.redirect_uri} (Ctrl-C ends it).")
            code = listener.wait(asked.state)
    _say_what(settings, login(settings, code, asked.redirect_uri), given=loaded.settings.token_file is not None)
    return 0


def _say_where(url: str) -> None:
    click.echo(f"Open this address, log in, and let the app act for you:\n\n  {url}")
    sys.stdout.flush()


def _pasted(state: str) -> str:
    from fetcher.gateway import code_in

    click.echo("\nThen paste the address that the browser ended up at, or the code in it (good for two minutes):")
    return code_in(sys.stdin.readline(), state)


def _say_what(settings: CommandSettings, kept: Kept, *, given: bool) -> None:
    from fetcher.report import iso_time

    click.echo(f"\nThe tokens are in {settings.token_file}, for you alone to read.")
    if kept.access_until_ms is not None:
        click.echo(f"access token   good until {iso_time(kept.access_until_ms)}")
    if kept.refresh is None:
        click.echo("refresh token  none came: log in again when the access token has run out")
    elif kept.refresh_until_ms is not None:
        click.echo(f"refresh token  good until {iso_time(kept.refresh_until_ms)}; runs renew the access token with it")
    if not given:
        click.echo(f'For the runs to come: token_file = "{settings.token_file}" in fetcher.toml, or --token-file.')
