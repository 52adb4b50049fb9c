"""`fetcher apis`: the APIs that can be chosen with `--api`, the user's own among them, and how one is called."""

from __future__ import annotations

import json
from collections.abc import Iterator
from textwrap import wrap
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

import click

from fetcher.cli.console import Console
from fetcher.cli.help import Command

if TYPE_CHECKING:
    from fetcher.gateway import Api

EXAMPLE_IDS: Final = ("610947572360", "610947572361")
EXAMPLE_KEY: Final = "APP_KEY"
EXAMPLE_TOKEN: Final = "ACCESS_TOKEN"  # noqa: S105 - a word, not a token
EXAMPLE_MS: Final = 1_700_000_000_000

_EXAMPLES: Final = """
fetcher apis                       # all of them
fetcher apis product-batch         # one: its parameters, an example of a call
fetcher apis --json | jq 'map(.name)'
"""


@click.command("apis", cls=Command, examples=_EXAMPLES)
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="as JSON, for programs")
@click.option("--protocol", metavar="NAME", help="of the example; unset: param2, or top for the TOP family")
@click.option("--config", metavar="PATH", type=click.Path(), help="where your own APIs stand; unset: ./fetcher.toml")
@click.pass_context
def command(ctx: click.Context, name: str | None, as_json: bool, protocol: str | None, config: str | None) -> int:
    """List the APIs that can be fetched from, or show one, with an example of a call. Nothing is sent.

    Any other API can be called by its full name, namespace/name/version, with --id-param. Your own presets stand in
    fetcher.toml, a table [apis.NAME] each (docs/apis.md).
    """
    from fetcher.gateway import ALIASES, APIS, find_api, own_apis
    from fetcher.settings import load

    loaded = load({"config": config} if config else {})
    (ctx.find_object(Console) or Console()).learn(loaded)
    own = own_apis(dict(loaded.settings.apis))
    if name is not None:
        api = find_api(name, None, own)
        click.echo(_json(_facts(api)) if as_json else "\n".join(_page(api, protocol, loaded.settings.gateway)))
        return 0
    shown = [*own.values(), *(api for api in APIS.values() if api.name not in own)]
    if as_json:
        click.echo(_json([_facts(api) for api in shown]))
        return 0
    width = max(len(api.name) for api in shown) + 2
    for api in shown:
        others = [alias for alias, of in ALIASES.items() if of == api.name]
        also = f" (also: {', '.join(others)})" if others else ""
        click.echo(f"{api.name:{width}}{api.about or 'yours'}{also}\n{'':{width}}{_short(api)}")
    click.echo("\nAny other: --api namespace/name/version --id-param NAME. One in full: fetcher apis NAME")
    return 0


def _short(api: Api) -> str:
    """The second line of an entry."""
    ids = f"up to {api.listing.most} IDs a call" if api.listing else "one ID a call"
    return f"{api.full_name} · {api.id_parameter} · {ids} · {'token' if api.needs_token else 'no token'}"


def _facts(api: Api) -> dict[str, Any]:
    """What a program may want to know."""
    listing = api.listing
    return {
        "name": api.name,
        "about": api.about,
        "api": api.full_name,
        "family": api.family.name.lower(),
        "id_param": api.id_parameter,
        "id_field": api.id_field or None,
        "params": dict(api.fixed),
        "batch": listing.usual if listing else 1,
        "most": listing.most if listing else 1,
        "needs_token": api.needs_token,
        "numeric_ids": api.numeric_ids,
        "method": api.method or None,
        "answer": [".".join(path) for path in (listing.lists if listing else api.form.things)],
        "answer_id": [".".join(path) for path in (listing.ids if listing else api.form.ids)],
        "absent_codes": list(api.absent_codes),
        "keep": [".".join(path) for path in api.keep],
        "price": api.price,
    }


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _page(api: Api, protocol: str | None, gateway: str) -> Iterator[str]:
    """One API in full."""
    facts = _facts(api)
    yield f"{api.name}: {api.about or 'your own'}"
    yield ""
    batch = (
        f"up to {facts['most']} IDs a call, {facts['batch']} unless --batch says" if api.listing else "one ID a call"
    )
    rows = {
        "API": api.full_name,
        "ID": f"{api.id_parameter}{f', as {api.id_field} in a JSON text' if api.id_field else ''}; {batch}",
        "parameters": ", ".join(f"{name}={value}" for name, value in api.fixed),
        "token": "needed (an app of a single user needs none)" if api.needs_token else "not needed",
        "answer": " or ".join(facts["answer"]) or "whatever tells of no error",
        "its ID": " or ".join(facts["answer_id"]),
        "absent": ", ".join(api.absent_codes),
        "kept": ", ".join(facts["keep"]),
        "price": "" if api.price is None else f"{api.price:g} a call",
    }
    width = max(map(len, rows)) + 4
    for name, text in rows.items():
        yield from wrap(text, 100, initial_indent=f"  {name:{width - 2}}", subsequent_indent=" " * width)
    yield ""
    yield from _example(api, protocol, gateway)


def _example(api: Api, protocol: str | None, gateway: str) -> Iterator[str]:
    """A call as it would be sent, written by the same code; what is secret is named instead."""
    from fetcher.gateway import Credentials, Family, Gateway
    from fetcher.model import Item
    from fetcher.secret import Secret

    token = Secret(EXAMPLE_TOKEN) if api.needs_token else None
    credentials = Credentials(EXAMPLE_KEY, Secret("no secret"), token)
    usual = "top" if api.family is Family.TOP else "param2"
    own = Gateway(api, protocol or usual, credentials, gateway)
    ids = EXAMPLE_IDS[: own.batch]
    request = own.request(own.call([Item(id_, 1) for id_ in ids]), EXAMPLE_MS)
    path, _, query = request.target.partition("?")
    *pairs, (signature, _) = parse_qsl(query or request.body.decode(), keep_blank_values=True)
    yield f"{request.method} {own.origin}{path}"
    yield from (f"  {name}={value}" for name, value in pairs)
    yield f"  {signature}=…"
    yield ""
    top = " --protocol top" if api.family is Family.TOP else ""
    yield f"fetcher run ids.txt -o out.jsonl --api {api.name}{top}"
