"""`fetcher sandbox`: serves the embedded gateway until it is stopped."""

from __future__ import annotations

from typing import Any

import click

from fetcher.cli.help import Command

_EXAMPLES = """
fetcher sandbox --port 8600 --qps 50 --error-rate 0.02
FETCHER_SANDBOX_SECRET=abc fetcher sandbox   # a secret of your own; else a published one
"""


@click.command("sandbox", cls=Command, examples=_EXAMPLES)
@click.option("--host", metavar="HOST", help="address to listen on")
@click.option("--port", metavar="N", type=click.IntRange(0, 65535), help="port to listen on; 0: a free one")
@click.option("--app-key", metavar="KEY", help="the one app key that is known")
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
def command(**given: Any) -> int:
    """Serve a 1688 gateway on this machine: same checks, same answers, same errors, made-up products.

    What is not given is as the sandbox has it.
    """
    from fetcher.sandbox import SandboxSettings, serve

    serve(SandboxSettings(**{name: value for name, value in given.items() if value is not None}))
    return 0
