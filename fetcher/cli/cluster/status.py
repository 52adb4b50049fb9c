"""`fetcher cluster status`: how a job stands, from what lies at its place."""

from __future__ import annotations

import click

from fetcher.cli.help import Command


@click.command(
    "status", cls=Command, examples="fetcher cluster status data/\nfetcher cluster status s3://b/products --check"
)
@click.argument("place", metavar="DIR", type=click.Path())
@click.option("--check", is_flag=True, help="read every file and hold it against its sha256")
def command(place: str, *, check: bool) -> int:
    """How the job at DIR stands, running or not. DIR is what `fetcher cluster run` was given with -o.

    Exit code: 0 complete, 1 not, or (with --check) not as it was committed.
    """
    from fetcher.clock import SystemClock
    from fetcher.cluster import Standing

    standing = Standing(place, SystemClock().wall_ms())
    for line in standing.lines():
        click.echo(line)
    damage = standing.damage() if check else []
    for line in damage:
        click.echo(f"damaged: {line}")
    if check and not damage:
        click.echo("every file is what was committed")
    click.echo("complete: every ID stands in it, exactly once" if standing.complete else "not complete")
    return 0 if standing.complete and not damage else 1
