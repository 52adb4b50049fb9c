"""`fetcher cluster`: one job on many machines. Its commands are imported when called."""

from __future__ import annotations

from typing import Final

from fetcher.cli.help import LazyGroup

COMMANDS: Final = {
    "run": "Fetch every ID of IDS on the nodes of a Ray cluster.",
    "status": "How such a job stands, running or not.",
}

_EXAMPLES: Final = """
fetcher cluster run ids.txt -o data/ --address local --qps 300
fetcher cluster run s3://bucket/ids/*.csv.gz -o s3://bucket/products --qps 300
fetcher cluster status data/
"""

command = LazyGroup(
    name="cluster",
    commands_of=COMMANDS,
    package="fetcher.cli.cluster",
    examples=_EXAMPLES,
    help="One job on many machines, under one cap. `fetcher run` is nearly always enough: one core carries thousands "
    "of calls a second.",
)
