"""`fetcher init`: writes a commented `fetcher.toml` that changes nothing until a line is uncommented."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import click

from fetcher.cli.console import Console
from fetcher.cli.help import Command
from fetcher.errors import OutputError, UsageError
from fetcher.settings import template


@click.command("init", cls=Command, examples="fetcher init\nfetcher init --force   # start over")
@click.option("--force", is_flag=True, help="replace the fetcher.toml that is there")
@click.pass_context
def command(ctx: click.Context, force: bool) -> int:
    """Write a commented fetcher.toml into this folder, readable by you alone."""
    path = Path("fetcher.toml")
    try:
        write_private(path, template(), replace=force)
    except FileExistsError:
        raise UsageError(f"{path} is already there", "fetcher init --force replaces it.") from None
    except OSError as error:
        raise OutputError(f"{path} could not be written: {error.strerror or error}") from None
    (ctx.find_object(Console) or Console()).plain(
        f"wrote {path}, which only you can read\nnext: put in app_key and app_secret, then fetcher run IDS -o OUT"
    )
    return 0


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
