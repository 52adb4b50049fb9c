"""The room that knows the whole way of an ID: who is asked when, what happens in which order, and how a run ends.

The other rooms know their own question only. Its door is lazy, so that a command that fetches nothing loads nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fetcher.run.command import run_command as run_command
    from fetcher.run.fetcher import Fetcher as Fetcher

__all__ = ["Fetcher", "run_command"]


def __getattr__(name: str) -> Any:
    if name == "Fetcher":
        from fetcher.run.fetcher import Fetcher

        return Fetcher
    if name == "run_command":
        from fetcher.run.command import run_command

        return run_command
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
