"""When the next call may start, and how many may be in flight. Decides with numbers only: no clock, no event loop.

`Pacer` keeps the cap, `LeasedPacer` one that many processes share (`SlotBook` is what their meeting place keeps),
`Throttle` lowers the rate when the gateway asks for it, `InFlight` follows the latency.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fetcher.doors import lazy

if TYPE_CHECKING:
    from fetcher.pacing.foresight import Forecast as Forecast
    from fetcher.pacing.foresight import Lane as Lane
    from fetcher.pacing.foresight import forecast as forecast
    from fetcher.pacing.headroom import Headroom as Headroom
    from fetcher.pacing.inflight import InFlight as InFlight
    from fetcher.pacing.lease import AHEAD_S as AHEAD_S
    from fetcher.pacing.lease import Ask as Ask
    from fetcher.pacing.lease import ClockOffset as ClockOffset
    from fetcher.pacing.lease import Grant as Grant
    from fetcher.pacing.lease import Lease as Lease
    from fetcher.pacing.lease import LeasePlace as LeasePlace
    from fetcher.pacing.lease import PlaceLost as PlaceLost
    from fetcher.pacing.lease import SlotBook as SlotBook
    from fetcher.pacing.lease import Slowdown as Slowdown
    from fetcher.pacing.lease import as_seen_from as as_seen_from
    from fetcher.pacing.lease import as_seen_from_place as as_seen_from_place
    from fetcher.pacing.lease import least_gap_s as least_gap_s
    from fetcher.pacing.leased import LeasedPacer as LeasedPacer
    from fetcher.pacing.pacer import Pacer as Pacer
    from fetcher.pacing.quiet_hours import OpenHours as OpenHours
    from fetcher.pacing.quotas import Moment as Moment
    from fetcher.pacing.quotas import Quotas as Quotas
    from fetcher.pacing.quotas import make_quotas as make_quotas
    from fetcher.pacing.retry_after import parse_retry_after as parse_retry_after
    from fetcher.pacing.throttle import Throttle as Throttle

_FILES: Final = {
    "AHEAD_S": "lease",
    "Ask": "lease",
    "ClockOffset": "lease",
    "Forecast": "foresight",
    "Grant": "lease",
    "Headroom": "headroom",
    "InFlight": "inflight",
    "Lane": "foresight",
    "Lease": "lease",
    "LeasePlace": "lease",
    "LeasedPacer": "leased",
    "Moment": "quotas",
    "OpenHours": "quiet_hours",
    "Pacer": "pacer",
    "PlaceLost": "lease",
    "Quotas": "quotas",
    "SlotBook": "lease",
    "Slowdown": "lease",
    "Throttle": "throttle",
    "as_seen_from": "lease",
    "as_seen_from_place": "lease",
    "forecast": "foresight",
    "least_gap_s": "lease",
    "make_quotas": "quotas",
    "parse_retry_after": "retry_after",
}

__all__ = [*_FILES]
__getattr__ = lazy(__name__, _FILES)
