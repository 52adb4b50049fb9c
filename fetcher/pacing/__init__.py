"""When the next call may start, and how many may be in flight. Decides with numbers only: no clock, no event loop.

`Pacer` keeps the cap, `LeasedPacer` one that many processes share (`SlotBook` is what their meeting place keeps),
`Throttle` lowers the rate when the gateway asks for it, `InFlight` follows the latency.
"""

from __future__ import annotations

from fetcher.pacing.forecast import Forecast, Lane, forecast
from fetcher.pacing.headroom import Headroom
from fetcher.pacing.inflight import InFlight
from fetcher.pacing.lease import (
    AHEAD_S,
    Ask,
    ClockOffset,
    Grant,
    Lease,
    LeasePlace,
    PlaceLost,
    SlotBook,
    Slowdown,
    as_seen_from,
    as_seen_from_place,
    least_gap_s,
)
from fetcher.pacing.leased import LeasedPacer
from fetcher.pacing.pacer import Pacer
from fetcher.pacing.quiet_hours import OpenHours
from fetcher.pacing.quotas import Moment, Quotas, make_quotas
from fetcher.pacing.retry_after import parse_retry_after
from fetcher.pacing.throttle import Throttle

__all__ = [
    "AHEAD_S",
    "Ask",
    "ClockOffset",
    "Forecast",
    "Grant",
    "Headroom",
    "InFlight",
    "Lane",
    "Lease",
    "LeasePlace",
    "LeasedPacer",
    "Moment",
    "OpenHours",
    "Pacer",
    "PlaceLost",
    "Quotas",
    "SlotBook",
    "Slowdown",
    "Throttle",
    "as_seen_from",
    "as_seen_from_place",
    "forecast",
    "least_gap_s",
    "make_quotas",
    "parse_retry_after",
]
