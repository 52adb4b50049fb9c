"""What can go wrong for the whole program. An ID's failure is a value (`model.Failure`), never one of these.

FetcherError
 ├─ UsageError          2   wrong option, setting or credential; nothing was sent
 │   ├─ InputError      2   the file of IDs cannot be read
 │   └─ OutputMismatch  2   OUT is not ours, or belongs to another run
 ├─ Refused             3   the gateway refused the whole run
 ├─ LimitReached        4   calls, cost or usage at an end, or an outage outlasted our patience; resumable
 ├─ TooManyErrors       5   --max-errors; resumable
 ├─ SchemaChanged       7   a field that nearly all products had is gone; resumable
 ├─ OutputError         6   the output could not be written; resumable
 │   └─ OutputBusy      6   another run holds it
 └─ Defect             70   ours: the books do not balance, or nothing moved
"""

from __future__ import annotations

from typing import ClassVar


class FetcherError(Exception):
    """Base of all. `str(error)` is one sentence; `advice` says what to do."""

    exit_code: ClassVar[int] = 70

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.advice = advice


class UsageError(FetcherError):
    """A wrong option, setting, credential or file; nothing was sent."""

    exit_code = 2


class InputError(UsageError):
    """The IDs cannot be read."""


class OutputMismatch(UsageError):
    """OUT exists and is not this run's."""


class Refused(FetcherError):
    """The gateway refused the whole run: key, signature, token or permission."""

    exit_code = 3


class LimitReached(FetcherError):
    """A limit of calls, cost or usage was reached, or an outage outlasted our patience. Resumable."""

    exit_code = 4


class TooManyErrors(FetcherError):
    """More IDs failed than `--max-errors` allows. Resumable."""

    exit_code = 5


class SchemaChanged(FetcherError):
    """A field that nearly all products had has vanished, and the run was to stop then. Resumable."""

    exit_code = 7


class OutputError(FetcherError):
    """The output could not be written: disk full, I/O error. Resumable."""

    exit_code = 6


class OutputBusy(OutputError):
    """Another run holds the output."""


class Defect(FetcherError):
    """A defect of ours. What was written stands."""

    exit_code = 70
