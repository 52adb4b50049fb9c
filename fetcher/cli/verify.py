"""`fetcher verify`: proves offline that every ID of the input stands exactly once in OUT or the failed file."""

from __future__ import annotations

import click

from fetcher.cli.help import Command


@click.command("verify", cls=Command, examples="fetcher verify products.jsonl --ids ids.txt")
@click.argument("out", type=click.Path())
@click.option("--ids", required=True, metavar="IDS", type=click.Path(allow_dash=True), help="the input of the run")
@click.option("--failed", metavar="PATH", type=click.Path(), help="the failed file; unset: OUT with .failed.jsonl")
def command(out: str, ids: str, failed: str | None) -> int:
    """Prove offline that every ID of IDS stands exactly once in OUT or the failed file. Nothing is sent."""
    from fetcher.output import verify

    code: int = verify(out, failed, ids)
    return code
