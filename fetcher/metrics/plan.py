"""What a run would do, before anything is sent: how many calls, how long at the cap, done when, and what limits it.

Arithmetic only; the input was read and the output looked at by others. `report` puts it into words.
"""

from __future__ import annotations

import math
from typing import Any

import msgspec


class InputCounts(msgspec.Struct, frozen=True, kw_only=True):
    """What the input and the output of earlier runs hold.

    `lines = blank + comments + header + duplicates + bad + fetched_earlier + failed_earlier + fresh + new`, where
    `to_retry` of `failed_earlier` are tried again.
    """

    lines: int = 0
    blank: int = 0
    comments: int = 0
    header: int = 0
    duplicates: int = 0
    bad: int = 0
    repaired: dict[str, int] = {}
    """IDs put right on the way (spaces, quotes, a spreadsheet's `.0`), by what was done."""
    fetched_earlier: int = 0
    failed_earlier: int = 0
    to_retry: int = 0
    fresh: int = 0
    """Other files hold them (`--known`)."""
    new: int = 0


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How fast it may go."""

    cap_per_s: float
    headroom: float = 0.0
    """Share of the cap left unused, 0 to 1."""
    max_calls: int | None = None
    price: float | None = None
    """Of a call."""
    ids_per_call: int = 1
    concurrency: int | None = None
    """Calls in flight, where the user has fixed them."""
    latency_s: float | None = None
    """A call's usual duration, where one is known."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome. Retries are not foreseen: each costs one call more."""

    counts: InputCounts
    pace: Pace
    calls: int
    left_over: int
    """IDs that `max_calls` leaves for a later run."""
    rate_per_s: float
    duration_s: float
    finish_wall_ms: int
    """Wall clock, milliseconds since 1970 UTC."""
    limited_by: str
    """`cap`, `concurrency` or, when nothing is to be sent, `nothing`."""
    concurrency_needed: int | None
    """Calls in flight that the cap needs at the latency that is known."""
    cost: float | None = None
    """Of these calls; None without a price."""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        plan: dict[str, Any] = msgspec.to_builtins(self)
        return plan


def make_plan(counts: InputCounts, pace: Pace, wall_ms: int) -> Plan:
    """Reckon it up for a run that starts at `wall_ms`.

    The first call waits one gap, as the pacer has it; the last answer takes one latency more.
    """
    wanted = counts.new + counts.to_retry
    needed = -(-wanted // pace.ids_per_call)
    calls = needed if pace.max_calls is None else min(needed, pace.max_calls)
    at_cap_per_s = pace.cap_per_s * (1.0 - pace.headroom)
    rate_per_s, limited_by = at_cap_per_s, "cap"
    if pace.latency_s and pace.concurrency and pace.concurrency / pace.latency_s < at_cap_per_s:
        rate_per_s, limited_by = pace.concurrency / pace.latency_s, "concurrency"
    duration_s = calls / rate_per_s + (pace.latency_s or 0.0) if calls else 0.0
    return Plan(
        counts=counts,
        pace=pace,
        calls=calls,
        left_over=max(0, wanted - calls * pace.ids_per_call),
        rate_per_s=rate_per_s,
        duration_s=duration_s,
        finish_wall_ms=wall_ms + round(duration_s * 1000),
        limited_by=limited_by if calls else "nothing",
        concurrency_needed=math.ceil(at_cap_per_s * pace.latency_s) if pace.latency_s else None,
        cost=None if pace.price is None else calls * pace.price,
    )
