"""The program: the group of commands, and the one place where errors become messages and exit codes."""

from __future__ import annotations

import errno
import sys
from collections.abc import Sequence
from typing import Final

import click

from fetcher._version import __version__
from fetcher.cli.console import Console
from fetcher.cli.help import LazyGroup
from fetcher.cli.process import hold_standard_streams, let_go_of_stdout
from fetcher.errors import Defect, FetcherError, OutputError, UsageError

COMMANDS: Final = {
    "run": "Fetch every ID of a file and stream the answers to OUT.",
    "check": "Ask the gateway whether key, clock, token and permission are right.",
    "login": "Let a member authorise the app, and keep the tokens.",
    "verify": "Prove offline that every ID stands exactly once in OUT or the failed file.",
    "report": "Draw an HTML page of a finished run; several side by side.",
    "explain": "Say what has become of one ID, and what to do.",
    "ctl": "Ask the run that is working on OUT: status, pause, resume, set or stop.",
    "apis": "List the APIs that can be fetched from, or show one.",
    "init": "Write a commented fetcher.toml; asks on a terminal.",
    "config": "Show the settings, and where each comes from.",
    "cluster": "One job on many machines, under one cap (needs the extra ray).",
    "sandbox": "Serve a 1688 gateway on this machine, for trying and testing.",
    "completion": "Print the completion script of a shell.",
}

INTERRUPTED: Final = 130
"""128 + SIGINT, as shells have it."""

_EXAMPLES: Final = """
fetcher run --sandbox                          # try it: no account, no network
fetcher run ids.txt -o products.jsonl --qps 20 # fetch; the same command again goes on
fetcher check                                  # are key, clock, token and permission right?
fetcher verify products.jsonl --ids ids.txt    # is every ID there, exactly once?
"""

_EPILOG: Final = """\b
Credentials: FETCHER_APP_KEY and FETCHER_APP_SECRET in the environment, .env or fetcher.toml.
Completion: eval "$(fetcher completion bash)" (zsh and fish likewise).
Exit codes: 0 all fetched, 1 some IDs failed, 2 usage, 3 refused by the gateway, 4 a limit was
reached, 5 too many errors, 6 output not written, 7 the answers changed, 70 a defect, 130 and 143
stopped by a signal.
"""


@click.group(
    cls=LazyGroup,
    name="fetcher",
    commands_of=COMMANDS,
    package="fetcher.cli",
    examples=_EXAMPLES,
    epilog=_EPILOG,
    invoke_without_command=True,
)
@click.version_option(__version__, prog_name="fetcher", message="%(prog)s %(version)s")
@click.pass_context
def program(ctx: click.Context) -> None:
    """Bulk product fetcher for the 1688 open platform: at the rate cap, resumable, every ID accounted for."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help(), err=True)
        ctx.exit(UsageError.exit_code)


def main(args: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        args: words after the program's name; the process's own when None.

    Returns:
        The exit code. Nothing is raised, whatever happens.
    """
    hold_standard_streams()
    console = Console(sys.argv[1:] if args is None else args)
    try:
        return _guarded(console)
    except SystemExit as end:  # shell completion ends so, and help that nobody reads
        return _as_code(end.code)
    except (KeyboardInterrupt, click.Abort):
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last resort: anything that gets here is our defect
        console.defect(error)
        return Defect.exit_code
    finally:
        let_go_of_stdout()


def _guarded(console: Console) -> int:
    """The command's exit code, expected errors told."""
    try:
        return _as_code(program.main(args=list(console.words), prog_name="fetcher", standalone_mode=False, obj=console))
    except FetcherError as error:
        console.error(str(error), error.advice)
        return error.exit_code
    except click.ClickException as error:
        path = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "fetcher"
        console.error(error.format_message(), f"{path} --help shows what there is.")
        return error.exit_code
    except OSError as error:  # all others have become a FetcherError where they came up
        if error.errno not in (errno.EBADF, errno.ENOSPC):
            raise
        console.error(f"standard output cannot be written: {error.strerror}")
        return OutputError.exit_code


def _as_code(result: object) -> int:
    """What a command returned, or an exit was called with, as an exit code."""
    return result if isinstance(result, int) else 0 if result is None else 1
