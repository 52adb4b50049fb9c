"""`fetcher run`: finds the settings and hands them to the run."""

from __future__ import annotations

import dataclasses
from typing import Any, Final

import click

from fetcher.cli.console import Console
from fetcher.cli.help import Command
from fetcher.cli.options import NEVER_AN_OPTION, HeadedOption, given_flags, settings_options
from fetcher.cli.process import OTHER_FILES, connections_allowed
from fetcher.errors import UsageError
from fetcher.settings import GROUPS, CommandSettings, Loaded, field_named, load, require_credentials

SANDBOX_OUT: Final = "products.jsonl"
NOWHERE: Final = "-"
"""Of OUT, where none is needed."""

_EXAMPLES: Final = """
fetcher run --sandbox                                   # try it: no account, no network
fetcher run ids.txt -o products.jsonl --qps 20          # the same command again goes on
fetcher run ids.csv -o out.jsonl.gz --id-column offerId # gzip and zstd, in and out
zcat ids.gz | fetcher run - -o - | jq .data             # in a pipe (no resume then)
fetcher run ids.txt -o products.jsonl --dry-run         # what would it take?
"""

_REMARKS: Final = {
    "Input": [("IDS", "a path, or - for stdin: .txt, .csv, .tsv, .jsonl, .ndjson; each also .gz, .zst")],
    "Credentials": [("never an option", NEVER_AN_OPTION)],
}


@click.command("run", cls=Command, examples=_EXAMPLES, headings=GROUPS, remarks=_REMARKS)
@click.argument("ids", required=False, type=click.Path(allow_dash=True))
@click.option(
    "-o",
    "--output",
    "out",
    cls=HeadedOption,
    heading="Output",
    metavar="OUT",
    type=click.Path(allow_dash=True),
    help=f"where products go: .jsonl, .jsonl.gz, .jsonl.zst, or - for stdout [with --sandbox: {SANDBOX_OUT}]",
)
@settings_options
@click.pass_context
def command(ctx: click.Context, /, ids: str | None, out: str | None, **_settings: Any) -> int:
    """Fetch every ID of IDS and stream the answers to OUT, one JSON object a line.

    A run that was stopped goes on when it is started again. Failures go to a file of their own.
    """
    console = ctx.find_object(Console) or Console()
    loaded = load(given_flags(ctx))
    console.learn(loaded)
    if loaded.settings.verbose:
        for line in origin_lines(loaded):
            console.say("info", line)
    words = ("fetcher", *console.words)
    loaded = loaded._replace(settings=_fitting(loaded.settings, console))
    if loaded.settings.sandbox:
        from fetcher.cli.embedded import embedded_gateway

        with embedded_gateway(loaded.settings, ids) as (settings, some_ids):
            return _run(settings, some_ids, out or SANDBOX_OUT, words)
    if ids is None:
        raise UsageError("which IDs? IDS is missing", "fetcher run ids.txt -o products.jsonl (- reads stdin)")
    if out is None and loaded.settings.dry_run:
        return _run(loaded.settings, ids, NOWHERE, words)  # what would be asked of the gateway, if nothing were there
    if out is None:
        raise UsageError(
            "where should the products go? -o OUT is missing", f"fetcher run {ids} -o products.jsonl (- is stdout)"
        )
    if not loaded.settings.dry_run:
        require_credentials(loaded.settings)
    return _run(loaded.settings, ids, out, words)


def _run(settings: CommandSettings, ids: str | tuple[str, ...], out: str, words: tuple[str, ...]) -> int:
    """The run, imported now that everything that can be known before it is known."""
    from fetcher.run.command import Job, run_command

    return run_command(Job(settings=settings, ids=ids, out=out, command=words))


def _fitting(settings: CommandSettings, console: Console) -> CommandSettings:
    """The settings with no more connections than this process may have open."""
    allowed = connections_allowed(settings.concurrency)
    if allowed == settings.concurrency:
        return settings
    console.say(
        "warning",
        f"only {allowed} of {settings.concurrency} requests can be in flight: this process may have too few open files "
        f"(ulimit -n {(settings.concurrency or 0) + OTHER_FILES} before it lifts that)",
    )
    return dataclasses.replace(settings, concurrency=allowed)


def origin_lines(loaded: Loaded) -> list[str]:
    """`qps = 20 (environment FETCHER_QPS)` for every setting that somebody set; what may be secret as stars."""
    lines = []
    for name, origin in sorted(loaded.origins.items()):
        row = field_named(name)
        shown = "***" if row.private else row.kind.toml(getattr(loaded.settings, name))
        lines.append(f"{name} = {shown} ({origin})")
    return lines
