"""Lines and bars as SVG, by hand: a picture needs no library."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 720, 360, 70, 40, 40
COLOUR = "#2563a8"


def _frame(title: str, inner: str, height: int = HEIGHT) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'font-family="sans-serif" font-size="12">'
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>'
        f'<text x="{WIDTH / 2}" y="22" text-anchor="middle" font-size="15">{escape(title)}</text>{inner}</svg>\n'
    )


def line(title: str, points: Sequence[tuple[float, float]], x_name: str, y_name: str) -> str:
    """One line through the points; both axes start at nought."""
    most_x, most_y = max(x for x, _ in points) or 1, max(y for _, y in points) * 1.15 or 1

    def place(x: float, y: float) -> str:
        across = LEFT + x / most_x * (WIDTH - LEFT - 20)
        return f"{across:.1f},{HEIGHT - BOTTOM - y / most_y * (HEIGHT - BOTTOM - TOP):.1f}"

    marks = "".join(
        f'<line x1="{LEFT}" x2="{WIDTH - 20}" y1="{place(0, y).split(",")[1]}" y2="{place(0, y).split(",")[1]}" '
        f'stroke="#ddd"/>'
        f'<text x="{LEFT - 6}" y="{float(place(0, y).split(",")[1]) + 4}" text-anchor="end">{y:.0f}</text>'
        for y in (most_y * k / 4 for k in range(5))
    )
    marks += "".join(
        f'<text x="{place(x, 0).split(",")[0]}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{x:.0f}</text>'
        for x in (most_x * k / 6 for k in range(7))
    )
    path = " ".join(place(x, y) for x, y in points)
    names = (
        f'<text x="{WIDTH / 2}" y="{HEIGHT - 6}" text-anchor="middle">{escape(x_name)}</text>'
        f'<text x="14" y="{TOP - 8}">{escape(y_name)}</text>'
    )
    return _frame(title, f'{marks}<polyline points="{path}" fill="none" stroke="{COLOUR}" stroke-width="2"/>{names}')


def bars(title: str, values: Sequence[tuple[str, float]], unit: str) -> str:
    """One bar a name, with its figure."""
    most, height = max(value for _, value in values) or 1, 50 + 30 * len(values)
    inner = "".join(
        f'<text x="210" y="{58 + 30 * k}" text-anchor="end">{escape(name)}</text>'
        f'<rect x="220" y="{44 + 30 * k}" width="{max(1.0, value / most * 380):.1f}" height="20" fill="{COLOUR}"/>'
        f'<text x="{228 + max(1.0, value / most * 380):.1f}" y="{58 + 30 * k}">{value:,.0f} {escape(unit)}</text>'
        for k, (name, value) in enumerate(values)
    )
    return _frame(title, inner, height)
