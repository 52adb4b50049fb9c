"""Plots as inline SVG. Lines are drawn into a box that is stretched to the width there is; words stand beside it as
HTML, so that they keep their size on a phone.

It knows points and names, not what they mean.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from fetcher.report.axes import Axis
from fetcher.report.markup import Markup, el, together

WIDTH: Final = 1000
HEIGHT: Final = 200
HOVERS: Final = 60
"""Places that say more under the mouse."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A series. Its colour is the style sheet's `--KIND`."""

    name: str
    kind: str
    values: Sequence[float | None]
    """None: a gap."""
    is_area: bool = False
    is_step: bool = False


class Rule(msgspec.Struct, frozen=True):
    """A horizontal line."""

    name: str
    kind: str
    value: float


class Band(msgspec.Struct, frozen=True):
    """A time that is marked from top to bottom; `words` under the mouse."""

    start: float
    end: float
    words: str


class Plot(msgspec.Struct, frozen=True, kw_only=True):
    """Everything in one frame."""

    title: str
    words: str
    """One or two sentences under the title."""
    x: Axis
    y: Axis
    xs: Sequence[float]
    """Places (0 to 1) of the values of all lines."""
    lines: Sequence[Line]
    rules: Sequence[Rule] = ()
    bands: Sequence[Band] = ()
    hovers: Sequence[str] = ()
    """What the mouse is told at each of `xs`."""
    mark: str = ""
    """What `bands` are, for the legend."""


def figure(plot: Plot) -> Markup:
    """The plot with its title, legend and axes."""
    drawing = el(
        "svg",
        el("title", plot.title),
        _grid(plot),
        *(_band(band, plot.x) for band in plot.bands),
        *(_draw(line, plot) for line in plot.lines),
        *(_rule(rule, plot.y) for rule in plot.rules),
        _hovers(plot),
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        preserveAspectRatio="none",
        role="img",
        aria_label=f"{plot.title}. {plot.words}",
    )
    ys = [el("span", tick.text, style=f"bottom:{tick.place * 100:.2f}%") for tick in plot.y.ticks]
    return el(
        "figure",
        el("figcaption", el("h3", plot.title), el("p", plot.words), _legend(plot)),
        el("div", el("div", *ys, class_="y"), el("div", drawing, class_="box"), x_axis(plot.x), class_="plot"),
    )


def x_axis(axis: Axis) -> Markup:
    """Labels under a plot; every other one may be left out where it is narrow."""
    many = len(axis.ticks) > 5
    labels = [
        el(
            "span",
            tick.text,
            style=f"left:{tick.place * 100:.2f}%",
            class_=" ".join(_x_classes(tick.place, odd=many and number % 2 == 1)) or None,
        )
        for number, tick in enumerate(axis.ticks)
    ]
    return el("div", *labels, class_="x")


def _x_classes(place: float, *, odd: bool) -> Iterable[str]:
    if odd:
        yield "odd"
    if place < 0.02:
        yield "first"
    elif place > 0.96:
        yield "last"


def _legend(plot: Plot) -> Markup:
    keys = [el("span", el("i", class_=f"key {line.kind}"), line.name) for line in plot.lines]
    keys += [el("span", el("i", class_=f"key rule {rule.kind}"), rule.name) for rule in plot.rules]
    if plot.bands and plot.mark:
        keys.append(el("span", el("i", class_="key pause"), plot.mark))
    return el("p", *keys, class_="legend")


def _x(place: float) -> str:
    return f"{place * WIDTH:.1f}".removesuffix(".0")


def _y(place: float) -> str:
    return f"{(1.0 - place) * HEIGHT:.1f}".removesuffix(".0")


def _grid(plot: Plot) -> Markup:
    across = "".join(f"M0 {_y(tick.place)}H{WIDTH}" for tick in plot.y.ticks)
    return el("path", d=across, class_="grid")


def _band(band: Band, axis: Axis) -> Markup:
    start, end = axis.place(band.start), axis.place(band.end)
    width = max(end - start, 0.002)  # a short one must be seen, too
    return el("rect", x=_x(start), width=_x(width), y="0", height=HEIGHT, class_="pause")


