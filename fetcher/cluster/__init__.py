"""One job on many machines: the input cut into shards, each a run of its own on some node, the parts one data set.

    IDS ─▶ job, cutting ─shards─▶ driver ─orders─▶ nodes: node, part = a whole `run` on a few thousand IDs
    OUT ◀─ closing ◀─ parts and commits ◀──────────┘      board: what they are told; keeper: the one cap

It hands out, adds up and joins; how an ID is fetched is `run`'s affair. Only `on_ray` knows Ray. Its door is lazy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fetcher.doors import lazy

if TYPE_CHECKING:
    from fetcher.cluster.command import ClusterJob as ClusterJob
    from fetcher.cluster.command import run_cluster as run_cluster
    from fetcher.cluster.status import Standing as Standing

_FILES: Final = {
    "ClusterJob": "command",
    "Standing": "status",
    "run_cluster": "command",
}

__all__ = [*_FILES]
__getattr__ = lazy(__name__, _FILES)
