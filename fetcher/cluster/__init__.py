"""One job on many machines: the input cut into shards, each a run of its own on some node, the parts one data set.

    IDS ─▶ job, cutting ─shards─▶ driver ─orders─▶ nodes: node, part = a whole `run` on a few thousand IDs
    OUT ◀─ closing ◀─ parts and commits ◀──────────┘      board: what they are told; keeper: the one cap

It hands out, adds up and joins; how an ID is fetched is `run`'s affair. Only `on_ray` knows Ray. Its door is lazy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from fetcher.cluster.command import ClusterJob as ClusterJob
    from fetcher.cluster.command import run_cluster as run_cluster
    from fetcher.cluster.status import Standing as Standing

__all__ = ["ClusterJob", "Standing", "run_cluster"]

_FILES: Final = {"ClusterJob": "command", "Standing": "status", "run_cluster": "command"}


def __getattr__(name: str) -> Any:
    if name in _FILES:
        return getattr(import_module(f"fetcher.cluster.{_FILES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
