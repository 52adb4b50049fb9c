"""HTML and SVG as text that cannot be broken out of: whatever is not marked as markup is escaped.

The page shows what gateways and users wrote; a message may hold tags, quotes, or an order to the terminal.
"""

from __future__ import annotations

from html import escape
from typing import TypeAlias

from fetcher.report.escaping import visible


class Markup(str):
    """Text that is markup already. Only `el` and `together` make it from anything that came from outside."""

    __slots__ = ()


Child: TypeAlias = "str | Markup | None"


def el(name: str, /, *children: Child, **attributes: str | float | bool | None) -> Markup:
    """An element. Text among `children` is escaped; None is left out.

    Attributes: `_` becomes `-` (a trailing one goes: `class_`), True stands alone, None and False are left out.
    """
    head = name + "".join(_attribute(key, value) for key, value in attributes.items())
    if name in ("meta", "path", "line", "rect", "br"):
        return Markup(f"<{head}/>")
    return Markup(f"<{head}>{together(*children)}</{name}>")


def together(*children: Child) -> Markup:
    """One after the other."""
    return Markup("".join(_safe(child) for child in children if child is not None))


def _safe(child: str) -> str:
    return child if isinstance(child, Markup) else escape(visible(child, keep_lines=True))


def _attribute(key: str, value: str | float | bool | None) -> str:
    if value is None or value is False:
        return ""
    key = key.rstrip("_").replace("_", "-")
    if value is True:
        return f" {key}"
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return f' {key}="{escape(visible(text))}"'


def table(
    heads: list[str], rows: list[list[Child]], *, numbers: tuple[int, ...] = (), wide: int | None = None
) -> Markup:
    """A table.

    Args:
        heads: titles of the columns.
        rows: the cells.
        numbers: columns that are set to the right.
        wide: the column that may break anywhere (messages).
    """

    def of(place: int) -> str | None:
        return "n" if place in numbers else "wide" if place == wide else None

    head = el("tr", *(el("th", text, class_=of(place), scope="col") for place, text in enumerate(heads)))
    body = [el("tr", *(el("td", cell, class_=of(place)) for place, cell in enumerate(row))) for row in rows]
    return el("div", el("table", el("thead", head), el("tbody", *body)), class_="scroll")
