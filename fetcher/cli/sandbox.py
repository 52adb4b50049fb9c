"""`fetcher sandbox`: serves the embedded gateway until it is stopped."""

from __future__ import annotations

from typing import Any

import click

from fetcher.cli.help import Command

_EXAMPLES = """
fetcher sandbox --port 8600 --qps 50 --error-rate 0.02
fetcher sandbox --require-token --token-life 60 --usage 5000 --rule acl@77
fetcher sandbox --scenario night.toml        # what changes, and when: docs/sandbox.md
FETCHER_SANDBOX_SECRET=abc fetcher sandbox   # a secret of your own; else a published one
"""


@click.command("sandbox", cls=Command, examples=_EXAMPLES)
@click.option("--host", metavar="HOST", help="address to listen on")
@click.option("--port", metavar="N", type=click.IntRange(0, 65535), help="port to listen on; 0: a free one")
@click.option("--app-key", metavar="KEY", help="the app key that is known")
@click.option("--seed", metavar="N", type=int, help="which products there are, and which calls go wrong")
@click.option("--qps", metavar="N", type=click.FloatRange(min=0, min_open=True), help="throttle above this rate")
@click.option("--window", type=click.Choice(["sliding", "fixed"]), help="how the rate is measured")
@click.option("--latency-ms", metavar="MS", type=click.FloatRange(min=0), help="time that an answer takes")
@click.option("--jitter-ms", metavar="MS", type=click.FloatRange(min=0), help="how much that time varies")
@click.option("--absent", metavar="PART", type=click.FloatRange(0, 1), help="part of the IDs that do not exist")
@click.option("--xml", is_flag=True, default=None, help="answer in XML")
@click.option("--error-rate", metavar="PART", type=click.FloatRange(0, 1), help="part of the answers that are errors")
@click.option("--require-token", is_flag=True, default=None, help="refuse calls without an access token")
@click.option("--strict", is_flag=True, default=None, help="refuse the tutorial's scheme, as the live gateway does")
@click.option(
    "--token-life", "token_life_s", metavar="S", type=click.FloatRange(min=0), help="seconds that an access token lives"
)
@click.option("--cap", "caps", metavar="CAP", multiple=True, help="a further cap: 300/minute, 5000/day, 4/second/api")
@click.option("--usage", metavar="N", type=click.IntRange(min=0), help="calls in the app's package")
@click.option("--deny", "denied_apis", metavar="API", multiple=True, help="namespace/name that the app may not call")
@click.option(
    "--rule", "rules", metavar="RULE", multiple=True, help="ROW@SUFFIX, ROW@5%, ROW@*: a row of the error table"
)
@click.option("--app", "apps", metavar="KEY", multiple=True, help="a further app, with a published secret")
@click.option(
    "--clock-offset", "clock_offset_s", metavar="S", type=float, help="seconds that the gateway's clock is ahead"
)
@click.option("--demand-timestamp", is_flag=True, default=None, help="refuse calls without _aop_timestamp")
@click.option(
    "--scenario", metavar="FILE", type=click.Path(), help="a .toml: how it begins, and what changes when it serves"
)
def command(scenario: str | None, apps: tuple[str, ...], **given: Any) -> int:
    """Serve a 1688 gateway on this machine: same checks, same answers, same errors, made-up products.

    What is not given is as the scenario says, else as the sandbox has it. Everything it can be told: docs/sandbox.md.
    """
    from fetcher.sandbox import Scenario, read_scenario, serve, with_options

    begun = read_scenario(scenario) if scenario else Scenario()
    options = {name: value for name, value in given.items() if value not in (None, ())}
    serve(with_options(begun.settings, options, apps), changes=begun.changes)
    return 0
