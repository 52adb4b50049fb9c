"""`fetcher check`: is the key right, the clock, the token, the permission? Two calls, and a line about each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import click

from fetcher.cli.console import Console
from fetcher.cli.help import Command
from fetcher.cli.options import NEVER_AN_OPTION, given_flags, options_of
from fetcher.settings import CommandSettings, load, settings_of_keys
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
    Of several keys ([[keys]]) each is asked about.
    """
    console = ctx.find_object(Console) or Console()
    loaded = load(given_flags(ctx))
    console.learn(loaded)
    from fetcher.run import check

    asked = settings_of_keys(loaded.settings) or [("", loaded.settings)]
    found = {
        name if len(asked) > 1 else "": check(own, product_id or EXAMPLE_ID, own_id=product_id is not None)
        for name, own in asked
    }
    text = json.dumps(document(loaded.settings, found), ensure_ascii=False, indent=1) if as_json else page(found)
    click.echo(console.harmless(text, keep_lines=True))
    return exit_code_of(found)


def exit_code_of(found: Mapping[str, Diagnosis]) -> int:
    """Of the first key with which something is wrong."""
    return next((each.exit_code for each in found.values() if each.exit_code), 0)


def page(found: Mapping[str, Diagnosis]) -> str:
    """A line for each finding, and what to do under it.

    Args:
        found: by the key's name; of a single key that is empty.
    """
    lines = []
    for name, diagnosis in found.items():
        lines += [f"key {name}"] if name else []
        for finding in diagnosis.findings:
            lines.append(f"{finding.state:<6} {finding.step:<12} {finding.said}")
            if finding.remedy:
                lines.append(f"{'':<19} → {finding.remedy}")
    code, calls = exit_code_of(found), sum([each.calls for each in found.values()])
    ended = "ready to run" if code == 0 else f"not ready (exit {code})"
    lines.append(f"\n{ended}; {calls} call{'' if calls == 1 else 's'} made")
    return "\n".join(lines)


def document(settings: CommandSettings, found: Mapping[str, Diagnosis]) -> dict[str, Any]:
    """The same for a script. With several keys each finding says whose it is (`key`)."""
    code = exit_code_of(found)
    offsets = [each.clock_offset_ms for each in found.values() if each.clock_offset_ms is not None]
    return {
        "schema": SCHEMA,
        "ready": code == 0,
        "exit_code": code,
        "gateway": settings.gateway,
        "api": settings.api,
        "app_key": settings.app_key,
        "calls": sum([each.calls for each in found.values()]),
        "clock_offset_ms": offsets[0] if offsets else None,
        "findings": [
            ({"key": name} if name else {})
            | {"step": each.step, "state": each.state, "said": each.said, "remedy": each.remedy or None}
            for name, diagnosis in found.items()
            for each in diagnosis.findings
        ],
    }
