"""Axes: from values to places between 0 and 1, with ticks that a person would have chosen."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, NamedTuple

from fetcher.report.figures import duration

TICKS: Final = 4
MOST_TIMES: Final = 8
MOST_DECADES: Final = 6
LOG_FROM: Final = 25.0
"""From so many times the smallest value on, only a logarithmic axis shows both ends."""
NEAT_SPANS_S: Final = (
    *(0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200),
    *(86_400 * days for days in (1, 2, 5, 10, 20, 50, 100)),
)


class Tick(NamedTuple):
    """A line across the plot, and what stands beside it."""

    place: float
    text: str


class Axis(NamedTuple):
    """From `low` to `high`."""

    low: float
    high: float
    ticks: tuple[Tick, ...]
    is_log: bool = False

    def place(self, value: float) -> float:
        """Between 0 and 1; values beyond the ends are at the ends."""
        if self.is_log:
            share = math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return min(1.0, max(0.0, share))


def linear(high: float, text: Callable[[float], str]) -> Axis:
    """From 0 to a little above `high`, ticks at 1, 2 or 5 times a power of ten."""
    high = high if high > 0 and math.isfinite(high) else 1.0
    rough = high / TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(neat * power for neat in (1, 2, 5, 10) if neat * power >= rough * 0.999)
    top = high * 1.06
    values = [number * step for number in range(int(top / step) + 1)]
    return Axis(0.0, top, tuple(Tick(value / top, text(value)) for value in values))


def logarithmic(low: float, high: float, text: Callable[[float], str]) -> Axis:
    """From a neat value below `low` to one above `high`, ticks at powers of ten and, where few, between."""
    bottom, top = 10.0 ** math.floor(math.log10(low)), 10.0 ** math.ceil(math.log10(high * 1.0001))
    decades = round(math.log10(top / bottom))
    between = (1, 2, 5) if decades <= 2 else (1,)
    stride = max(1, math.ceil(decades / MOST_DECADES))
    values = [neat * bottom * 10.0**decade for decade in range(0, decades + 1, stride) for neat in between]
    axis = Axis(bottom, top, (), is_log=True)
    return axis._replace(ticks=tuple(Tick(axis.place(v), text(v)) for v in values if v <= top * 1.0001))


def fitting(values: list[float], text: Callable[[float], str]) -> Axis:
    """Logarithmic where the values are far apart, else linear."""
    positive = [value for value in values if value > 0]
    if positive and max(positive) / min(positive) >= LOG_FROM:
        return logarithmic(min(positive), max(positive), text)
    return linear(max(positive, default=1.0), text)


def time(span_s: float) -> Axis:
    """Seconds since the beginning."""
    span_s = max(span_s, 0.1)
    step_s = next((neat for neat in NEAT_SPANS_S if span_s / neat <= MOST_TIMES), span_s / MOST_TIMES)
    count = int(span_s / step_s * 1.0001)
    ticks = [Tick(min(1.0, k * step_s / span_s), duration(k * step_s) if k else "0") for k in range(count + 1)]
    return Axis(0.0, span_s, tuple(ticks))


def nines(table: list[float]) -> Axis:
    """Shares of all, the last of each ten as wide as the nine before: 0, 90, 99, 99.9 %."""
    most = max((_depth(share) for share in table if share < 1.0), default=1.0)
    high = most + 0.3
    shares = [1.0 - 10.0**-depth for depth in range(int(most + 1e-9) + 1)]
    shares = sorted({0.5, *shares}) if most < 2.5 else shares
    return Axis(0.0, high, tuple(Tick(_depth(share) / high, f"{share * 100:.6g} %") for share in shares))


def depth(share: float, axis: Axis) -> float:
    """A share's place on an axis of nines; the longest of all stands at its end."""
    return 1.0 if share >= 1.0 else _depth(share) / axis.high


def _depth(share: float) -> float:
    return -math.log10(1.0 - share)
