"""The report: one HTML file that needs nothing else, from one summary or several side by side.

It is made of the summary alone, so `fetcher report run.json` draws what the run itself would have drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files
from itertools import chain
from typing import Any, Final

import msgspec

from fetcher.errors import InputError
from fetcher.report.comparison import comparison
from fetcher.report.curves import curves, scale_of
from fetcher.report.document import SCHEMA, Summary
from fetcher.report.markup import Markup, el, together
from fetcher.report.sections import (
    cap_proof,
    configuration,
    heading,
    keeping,
    money_section,
    outcomes,
    slowest,
    tiles,
)
from fetcher.report.written import write_whole

NOTHING_FROM_OUTSIDE: Final = "default-src 'none'; style-src 'unsafe-inline'"
"""The page asks for nothing, and the browser would refuse it if it did."""


def read_summary(data: bytes, name: str) -> Summary:
    """A summary as `--summary` wrote it.

    Raises:
        InputError: it is none, or of another schema.
    """
    try:
        schema = msgspec.json.decode(data, type=_AnySchema).schema
        if schema != SCHEMA:
            raise InputError(
                f"{name} is a summary of schema {schema}, and this program draws schema {SCHEMA}",
                "draw it with the version of fetcher that wrote it",
            )
        return msgspec.json.decode(data, type=Summary)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(
            f"{name} is no summary of a run: {error}", "fetcher run --summary run.json writes one"
        ) from None


class _AnySchema(msgspec.Struct):
    schema: int


def report_page(runs: Sequence[Summary], names: Sequence[str]) -> str:
    """The page.

    Args:
        runs: at least one.
        names: one for each, shown where there are several.
    """
    title = f"fetcher: {', '.join(names)}"
    body = _one(runs[0], names[0]) if len(runs) == 1 else _several(runs, names)
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", http_equiv="Content-Security-Policy", content=NOTHING_FROM_OUTSIDE),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"),
        el("title", title),
        el("style", _style()),
    )
    foot = el("footer", f"Drawn by fetcher {runs[0].versions.get('fetcher', '')}. This file needs no network.")
    return "<!doctype html>\n" + el("html", head, el("body", el("main", body, foot)), lang="en") + "\n"


def _style() -> Markup:
    return Markup(files("fetcher.report").joinpath("page.css").read_text(encoding="utf-8"))


def _one(run: Summary, name: str) -> Markup:
    first, *others = [el("section", plot) for plot in curves(run, scale_of([run]))]
    return together(heading(run, name), tiles(run), first, cap_proof(run), *others, *_rest(run))


def _rest(run: Summary) -> list[Markup | None]:
    return [outcomes(run), money_section(run), slowest(run), keeping(run), configuration(run)]


def _several(runs: Sequence[Summary], names: Sequence[str]) -> Markup:
    scale = scale_of(runs)
    drawn = [curves(run, scale) for run in runs]
    rows = [
        el("section", el("div", *(_named(name, plot) for name, plot in zip(names, row, strict=True)), class_="beside"))
        for row in zip(*drawn, strict=True)
    ]
    details = chain.from_iterable(
        (el("h2", name, class_="run"), tiles(run), cap_proof(run), *_rest(run))
        for run, name in zip(runs, names, strict=True)
    )
    head = el("header", el("h1", f"{len(runs)} runs side by side"), el("p", " · ".join(names), class_="facts"))
    return together(head, comparison(runs, names), *rows, *details)


def _named(name: str, plot: Markup) -> Markup:
    return el("div", el("p", name, class_="whose"), plot)


def write_report(document: Mapping[str, Any], name: str, path: str) -> None:
    """The page of one run, from its summary as a document; `-` is standard output.

    Raises:
        OutputError: it cannot be written.
    """
    page = report_page([msgspec.convert(document, Summary)], [name])
    write_whole(page.encode(), path, "report")
