"""`fetcher ctl`: asks a run that is going on how it stands, to pause, to go on, to go at another rate, to end."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import click

from fetcher.cli.help import Command
from fetcher.errors import UsageError

if TYPE_CHECKING:
    from fetcher.run.control import Question

_EXAMPLES: Final = """
fetcher ctl products.jsonl status          # how does it stand, and what does every part do?
fetcher ctl products.jsonl pause           # start nothing more; resume goes on
fetcher ctl products.jsonl set qps=20      # also concurrency=50, concurrency=auto
fetcher ctl products.jsonl stop            # drained and resumable, as by Ctrl-C
"""
ACTIONS: Final = ("status", "pause", "resume", "set", "stop")


@click.command("ctl", cls=Command, examples=_EXAMPLES)
@click.argument("out", metavar="OUT", type=click.Path())
@click.argument("action", type=click.Choice(ACTIONS), default="status")
@click.argument("setting", metavar="[qps=N|concurrency=N]", required=False)
@click.option("--json", "as_json", is_flag=True, help="the answer as JSON, for programs")
def command(out: str, action: str, setting: str | None, as_json: bool) -> int:
    """Ask the run that is working on OUT: status, pause, resume, set or stop. Only its owner can.

    It answers with how it stands then. A cap may be raised above the one that the run began with, and is noted in its
    log. Where no terminal is at hand, kill -USR1 makes a run print the same on its stderr.
    """
    from fetcher.run.control import ask, state_lines

    state = ask(out, _question(action, setting))
    if as_json:
        import msgspec

        click.echo(json.dumps(msgspec.to_builtins(state), ensure_ascii=False, indent=2))
        return 0
    from fetcher.report import visible

    for line in state_lines(state):
        click.echo(visible(line))
    return 0


def _question(action: str, setting: str | None) -> Question:
    from fetcher.run.control import SETTABLE, Question

    if action != "set":
        if setting is not None:
            raise UsageError(f"{action} takes no setting", "fetcher ctl OUT set qps=20")
        return Question(action)
    name, equals, value = (setting or "").partition("=")
    if not equals or name not in SETTABLE:
        raise UsageError(f"set takes {' or '.join(f'{each}=N' for each in SETTABLE)}", "fetcher ctl OUT set qps=20")
    return Question("set", name, value)
