"""The room that knows the whole way of an ID: who is asked when, what happens in which order, and how a run ends.

The other rooms know their own question only. Its door is lazy, so that a command that fetches nothing loads nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fetcher.doors import lazy

if TYPE_CHECKING:
    from fetcher.run.checking import Diagnosis as Diagnosis
    from fetcher.run.checking import check as check
    from fetcher.run.closing import Done as Done
    from fetcher.run.command import run_command as run_command
    from fetcher.run.command import run_job as run_job
    from fetcher.run.fetcher import Fetcher as Fetcher
    from fetcher.run.job import Job as Job
    from fetcher.run.loop import too_many as too_many
    from fetcher.run.token_file import Kept as Kept
    from fetcher.run.token_file import TokenFile as TokenFile
    from fetcher.run.token_file import TokenPlace as TokenPlace
    from fetcher.run.token_file import entry_of as entry_of
    from fetcher.run.token_file import kept_of as kept_of

_FILES: Final = {
    "Diagnosis": "checking",
    "Done": "closing",
    "Fetcher": "fetcher",
    "Job": "job",
    "Kept": "token_file",
    "TokenFile": "token_file",
    "TokenPlace": "token_file",
    "check": "checking",
    "entry_of": "token_file",
    "kept_of": "token_file",
    "run_command": "command",
    "run_job": "command",
    "too_many": "loop",
}

__all__ = [*_FILES]
__getattr__ = lazy(__name__, _FILES)
