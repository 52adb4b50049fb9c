"""Is it a time at which calls may start? The hours of `--window`, and the caps over longer times of all keys.

It says what is waited for and until when; the dispatcher waits, and the watchdog knows of it.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from typing import Final

from fetcher.metrics import Tally
from fetcher.pacing import Moment
from fetcher.run.assemble import BEIJING, Parts, zone_of
from fetcher.run.desk import Desk
from fetcher.run.keys import Key, moment

WORTH_A_WORD_S: Final = 1.0
"""Shorter waits are seen in the progress line, if at all."""
AN_HOUR_S: Final = 3600.0

log = logging.getLogger("fetcher.run")


class Calendar:
    """Looks at the hours and at what is left of the caps."""

    def __init__(self, parts: Parts, desk: Desk, tally: Tally) -> None:
        self._parts, self._desk, self._tally = parts, desk, tally
        self._limits = bool(parts.settings.windows) or any(key.quotas is not None for key in parts.keys)

    def is_closed(self) -> bool:
        """No call may start now. Says so, and until when."""
        if not self._limits:
            return False
        desk, now = self._desk, moment(self._parts.clock)
        wait_s, reason, zone = self._wait(now)
        if not wait_s or desk.stopping or not (desk.queue or desk.waiting):
            desk.closed_until_s = -math.inf
            return False
        words = f"{reason}, until {until_words(now, wait_s, zone)}"
        if desk.closed_until_s <= now.monotonic_s and wait_s >= WORTH_A_WORD_S:
            log.info("waits: %s", words)
        desk.closed_until_s = now.monotonic_s + wait_s
        self._tally.waiting(words, desk.closed_until_s)
        return True

    def quota_wait_s(self, keys: Sequence[Key]) -> float:
        """Seconds until the first of these keys has something left of its caps."""
        now = moment(self._parts.clock)
        return min([0.0 if key.quotas is None else key.quotas.wait_s(now) for key in keys])

    def _wait(self, now: Moment) -> tuple[float, str, tzinfo | None]:
        """For how long, for what, and in whose zone its end is told."""
        own_zone = zone_of(self._parts.settings)
        if wait_s := self._parts.open_hours.wait_s(now.wall_ms):
            return wait_s, "outside --window", own_zone
        waits = []
        for key in self._parts.keys:
            if key.retired is None:
                if key.quotas is None or not (wait_s := key.quotas.wait_s(now)):
                    return 0.0, "", None
                waits.append((wait_s, key.quotas.holds_back(now)))
        if not waits:
            return math.inf, "", None
        wait_s, limit = min(waits)
        return wait_s, f"--cap {limit} is used up", own_zone or (BEIJING if limit.window_s is None else None)


def until_words(now: Moment, wait_s: float, zone: tzinfo | None) -> str:
    """`22:00 Asia/Shanghai`, with the date where it is another day, to the second where it is soon.

    Args:
        now: on both clocks.
        wait_s: until then.
        zone: in which it is told; None: this machine's.
    """
    here, there = (datetime.fromtimestamp(now.wall_ms / 1000 + s, UTC).astimezone(zone) for s in (0.0, wait_s))
    day = "" if here.date() == there.date() else "%Y-%m-%d "
    name = there.tzname() if zone is None else str(zone)
    return f"{there.strftime(day + ('%H:%M' if wait_s > AN_HOUR_S else '%H:%M:%S'))} {name}"
