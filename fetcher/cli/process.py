"""What the process was given by whoever started it: standard streams, perhaps closed; how many files it may open.

It must not know what the commands do.
"""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from typing import Final

from fetcher.errors import UsageError

LEAST_FILES: Final = 32
"""Open files without which nothing works: the event loop, input, outputs, and a few connections."""
OTHER_FILES: Final = 24
"""Open files that are no connections, at most."""
USUAL_FILES: Final = 16_384
"""As many as are asked for where the system lets us: the usual soft limit is 1 024, or 256."""


def hold_standard_streams() -> None:
    """Give each standard stream that is closed (`>&-`) a place, so that no output file gets its number.

    Otherwise OUT could become descriptor 2, and a library's last words would be written into it. What is read from or
    written to the place fails (stderr apart, where nobody listens, rightly or wrongly). And text that a stream cannot
    encode is shown escaped: a message must not end a command.
    """
    for number, name, there in ((0, "stdin", os.O_WRONLY), (1, "stdout", os.O_RDONLY), (2, "stderr", os.O_WRONLY)):
        if getattr(sys, name) is None:
            mode = "r" if number == 0 else "w"
            stream = open(_place(number, there), mode, encoding="utf-8", errors="replace")  # noqa: SIM115 - as Python's
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.encoding.lower().replace("-", "") != "utf8":
        sys.stdout.reconfigure(errors="backslashreplace")


def _place(number: int, flags: int) -> int:
    """The null device under that number, or under any where something else has taken it."""
    opened = os.open(os.devnull, flags)
    with suppress(OSError):
        os.fstat(number)
        if opened != number:
            return opened  # taken
    if opened != number:
        os.dup2(opened, number)
        os.close(opened)
    os.set_inheritable(number, True)  # a child must find it as we should have
    return number


def let_go_of_stdout() -> None:
    """Flush now; when nobody reads any more, give Python something harmless to flush when it ends."""
    try:
        sys.stdout.flush()
    except ValueError:  # closed
        return
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def connections_allowed(concurrency: int | None) -> int | None:
    """How many connections of `concurrency` there can be at once, after asking for more open files.

    Raises:
        UsageError: there are too few open files for anything.
    """
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return concurrency
    soft, hard = (sys.maxsize if limit == resource.RLIM_INFINITY else limit for limit in _limits())
    wanted = min(hard, max(USUAL_FILES, (concurrency or 0) + OTHER_FILES))
    if soft < wanted:
        with suppress(OSError, ValueError):  # macOS has a limit of its own below the hard one
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, _limits()[1]))
            soft = wanted
    if soft < LEAST_FILES:
        raise UsageError(f"this process may have only {soft} open files", "ulimit -n 1024, then the same command again")
    return None if concurrency is None else min(concurrency, max(1, soft - OTHER_FILES))


def _limits() -> tuple[int, int]:
    import resource

    return resource.getrlimit(resource.RLIMIT_NOFILE)
