"""`fetcher check`: is the key right, the clock, the token, the permission? Two calls, and a line about each."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import click

from fetcher.cli.console import Console
from fetcher.cli.help import Command
from fetcher.cli.options import NEVER_AN_OPTION, given_flags, options_of
from fetcher.settings import CommandSettings, load
from fetcher.settings.groups import CONNECTION, CREDENTIALS, GATEWAY

if TYPE_CHECKING:
    from fetcher.run import Diagnosis

EXAMPLE_ID: Final = "610947572360"
SCHEMA: Final = 1

_EXAMPLES: Final = """
fetcher check                                  # the settings of your next run, without a file of IDs
fetcher check --id 610947572360 --api product-simple
fetcher check --json | jq .findings
"""
_REMARKS: Final = {CREDENTIALS: [("never an option", NEVER_AN_OPTION)]}


@click.command("check", cls=Command, examples=_EXAMPLES, headings=(GATEWAY, CREDENTIALS, CONNECTION), remarks=_REMARKS)
@click.option("--id", "product_id", metavar="ID", help="an ID that you may see; else an example, which need not exist")
@click.option("--json", "as_json", is_flag=True, help="the findings as JSON")
@options_of(GATEWAY, CREDENTIALS, CONNECTION)
@click.pass_context
def command(ctx: click.Context, /, product_id: str | None, as_json: bool, **_settings: Any) -> int:
    """Ask the gateway two questions and say what is right, what is wrong, and what to do.

    The first needs no permission and costs nothing. The second calls the chosen API for one ID; it may be charged.
    """
    console = ctx.find_object(Console) or Console()
    loaded = load(given_flags(ctx))
    console.learn(loaded)
    from fetcher.run import check

    found = check(loaded.settings, product_id or EXAMPLE_ID, own_id=product_id is not None)
    text = json.dumps(document(loaded.settings, found), ensure_ascii=False, indent=1) if as_json else page(found)
    click.echo(console.harmless(text, keep_lines=True))
    return found.exit_code


def page(found: Diagnosis) -> str:
    """A line for each finding, and what to do under it."""
    lines = []
    for finding in found.findings:
        lines.append(f"{finding.state:<6} {finding.step:<12} {finding.said}")
        if finding.remedy:
            lines.append(f"{'':<19} → {finding.remedy}")
    ended = "ready to run" if found.exit_code == 0 else f"not ready (exit {found.exit_code})"
    lines.append(f"\n{ended}; {found.calls} call{'' if found.calls == 1 else 's'} made")
    return "\n".join(lines)


def document(settings: CommandSettings, found: Diagnosis) -> dict[str, Any]:
    """The same for a script."""
    return {
        "schema": SCHEMA,
        "ready": found.exit_code == 0,
        "exit_code": found.exit_code,
        "gateway": settings.gateway,
        "api": settings.api,
        "app_key": settings.app_key,
        "calls": found.calls,
        "clock_offset_ms": found.clock_offset_ms,
        "findings": [
            {"step": each.step, "state": each.state, "said": each.said, "remedy": each.remedy or None}
            for each in found.findings
        ],
    }
