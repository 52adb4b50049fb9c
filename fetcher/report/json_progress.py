"""`--progress json`: a JSON object a line on stderr, once a second and at the end, for programs that draw a bar.

`docs/progress.schema.json` is made from this file.
"""

from __future__ import annotations

from typing import Final

import msgspec

from fetcher.metrics import Snapshot
from fetcher.report.screen import Screen

SCHEMA: Final = 1
EVERY_S: Final = 1.0


class ProgressLine(msgspec.Struct, kw_only=True):
    """How far a run is. Keys that are not listed here may come at any time."""

    progress: int = SCHEMA
    """The schema's number, which grows when a key changes its meaning. A line that begins so is a progress line."""
    over: bool
    """The last line of the run."""
    elapsed_s: float
    total: int | None
    """Distinct IDs of the input; null: unknown as yet."""
    done: int
    """IDs that need nothing more, those of earlier runs included."""
    fetched: int
    failed: int
    skipped_known: int
    """Done by an earlier run."""
    waiting: int
    """IDs that will be tried again at a known time."""
    in_flight: int
    retries: int
    throttles: int
    """Answers that said: over the rate."""
    calls: int
    """Calls that left this machine and have come to an end."""
    calls_per_s: float
    """Starts a second over the last 5 seconds."""
    cap_per_s: float
    latency_p50_ms: float
    latency_p99_ms: float
    eta_s: float | None
    """Seconds until all is done as things go; null: cannot be said."""
    cost: float | None
    """Of all calls so far, as if each were charged; null: no price was given."""
    cost_expected: float | None
    """Of the whole run, if it goes on as it does."""
    cost_stored_nothing: float | None
    """Part of `cost` that brought nothing to store."""
    wait_reason: str
    """Why nothing is sent just now; empty when nothing stands in the way."""
    wait_left_s: float | None
    """Seconds until it goes on; null: nobody knows."""


class JsonLines:
    """See `Progress`."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._next_s = 0.0

    def update(self, snapshot: Snapshot) -> None:
        """See `Progress`."""
        if snapshot.elapsed_s < self._next_s:
            return
        self._next_s = (snapshot.elapsed_s // EVERY_S + 1) * EVERY_S
        self._screen.line(_line(snapshot, over=False))

    def close(self, snapshot: Snapshot) -> None:
        """See `Progress`."""
        self._screen.line(_line(snapshot, over=True))


def _line(snapshot: Snapshot, *, over: bool) -> str:
    names = ("total", "done", "fetched", "failed", "skipped_known", "waiting", "in_flight", "retries", "throttles")
    line = ProgressLine(
        over=over,
        elapsed_s=round(snapshot.elapsed_s, 3),
        **{name: getattr(snapshot, name) for name in names},
        calls=snapshot.attempts,
        calls_per_s=round(snapshot.rate_per_s, 3),
        cap_per_s=snapshot.cap_per_s,
        latency_p50_ms=round(snapshot.latency_p50_s * 1000, 3),
        latency_p99_ms=round(snapshot.latency_p99_s * 1000, 3),
        eta_s=_rounded(snapshot.eta_s),
        cost=_rounded(snapshot.cost, 6),
        cost_expected=_rounded(snapshot.cost_expected, 6),
        cost_stored_nothing=None if snapshot.price is None else round(snapshot.stored_nothing * snapshot.price, 6),
        wait_reason=snapshot.wait_reason,
        wait_left_s=_rounded(snapshot.wait_left_s),
    )
    return msgspec.json.encode(line).decode()


def _rounded(value: float | None, digits: int = 3) -> float | None:
    return None if value is None else round(value, digits)
