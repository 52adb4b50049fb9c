"""`python -m fetcher`, and what the installed `fetcher` calls."""

from __future__ import annotations

import sys

from fetcher.cycles import look_seldom


def main() -> int:
    """The command line's exit code."""
    look_seldom()
    from fetcher.cli import main as command_line

    return command_line()


if __name__ == "__main__":
    sys.exit(main())
