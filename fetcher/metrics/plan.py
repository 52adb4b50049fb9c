"""What a run would do, before anything is sent: how many calls, how long at the cap, done when, and what limits it.

Arithmetic only; the input was read and the output looked at by others. `report` puts it into words.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import msgspec

from fetcher.settings import Limit

SCHEMA: Final = 1
"""Of the plan as a document: grows when a key changes its meaning or goes away."""
ASSUMED_RETRIES: Final = 0.01
"""Further calls for an ID, where no earlier run says better: a healthy gateway."""
ASSUMED_LINE_BYTES: Final = 6_000
"""Of a stored product, where OUT is empty: a product with its SKUs, as the sandbox makes them."""
CORE_CALLS_PER_S: Final = 8_000.0
"""What one process carries on a core of its own: three quarters of what was measured without a cap."""


class Sending(NamedTuple):
    """How long it takes until the last of so many calls has started."""

    duration_s: float
    hours_s: float = 0.0
    """Of that: outside the hours in which calls may start."""
    quotas_s: Mapping[str, float] = MappingProxyType({})
    """Of that: until a cap over a longer time has calls again, by the cap."""


class InputCounts(msgspec.Struct, frozen=True, kw_only=True):
    """What the input and the output of earlier runs hold.

    `lines = blank + comments + header + duplicates + bad + fetched_earlier + failed_earlier + fresh + new + to_retry`.
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
    """Stay failed."""
    failed_by_kind: dict[str, int] = {}
    """What stands in the failed file, `to_retry` included."""
    to_retry: int = 0
    """Failed earlier, and are tried again."""
    fresh: int = 0
    """Passed over: other files hold them."""
    new: int = 0
    is_estimate: bool = False
    """The input was too long to be read for a look ahead: counts are by the share of it that was."""


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How fast it may go, and what is known of a call. None: not known, not set."""

    cap_per_s: float
    headroom: float = 0.0
    """Share of the cap left unused, 0 to 1."""
    max_calls: int | None = None
    quotas: tuple[Limit, ...] = ()
    """Caps over longer times, of all keys together."""
    quotas_used: dict[str, int] = {}
    """Calls that count under them already, of all keys together."""
    hours: tuple[str, ...] = ()
    """Outside of which nothing starts."""
    price: float | None = None
    """Of a call."""
    ids_per_call: int = 1
    """More than one: a call is about a batch of them."""
    concurrency: int | None = None
    """Calls in flight, where the user has fixed them."""
    processes: int = 1
    latency_s: float | None = None
    """A call's usual duration."""
    attempts: float | None = None
    """Calls that an ID took so far."""
    line_bytes: float | None = None
    """Of a stored product, so far."""
    free_bytes: int | None = None
    """On OUT's disk."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome."""

    schema: int = SCHEMA
    counts: InputCounts
    pace: Pace
    ids: int
    """That are to be asked for, now."""
    calls: int
    """Without retries."""
    retries: int
    """Further calls that are to be expected."""
    left_over: int
    """IDs that `max_calls` leaves for a later run."""
    rate_per_s: float
    """Calls."""
    duration_s: float
    finish_wall_ms: int
    """Wall clock, milliseconds since 1970 UTC."""
    limited_by: str
    """`cap`, `quota` (`--cap`), `concurrency` (at the latency), `core` or, when nothing is to be sent, `nothing`."""
    hours_wait_s: float = 0.0
    """Of the duration: outside the hours in which calls may start."""
    quota_waits_s: dict[str, float] = {}
    """Of the duration: until a cap over a longer time has calls again, by the cap as it was written."""
    concurrency_needed: int | None
    """Calls in flight that the cap needs at the latency that is known."""
    disk_bytes: int
    """That the products will take."""
    cost: float | None = None
    """Of these calls, retries included; None without a price."""
    cost_without_retries: float | None = None

    @property
    def quota(self) -> str | None:
        """The cap over a longer time that makes it wait longest, as it was written."""
        return max(self.quota_waits_s, key=lambda text: self.quota_waits_s[text], default=None)

    @property
    def disk_is_short(self) -> bool:
        """There is less room than will be needed."""
        return self.pace.free_bytes is not None and self.disk_bytes > self.pace.free_bytes

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        plan: dict[str, Any] = msgspec.to_builtins(self)
        return plan


def make_plan(
    counts: InputCounts, pace: Pace, wall_ms: int, sending: Callable[[int, float], Sending] | None = None
) -> Plan:
    """Reckon it up for a run that starts at `wall_ms`.

    The first call waits one gap, as the pacer has it; the last answer takes one latency more.

    Args:
        counts: of the input.
        pace: how fast it may go.
        wall_ms: the beginning, milliseconds since 1970 UTC.
        sending: plays so many calls at such a rate through, where there are caps over longer times or hours.
    """
    wanted = counts.new + counts.to_retry
    further = ASSUMED_RETRIES if pace.attempts is None else max(0.0, pace.attempts - 1.0)
    all_calls = math.ceil(wanted / pace.ids_per_call)
    calls = all_calls if pace.max_calls is None else min(all_calls, pace.max_calls)
    ids = min(wanted, calls * pace.ids_per_call)
    retries = round(calls * further)
    if pace.max_calls is not None:
        retries = min(retries, pace.max_calls - calls)
    rate_per_s, limited_by = min(_limits(pace))
    at_cap_per_s = pace.cap_per_s * (1.0 - pace.headroom)
    all_sent = Sending((calls + retries) / rate_per_s) if sending is None else sending(calls + retries, rate_per_s)
    duration_s = all_sent.duration_s + (pace.latency_s or 0.0) if calls else 0.0
    if all_sent.quotas_s:
        limited_by = "quota"
    return Plan(
        counts=counts,
        pace=pace,
        ids=ids,
        calls=calls,
        retries=retries,
        left_over=wanted - ids,
        rate_per_s=rate_per_s,
        duration_s=duration_s,
        finish_wall_ms=wall_ms + round(duration_s * 1000),
        limited_by=limited_by if calls else "nothing",
        hours_wait_s=round(all_sent.hours_s, 3),
        quota_waits_s={text: round(wait_s, 3) for text, wait_s in all_sent.quotas_s.items()},
        concurrency_needed=math.ceil(at_cap_per_s * pace.latency_s) if pace.latency_s else None,
        disk_bytes=round(ids * (pace.line_bytes or ASSUMED_LINE_BYTES)),
        cost=None if pace.price is None else (calls + retries) * pace.price,
        cost_without_retries=None if pace.price is None else calls * pace.price,
    )


def _limits(pace: Pace) -> list[tuple[float, str]]:
    """Every limit as calls a second."""
    limits = [
        (pace.cap_per_s * (1.0 - pace.headroom), "cap"),
        (CORE_CALLS_PER_S * pace.processes, "core"),
    ]
    if pace.latency_s and pace.concurrency:
        limits.append((pace.concurrency / pace.latency_s, "concurrency"))
    return limits
