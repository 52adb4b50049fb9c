"""Is it a time at which calls may start? The hours of `--window`, and the caps over longer times of all keys.

It says what is waited for and until when; the dispatcher waits, and the watchdog knows of it.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Sequence
from typing import Final

from fetcher.metrics import Tally
from fetcher.pacing import Moment
from fetcher.run.assemble import Parts
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
        wait_s, reason = self._wait(now)
        if not wait_s or desk.stopping or not (desk.queue or desk.waiting):
            desk.closed_until_s = -math.inf
            return False
        until = time.localtime(now.wall_ms / 1000 + wait_s)
        words = f"{reason}, until {time.strftime('%H:%M' if wait_s > AN_HOUR_S else '%H:%M:%S', until)}"
        if desk.closed_until_s <= now.monotonic_s and wait_s >= WORTH_A_WORD_S:
            log.info("waits: %s", words)
        desk.closed_until_s = now.monotonic_s + wait_s
        self._tally.waiting(words, desk.closed_until_s)
        return True

    def quota_wait_s(self, keys: Sequence[Key]) -> float:
        """Seconds until the first of these keys has something left of its caps."""
        now = moment(self._parts.clock)
        return min([0.0 if key.quotas is None else key.quotas.wait_s(now) for key in keys])

    def _wait(self, now: Moment) -> tuple[float, str]:
        wait_s = self._parts.open_hours.wait_s(now.wall_ms)
        if wait_s:
            return wait_s, "outside --window"
        soonest: tuple[float, str] = (math.inf, "")
        for key in self._parts.keys:
            if key.retired is None:
                if key.quotas is None or not (wait_s := key.quotas.wait_s(now)):
                    return 0.0, ""
                soonest = min(soonest, (wait_s, f"--cap {key.quotas.holds_back(now)} is used up"))
        return soonest
