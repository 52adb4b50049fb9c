"""When the next call may start, and how many may be in flight. Decides with numbers only: no clock, no event loop.

`Pacer` keeps the cap, `Throttle` lowers the rate when the gateway asks for it, `InFlight` follows the latency.
"""

from __future__ import annotations

from fetcher.pacing.headroom import Headroom
from fetcher.pacing.inflight import InFlight
from fetcher.pacing.pacer import Pacer
from fetcher.pacing.retry_after import parse_retry_after
from fetcher.pacing.throttle import Throttle

__all__ = ["Headroom", "InFlight", "Pacer", "Throttle", "parse_retry_after"]
