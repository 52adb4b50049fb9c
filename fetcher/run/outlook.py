"""How long it will still take, where caps over longer times and hours have a say: what is left, played through ahead.

It must not know how a run is shown.
"""

from __future__ import annotations

import math
from typing import Final

import msgspec

from fetcher.metrics import Snapshot
from fetcher.model import Kind
from fetcher.run.assemble import Parts
from fetcher.run.keys import moment

ANEW_S: Final = 5.0
"""Between two looks ahead; in between it counts down."""
WINDOWS: Final = 5
"""Of a quota; then it is taken for a rate, so that a look takes a few milliseconds."""


class Outlook:
    """Of a run in this process."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._matters = bool(parts.settings.windows) or any(key.quotas is not None for key in parts.keys)
        self._looked_s, self._end_s = -math.inf, math.inf

    def told(self, snapshot: Snapshot) -> Snapshot:
        """The same, with the time that is left."""
        if not self._matters or snapshot.total is None or snapshot.done >= snapshot.total:
            return snapshot
        now_s = self._parts.clock.monotonic_s()
        if now_s - self._looked_s >= ANEW_S:
            self._looked_s, self._end_s = now_s, now_s + self._left_s(snapshot, snapshot.total - snapshot.done)
        return msgspec.structs.replace(snapshot, eta_s=max(0.0, self._end_s - now_s))

    def _left_s(self, snapshot: Snapshot, ids: int) -> float:
        from fetcher.pacing import Lane, forecast

        parts = self._parts
        decided = snapshot.fetched + snapshot.failed - snapshot.failed_by_kind.get(Kind.BAD_ID, 0)
        calls_per_id = (snapshot.attempts - snapshot.own) / decided if decided > 0 else 1 / parts.gateway.batch
        # While it went; what is waited for is played through.
        rate_per_s = min(parts.cap_proof.mean_per_s or math.inf, parts.rate_per_s)
        keys = [key for key in parts.keys if key.retired is None]
        if not keys or not rate_per_s:
            return math.inf
        lanes = [Lane(rate_per_s * key.cap_per_s / parts.cap_per_s, key.quotas) for key in keys]
        calls = math.ceil(ids * calls_per_id)
        return forecast(calls, lanes, parts.open_hours, moment(parts.clock), WINDOWS).duration_s
