"""The command line: options, messages and exit codes over the library, and nothing that a library user would miss."""

from fetcher.cli.main import main

__all__ = ["main"]
