"""`fetcher cluster run`: finds the settings and hands them to the job."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, Final, TypeVar

import click

from fetcher.cli.console import Console
from fetcher.cli.help import Command
from fetcher.cli.options import NEVER_AN_OPTION, HeadedOption, given_flags, settings_options
from fetcher.errors import UsageError
from fetcher.settings import GROUPS, CommandSettings, load, require_credentials

CLUSTER: Final = "Cluster"

_EXAMPLES: Final = """
fetcher cluster run ids.txt -o data/ --address local --qps 300   # Ray is started and ended with the command
fetcher cluster run ids.txt -o products.jsonl --address auto     # a cluster that runs; parts joined into one file
fetcher cluster run s3://b/ids/*.csv.gz -o s3://b/products       # the same command again goes on
"""

_REMARKS: Final = {
    "Input": [("IDS", "paths or URIs: .txt, .csv, .tsv, .jsonl, .ndjson; each also .gz, .zst")],
    "Credentials": [("never an option", NEVER_AN_OPTION)],
}


_Decorated = TypeVar("_Decorated", bound=Callable[..., Any])


def _option(*names: str, **more: Any) -> Callable[[_Decorated], _Decorated]:
    return click.option(*names, cls=HeadedOption, heading=CLUSTER, **more)


@click.command("run", cls=Command, examples=_EXAMPLES, headings=(CLUSTER, *GROUPS), remarks=_REMARKS)
@click.argument("ids", nargs=-1, type=click.Path())
@click.option(
    "-o",
    "--output",
    "out",
    cls=HeadedOption,
    heading="Output",
    metavar="DIR|OUT",
    help="folder or URI for the parts; or a .jsonl, .jsonl.gz, .jsonl.zst file that they are joined into",
)
@_option(
    "--address", default="auto", metavar="WHERE", help="auto: the cluster of this machine; local: start one; HOST:PORT"
)
@_option("--workers", type=click.IntRange(1, 10_000), metavar="N", help="shards at a time; unset: what the cap needs")
@_option("--shard-ids", type=click.IntRange(1, 1_000_000), metavar="N", help="IDs in a shard; unset: 1000 to 5000")
@_option("--parts", type=click.Choice(["jsonl", "jsonl.gz", "jsonl.zst"]), help="kind of the parts in a folder [jsonl]")
@_option("--keep-parts", is_flag=True, help="keep the parts when they have been joined")
@_option(
    "--own-secrets", is_flag=True, help="nodes have the credentials in their own environment; none are handed over"
)
@settings_options
@click.pass_context
def command(ctx: click.Context, /, ids: tuple[str, ...], out: str | None, **given: Any) -> int:
    """Fetch every ID of IDS on the nodes of a Ray cluster, under one cap.

    The input is cut into shards of a few thousand IDs; each becomes a part of its own. What was stopped or killed goes
    on when the same command is started again: finished shards are not fetched again.
    """
    console = ctx.find_object(Console) or Console()
    loaded = load(given_flags(ctx))
    console.learn(loaded)
    settings = loaded.settings
    if not ids:
        raise UsageError("which IDs? IDS is missing", "fetcher cluster run ids.txt -o data/")
    if out is None:
        raise UsageError("where should the products go? -o is missing", f"fetcher cluster run {ids[0]} -o data/")
    check(settings, given["address"])
    words = ("fetcher", *console.words)
    if settings.sandbox:
        from fetcher.cli.embedded import embedded_gateway

        with embedded_gateway(settings, ids[0]) as (settings, _):
            return _run(settings, ids, out, words, given)
    require_credentials(settings)
    return _run(settings, ids, out, words, given)


def check(settings: CommandSettings, address: str) -> None:
    """Raises `UsageError` for what a cluster's job cannot do, or lacks."""
    if find_spec("ray") is None:
        raise UsageError(
            "fetcher cluster needs the library ray, which is not installed",
            "pip install 'fetcher[ray]', on every node; or fetcher run, which needs no cluster",
        )
    if settings.processes > 1:
        raise UsageError("--processes is for one machine", "Here the number of processes is --workers.")
    if settings.dry_run:
        raise UsageError(
            "--dry-run is not for a cluster", "fetcher run IDS -o OUT --dry-run says the same of the input."
        )
    if settings.diff:
        raise UsageError(
            "--diff is not for a cluster: each node would have to read all of the earlier products for its few IDs",
            "fetcher run has it. --known and --skip-fresh leave out what is not due, here too.",
        )
    if settings.share_cap and "://" not in settings.share_cap and address != "local":
        raise UsageError(
            f"--share-cap {settings.share_cap} is a file, which the machines of a cluster do not share",
            "Leave it out: an actor keeps the cap for all of the cluster. For others too: redis://…",
        )
    if settings.sandbox and address != "local":
        raise UsageError("the nodes of a cluster cannot reach a gateway inside this program", "Add --address local.")


def _run(
    settings: CommandSettings, ids: tuple[str, ...], out: str, words: tuple[str, ...], given: dict[str, Any]
) -> int:
    """The job, imported now that everything that can be known before it is known."""
    from fetcher.cluster.command import ClusterJob, run_cluster
    from fetcher.cluster.job import ending_of

    joined = ending_of(out)
    if joined and given["parts"]:
        raise UsageError(f"--parts is for a folder; the parts of {out} are .{joined}", "Leave --parts out.")
    if settings.failed and not joined:
        raise UsageError(
            "--failed is for an OUT that is one file", "In a folder each part has a failed file beside it."
        )
    return run_cluster(
        ClusterJob(
            settings=settings,
            ids=ids,
            out=out,
            ending=joined or given["parts"] or "jsonl",
            merged=bool(joined),
            address=given["address"],
            workers=given["workers"],
            shard_ids=given["shard_ids"],
            keep_parts=given["keep_parts"],
            own_secrets=given["own_secrets"],
            command=words,
        )
    )