def _rule(rule: Rule, axis: Axis) -> Markup:
    return el("path", d=f"M0 {_y(axis.place(rule.value))}H{WIDTH}", class_=f"rule {rule.kind}")


def _draw(line: Line, plot: Plot) -> Markup:
    xs, values = plot.xs, line.values
    if line.is_step and values:  # a stretch's value holds from the end of the one before it
        xs, values = [0.0, *xs], [values[0], *values]
    runs = list(_runs(xs, [None if value is None else plot.y.place(value) for value in values]))
    drawn = [el("path", d="".join(_path(run, line.is_step) for run in runs), class_=f"line {line.kind}")]
    if line.is_area:
        under = "".join(
            f"{_path(run, line.is_step)}L{_x(run[-1][0])} {HEIGHT}L{_x(run[0][0])} {HEIGHT}Z" for run in runs if run
        )
        drawn.insert(0, el("path", d=under, class_=f"area {line.kind}"))
    return together(*drawn)


def _runs(xs: Sequence[float], ys: Sequence[float | None]) -> Iterable[list[tuple[float, float]]]:
    """What hangs together. A point alone is given a little length, so that it is seen."""
    run: list[tuple[float, float]] = []
    for x, y in zip(xs, ys, strict=True):
        if y is None:
            if run:
                yield run
            run = []
        else:
            run.append((x, y))
    if run:
        yield run if len(run) > 1 else [(max(0.0, run[0][0] - 0.004), run[0][1]), run[0]]


def _path(run: Sequence[tuple[float, float]], is_step: bool) -> str:
    parts = [f"M{_x(run[0][0])} {_y(run[0][1])}"]
    for x, y in run[1:]:
        parts.append(f"V{_y(y)}H{_x(x)}" if is_step else f"L{_x(x)} {_y(y)}")
    return "".join(parts)


def _hovers(plot: Plot) -> Markup:
    """Invisible strips with a tooltip each; of several points in a strip the last one speaks."""
    strips, start = [], 0.0
    for place, words in zip(plot.xs, plot.hovers, strict=False):
        if place - start >= 1.0 / HOVERS or place >= 1.0:
            strip = {"x": _x(start), "width": _x(max(place - start, 0.0)), "y": "0", "height": str(HEIGHT)}
            attributes = " ".join(f'{key}="{value}"' for key, value in strip.items())
            strips.append(Markup(f"<rect {attributes}>{el('title', words)}</rect>"))
            start = place
    return el("g", *strips, class_="hover")


def lanes(title: str, words: str, x: Axis, rows: Sequence[tuple[str, str, Sequence[Band]]]) -> Markup:
    """Strips on one time line, one under the other: (name, kind, marks). A mark's `words` are under the mouse."""
    drawn = [el("div", el("span", name), _lane(kind, marks, x), class_="lane") for name, kind, marks in rows]
    if drawn:
        drawn.append(el("div", el("span"), x_axis(x), class_="lane"))
    caption = el("figcaption", el("h3", title), el("p", words))
    return el("figure", caption, el("div", *drawn, class_="lanes") if drawn else None)


def _lane(kind: str, marks: Sequence[Band], axis: Axis) -> Markup:
    rects = []
    for mark in marks:
        start, end = axis.place(mark.start), axis.place(mark.end)
        width = _x(max(end - start, 0.003))
        rects.append(
            Markup(f'<rect x="{_x(start)}" width="{width}" y="0" height="20">{el("title", mark.words)}</rect>')
        )
    return el("svg", *rects, viewBox=f"0 0 {WIDTH} 20", preserveAspectRatio="none", class_=f"lane-{kind}")


def bars(rows: Sequence[tuple[str, str, float, str]]) -> Markup:
    """Horizontal bars: (name, kind, value, what is written behind)."""
    most = max((value for _, _, value, _ in rows), default=0.0) or 1.0
    return el(
        "div",
        *(
            el(
                "div",
                el("span", name, class_="name"),
                el("span", el("i", class_=f"bar {kind}", style=f"width:{value / most * 100:.2f}%"), class_="track"),
                el("span", words, class_="value"),
                class_="row",
            )
            for name, kind, value, words in rows
        ),
        class_="bars",
    )
