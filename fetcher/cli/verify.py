"""`fetcher verify`: proves offline that every ID of the input stands exactly once in OUT or the failed file."""

from __future__ import annotations

from collections.abc import Iterator

import click

from fetcher.cli.help import Command


@click.command("verify", cls=Command, examples="fetcher verify products.jsonl --ids ids.txt")
@click.argument("out", type=click.Path())
@click.option("--ids", required=True, metavar="IDS", type=click.Path(allow_dash=True), help="the input of the run")
@click.option("--failed", metavar="PATH", type=click.Path(), help="the failed file; unset: OUT with .failed.jsonl")
@click.option("--api", default="product", metavar="NAME", help="the run's --api: it says what an ID is")
@click.option("--id-param", metavar="NAME", help="as the run had it")
@click.option("--id-column", metavar="NAME|INDEX", help="as the run had it")
@click.option("--id-field", metavar="NAME", help="as the run had it")
@click.option("--encoding", metavar="NAME", help="as the run had it")
def command(out: str, ids: str, failed: str | None, api: str, **reading: str | None) -> int:
    """Prove offline that every ID of IDS stands exactly once in OUT or the failed file. Nothing is sent."""
    from fetcher.output import verify_output

    proof = verify_output(out, failed, _ids(ids, api, reading))
    click.echo(
        f"{proof.ids} IDs: {proof.fetched} in {out}, {proof.failed} in the failed file, "
        f"{proof.missing} missing, {proof.twice} twice, {proof.foreign} that the input does not name"
    )
    for what, some in (("missing", proof.some_missing), ("twice", proof.some_twice), ("foreign", proof.some_foreign)):
        if some:
            click.echo(f"{what}: {', '.join(some)}")
    click.echo("every ID stands exactly once" if proof.ok else "NOT proven: the same `fetcher run` command mends it")
    return 0 if proof.ok else 1


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
