"""Lines and bars as SVG, by hand: a picture needs no library."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

WIDTH, HEIGHT, LEFT, RIGHT, BOTTOM, TOP = 720, 360, 70, 20, 40, 40
COLOURS: Final = ("#2563a8", "#c2410c", "#15803d", "#7c3aed", "#a16207", "#be185d")
REST: Final = "#9aa5b1"

Points = Sequence[tuple[float, float]]


def _frame(title: str, inner: str, height: int = HEIGHT) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'font-family="sans-serif" font-size="12">'
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>'
        f'<text x="{WIDTH / 2}" y="22" text-anchor="middle" font-size="15">{escape(title)}</text>{inner}</svg>\n'
    )


def _said(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.2g}"


class _Axes:
    """From figures to places on the picture."""

    def __init__(self, x: tuple[float, float], y: tuple[float, float], *, log_x: bool) -> None:
        self._x, self._y, self._log_x = x, y, log_x

    def across(self, x: float) -> float:
        least, most = self._x
        part = math.log(x / least) / math.log(most / least) if self._log_x else (x - least) / (most - least)
        return LEFT + part * (WIDTH - LEFT - RIGHT)

    def up(self, y: float) -> float:
        least, most = self._y
        return HEIGHT - BOTTOM - (min(y, most) - least) / (most - least) * (HEIGHT - BOTTOM - TOP)

    def grid(self, ticks_x: Sequence[float], x_name: str, y_name: str) -> str:
        least, most = self._y
        rows = [least + (most - least) * k / 4 for k in range(5)]
        said = "".join(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{self.up(y):.1f}" y2="{self.up(y):.1f}" stroke="#ddd"/>'
            f'<text x="{LEFT - 6}" y="{self.up(y) + 4:.1f}" text-anchor="end">{_said(y)}</text>'
            for y in rows
        )
        said += "".join(
            f'<text x="{self.across(x):.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{_said(x)}</text>'
            for x in ticks_x
        )
        return (
            f'{said}<text x="{WIDTH / 2}" y="{HEIGHT - 6}" text-anchor="middle">{escape(x_name)}</text>'
            f'<text x="14" y="{TOP - 8}">{escape(y_name)}</text>'
        )


def lines(
    title: str,
    series: Mapping[str, Points],
    x_name: str,
    y_name: str,
    *,
    log_x: bool = False,
    most_y: float | None = None,
) -> str:
    """A line a name, with a legend. The upright axis starts at nought; what lies above `most_y` is cut off."""
    every = [point for points in series.values() for point in points]
    xs = sorted({x for x, _ in every})
    most = most_y or max(y for _, y in every) * 1.15 or 1.0
    axes = _Axes((xs[0] if log_x else 0.0, xs[-1] or 1.0), (0.0, most), log_x=log_x)
    ticks = xs if log_x else [axes_x * xs[-1] / 6 for axes_x in range(7)]
    inner = axes.grid(ticks, x_name, y_name)
    for k, (name, points) in enumerate(series.items()):
        colour = COLOURS[k % len(COLOURS)]
        path = " ".join(f"{axes.across(x):.1f},{axes.up(y):.1f}" for x, y in points)
        inner += f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
        if len(series) > 1:
            inner += f'<text x="{WIDTH - RIGHT - 150}" y="{TOP + 16 + 16 * k}" fill="{colour}">{escape(name)}</text>'
    return _frame(title, inner)


def line(title: str, points: Points, x_name: str, y_name: str) -> str:
    """One line through the points; both axes start at nought."""
    return lines(title, {"": points}, x_name, y_name)


def bars(title: str, values: Sequence[tuple[str, float]], unit: str, *, mark: str = "", log: bool = False) -> str:
    """One bar a name, with its figure.

    Args:
        title: above it.
        values: names and figures.
        unit: behind each figure.
        mark: names that begin so have the strong colour; the others are grey.
        log: each bar as long as its figure's logarithm, from a tenth of the smallest on.
    """
    most, least = max(value for _, value in values) or 1, min(value for _, value in values)
    height = 50 + 30 * len(values)

    def length(value: float) -> float:
        part = math.log(value / (least / 10)) / math.log(most / (least / 10)) if log and least > 0 else value / most
        return max(1.0, part * 380)

    inner = "".join(
        f'<text x="210" y="{58 + 30 * k}" text-anchor="end">{escape(name)}</text>'
        f'<rect x="220" y="{44 + 30 * k}" width="{length(value):.1f}" height="20" '
        f'fill="{COLOURS[0] if name.startswith(mark) else REST}"/>'
        f'<text x="{228 + length(value):.1f}" y="{58 + 30 * k}">{_said(value)} {escape(unit)}</text>'
        for k, (name, value) in enumerate(values)
    )
    return _frame(title, inner, height)
