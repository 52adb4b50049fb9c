"""Four times a second: the figures are shown, an endless drain is ended, and a run in which nothing moves is stopped.

It looks at the desk and touches nothing; what is to be done about it, the run does.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections import Counter
from collections.abc import Callable
from typing import Final

from fetcher.errors import Defect
from fetcher.metrics import Tally
from fetcher.run.assemble import Parts
from fetcher.run.desk import Desk
from fetcher.run.watchdog import Watchdog

TICK_S: Final = 0.25
DRAIN_S: Final = 30.0
"""How long a stopped run waits for what is in flight."""
PAUSED: Final = "somebody asked for a pause (fetcher ctl)"
SPARE_S: Final = 5.0
"""After its deadline a call is given up within a second; five are beyond doubt."""

log = logging.getLogger("fetcher.run")


class Ticker:
    """Args:
    show: draws the figures.
    abandon: ends the run at once.
    """

    def __init__(
        self, parts: Parts, desk: Desk, tally: Tally, show: Callable[[], None], abandon: Callable[[], None]
    ) -> None:
        self._parts, self._desk, self._tally, self._show, self._abandon = parts, desk, tally, show, abandon

    async def run(self) -> None:
        """Until cancelled."""
        clock, settings = self._parts.clock, self._parts.settings
        watchdog = Watchdog(settings.stall_timeout_s, clock.monotonic_s())
        stopping_since_s: float | None = None
        while True:
            await asyncio.sleep(TICK_S)
            if self._desk.paused:  # an answer that came after the pause has taken the word back
                self._tally.waiting(PAUSED, None)
            self._show()
            now_s = clock.monotonic_s()
            if self._desk.stopping:
                stopping_since_s = now_s if stopping_since_s is None else stopping_since_s
                if now_s - stopping_since_s > DRAIN_S:
                    self._abandon()
            if watchdog.stalled(self._tally.movements, now_s, self.known_until_s(now_s)):
                self._stalled(settings.stall_timeout_s, now_s)
                return

    def known_until_s(self, now_s: float) -> float:
        """Until when there is a good reason that nothing moves; infinity where somebody else has to act."""
        parts, desk = self._parts, self._desk
        if desk.waits_for_others or desk.paused or any(each.waits_for_turn for each in parts.leasings):
            return math.inf
        reasons = [now_s + parts.breaker.wait_s(now_s), now_s + parts.permit_wait_s(now_s), desk.waiting.next_due_s]
        reasons.append(desk.closed_until_s)
        if desk.flying:
            reasons.append(desk.started_s + parts.settings.timeout_s + SPARE_S)
        return max(reason for reason in reasons if math.isfinite(reason))

    def _stalled(self, timeout_s: float, now_s: float) -> None:
        for line in ("nothing moves: this is what every task waits for", *whereabouts(self._parts, self._desk, now_s)):
            log.error(line)
        self._desk.stop(
            Defect(
                f"nothing moved for {timeout_s:g} s; what every task waited for stands above",
                "what was written stands and the same command goes on; --stall-timeout sets how long to wait",
            )
        )
        self._abandon()


def whereabouts(parts: Parts, desk: Desk, now_s: float) -> list[str]:
    """What every task waits for, for a person."""
    said = []
    said.append("reader: " + ("waits for the input" if desk.reading else f"{len(desk.queue)} IDs lie ready"))
    slot_s = parts.permit_wait_s(now_s)
    said.append(
        f"dispatcher: {len(desk.waiting)} wait to be tried again, {parts.transport.idle} connections are idle and "
        f"{desk.opening} being opened, next permit in {slot_s:.1f} s, breaker {parts.breaker.state}"
    )
    if desk.flying:
        said.append(f"calls: {len(desk.flying)} in flight, the last started {now_s - desk.started_s:.0f} s ago")
    if desk.storing:
        said.append(
            f"writer: {desk.storing} outcomes have waited for the disk for {now_s - desk.storing_since_s:.0f} s"
        )
    places = Counter(_place(task) for task in asyncio.all_tasks())
    said += [f"tasks: {count} at {place}" for place, count in places.most_common(12)]
    return said


def _place(task: asyncio.Task[object]) -> str:
    stack = task.get_stack(limit=1)
    if not stack:
        return "their end"
    code = stack[0].f_code
    return f"{code.co_qualname} (line {stack[0].f_lineno} of {code.co_filename.rpartition('/')[2]})"
