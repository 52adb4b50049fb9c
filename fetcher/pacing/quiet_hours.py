"""Hours in which calls may start: `22:00-06:00`, in some time zone.

It must not know: clocks (the time on the wall is an argument), what waits.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Final

from fetcher.settings import Hours

DAYS_LOOKED_AT: Final = 2


class OpenHours:
    """When calls may start.

    Args:
        hours: inside any of these; none: always.
        zone: where it is that time; None: this machine's own.
    """

    def __init__(self, hours: Sequence[Hours], zone: tzinfo | None) -> None:
        self._hours, self._zone = hours, zone

    def wait_s(self, wall_ms: int) -> float:
        """Seconds until calls may start; 0 when they may."""
        if not self._hours:
            return 0.0
        now_s = wall_ms / 1000.0
        here = self._here(now_s)
        if any(hours.hold(here.time()) for hours in self._hours):
            return 0.0
        starts = [
            datetime.combine(here.date() + timedelta(days=days), hours.opens, self._zone).timestamp()
            for days in range(DAYS_LOOKED_AT)
            for hours in self._hours
        ]
        return min(start_s for start_s in starts if start_s > now_s) - now_s

    def open_for_s(self, wall_ms: int) -> float:
        """Where calls may start: seconds until the next end of any of the hours; infinity without one."""
        now_s = wall_ms / 1000.0
        here = self._here(now_s)
        ends = [
            datetime.combine(here.date() + timedelta(days=days), hours.closes, self._zone).timestamp() - now_s
            for days in range(DAYS_LOOKED_AT)
            for hours in self._hours
        ]
        return min([end_s for end_s in ends if end_s > 0], default=math.inf)

    def _here(self, seconds: float) -> datetime:
        return datetime.fromtimestamp(seconds, self._zone)
