"""`fetcher explain`: what has become of one ID, when, after how many attempts, and what to do about it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import click

from fetcher.cli.help import Command

if TYPE_CHECKING:
    from fetcher.output import Found, Trace

_EXAMPLES: Final = """
fetcher explain 610947572360 -o products.jsonl
fetcher explain 610947572360 -o products.jsonl --json | jq .ending
"""

WHAT_TO_DO: Final = {
    "not_found": "the gateway knows no such product: is the ID right, or was it taken off the shelf?",
    "rejected": "the gateway refuses this ID: its code and message say why",
    "bad_id": "correct the line of the input; it is then another ID, and the same command fetches it",
    "too_large": "raise max_body_bytes, then --retry-failed all",
    "throttled": "the same command tries it again; a lower --qps helps where many end so",
    "timeout": "the same command tries it again; a longer --timeout helps where many end so",
    "network": "the same command tries it again",
    "server": "the same command tries it again: the trouble was the gateway's",
    "malformed": "the same command tries it again; if it stays so, something on the way changes the answers",
}
"""By the failure's kind."""


@click.command("explain", cls=Command, examples=_EXAMPLES)
@click.argument("product_id", metavar="ID")
@click.option("-o", "--output", "out", required=True, metavar="OUT", type=click.Path(), help="the OUT of the run")
@click.option("--failed", metavar="PATH", type=click.Path(), help="the failed file; unset: OUT with .failed.jsonl")
@click.option("--json", "as_json", is_flag=True, help="as JSON, for programs")
def command(product_id: str, out: str, failed: str | None, as_json: bool) -> int:
    """Say what has become of ID: its outcome, attempts, code and time, and what to do. Nothing is sent.

    The exit code is 0 when it has an outcome and 1 when it has none.
    """
    from fetcher.ids import check_id
    from fetcher.output import find_id

    product_id = check_id(product_id, numeric=True).id or check_id(product_id, numeric=False).id or product_id
    trace = find_id(product_id, out, failed)
    if as_json:
        click.echo(json.dumps(_facts(product_id, trace), ensure_ascii=False, indent=2))
    else:
        from fetcher.report import visible

        for line in _words(product_id, out, trace):
            click.echo(visible(line))
    return 0 if trace.found else 1


def _facts(product_id: str, trace: Trace) -> dict[str, Any]:
    """As the line has it, without the data."""
    facts: dict[str, Any] = {"id": product_id, "ending": None, "in_doubt": trace.in_doubt, "times": len(trace.found)}
    if trace.found:
        found = trace.found[0]
        head = _head(found)
        facts |= {"ending": found.ending, "file": found.path, **head}
        if (error := head.get("error")) is not None:
            facts["what_to_do"] = _advice(error)
    return facts


def _head(found: Found) -> dict[str, Any]:
    line = json.loads(found.line)
    data = line.pop("data", None)
    if isinstance(data, dict):
        line["fields"] = list(data)
    line["bytes"] = len(found.line)
    return dict(line)


def _words(product_id: str, out: str, trace: Trace) -> Iterator[str]:
    if not trace.found:
        yield from _nothing(product_id, out, trace)
        return
    for found in trace.found:
        head = _head(found)
        how_often = f"{head['attempts']} attempt{'' if head['attempts'] == 1 else 's'}"
        yield f"{product_id}: {found.ending}"
        yield f"  when: {head['fetched_at']}, after {how_often}, the last of {head['latency_ms']:g} ms"
        yield f"  where: {found.path}{' (beside it: not yet compressed)' if found.on_the_way else ''}"
        if "change" in head:
            yield f"  compared with earlier products: {head['change']}"
        if "fields" in head:
            yield f"  what: {head['bytes']} bytes with {', '.join(head['fields'][:8]) or 'no fields'}"
        if (error := head.get("error")) is not None:
            yield from _failure(error)
    if len(trace.found) > 1:
        yield "  it stands more than once: the same `fetcher run` command mends that"


def _failure(error: dict[str, Any]) -> Iterator[str]:
    code = f", code {error['code']}" if error.get("code") else ""
    status = f", HTTP {error['http_status']}" if error.get("http_status") else ""
    line = f", line {error['line']} of the input" if error.get("line") else ""
    yield f"  why: {error['kind']}{code}{status}{line}: {error['message'] or 'no message'}"
    yield f"  what to do: {_advice(error)}"


def _advice(error: dict[str, Any]) -> str:
    if error.get("code") == "in_doubt":
        return "it may have been charged: the same command with --on-doubt retry fetches it"
    again = "; it is permanent, so only --retry-failed all tries it again" if error.get("permanent") else ""
    return WHAT_TO_DO.get(error.get("kind", ""), "the code and the message say what is wrong") + again


def _nothing(product_id: str, out: str, trace: Trace) -> Iterator[str]:
    if trace.in_doubt:
        yield f"{product_id}: called, and its answer is stored nowhere"
        yield "  a run waits for it just now, or was killed before it was stored: then it may have been charged"
        yield "  what to do: the same command fetches it; with --on-doubt hold it keeps it back"
        return
    yield f"{product_id}: no outcome in {out} or the files beside it"
    yield "  it is still to be done, or the input does not name it, or --known holds it"
    yield "  what to do: the same `fetcher run` command goes on; fetcher verify names what is missing"
