"""`python -m fetcher`, and what the installed `fetcher` calls."""

from __future__ import annotations

import os
import sys


def main() -> int:
    """The command line's exit code."""
    open_standard_streams()
    from fetcher.cli import main as command_line

    return command_line()


def open_standard_streams() -> None:
    """Where stdin, stdout or stderr was closed (`2>&-`), put the null device in its place.

    Otherwise the first file that is opened gets its number, and what is meant for a person ends up in OUT.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number, which is this one
        if getattr(sys, name) is None:
            stream = open(number, "w" if number else "r", encoding="utf-8", closefd=False)  # noqa: SIM115 - for good
            setattr(sys, name, stream)


if __name__ == "__main__":
    sys.exit(main())
