"""`fetcher report`: draws the page of finished runs from their summaries; several stand side by side."""

from __future__ import annotations

from pathlib import Path

import click

from fetcher.cli.console import Console
from fetcher.cli.help import Command
from fetcher.errors import InputError

_EXAMPLES = """
fetcher report run.json                           # writes run.html
fetcher report monday.json tuesday.json -o both.html
fetcher report run.json -o - > page.html
"""


@click.command("report", cls=Command, examples=_EXAMPLES)
@click.argument("summaries", nargs=-1, required=True, metavar="RUN.json...", type=click.Path())
@click.option(
    "-o",
    "--output",
    "out",
    metavar="FILE",
    type=click.Path(allow_dash=True),
    help="the page; unset: beside the first summary, with .html; - is stdout",
)
@click.pass_context
def command(ctx: click.Context, summaries: tuple[str, ...], out: str | None) -> int:
    """Draw an HTML page from what `fetcher run --summary RUN.json` wrote; several runs stand side by side."""
    from fetcher.report import read_summary, report_page
    from fetcher.report.written import write_whole

    runs = [read_summary(_bytes(path), path) for path in summaries]
    where = out or str(Path(summaries[0]).with_suffix(".html"))
    write_whole(report_page(runs, [_name(path, summaries) for path in summaries]).encode(), where, "report")
    if where != "-":
        (ctx.find_object(Console) or Console()).plain(f"wrote {where}")
    return 0


def _bytes(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        hint = "fetcher run --summary FILE writes one"
        raise InputError(f"{path} cannot be read: {error.strerror}", hint) from None


def _name(path: str, paths: tuple[str, ...]) -> str:
    """The file's name; with its folder where another has the same name."""
    name = Path(path).stem
    return name if [Path(other).stem for other in paths].count(name) == 1 else path
