"""`fetcher verify`: proves offline that every ID of the input stands exactly once in OUT or the failed file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from fetcher.cli.help import Command

if TYPE_CHECKING:
    from fetcher.idset import IdSet


@click.command("verify", cls=Command, examples="fetcher verify products.jsonl --ids ids.txt")
@click.argument("out", type=click.Path())
@click.option("--ids", required=True, metavar="IDS", type=click.Path(allow_dash=True), help="the input of the run")
@click.option("--failed", metavar="PATH", type=click.Path(), help="the failed file; unset: OUT with .failed.jsonl")
@click.option("--known", multiple=True, metavar="PATH", type=click.Path(), help="as the run had it; repeatable")
@click.option("--skip-fresh", metavar="AGE", help="as the run had it; since when stands beside OUT")
@click.option("--api", default="product", metavar="NAME", help="the run's --api: it says what an ID is")
@click.option("--id-param", metavar="NAME", help="as the run had it")
@click.option("--id-column", metavar="NAME|INDEX", help="as the run had it")
@click.option("--id-field", metavar="NAME", help="as the run had it")
@click.option("--encoding", metavar="NAME", help="as the run had it")
def command(
    out: str,
    ids: str,
    failed: str | None,
    known: tuple[str, ...],
    skip_fresh: str | None,
    api: str,
    **reading: str | None,
) -> int:
    """Prove offline that every ID of IDS stands exactly once in OUT or the failed file. Nothing is sent."""
    from fetcher.output import verify_output

    proof = verify_output(out, failed, _ids(ids, api, reading), _passed_over(out, known, skip_fresh))
    aside = ((proof.unchanged, "unchanged"), (proof.known, "passed over since --known holds them"))
    click.echo(
        f"{proof.ids} IDs: {proof.fetched} in {out}, {proof.failed} in the failed file, "
        f"{''.join(f'{count} {what}, ' for count, what in aside if count)}"
        f"{proof.missing} missing, {proof.twice} twice, {proof.foreign} that the input does not name"
    )
    for what, some in (("missing", proof.some_missing), ("twice", proof.some_twice), ("foreign", proof.some_foreign)):
        if some:
            click.echo(f"{what}: {', '.join(some)}")
    click.echo("every ID stands exactly once" if proof.ok else "NOT proven: the same `fetcher run` command mends it")
    return 0 if proof.ok else 1


def _passed_over(out: str, known: tuple[str, ...], skip_fresh: str | None) -> IdSet | None:
    """What the run was to pass over, by the same options."""
    from fetcher.clock import SystemClock
    from fetcher.run.job import Job, fresh_of
    from fetcher.settings import load

    given = {"known": list(known)} | ({} if skip_fresh is None else {"skip_fresh_s": skip_fresh})
    settings = load(given).settings
    fresh = fresh_of(Job(settings=settings, ids="-", out=out), SystemClock().wall_ms())
    return None if fresh is None else fresh.ids


def _ids(path: str, api: str, reading: dict[str, str | None]) -> Iterator[str]:
    """Every distinct ID of the input, bad ones as the failed file names them."""
    from fetcher.gateway import find_api, own_apis
    from fetcher.ids import open_source
    from fetcher.settings import load

    found = find_api(api, reading["id_param"], own_apis(dict(load().settings.apis)))
    with open_source(
        path,
        numeric=found.numeric_ids,
        id_parameter=found.id_parameter,
        column=reading["id_column"],
        field=reading["id_field"],
        encoding=reading["encoding"],
    ) as source:
        while some := source.read(8192):
            yield from (one.id for one in some)
