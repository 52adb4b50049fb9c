"""Does anything still move? Pure: it is told the time and how much has moved, and says when that is too little.

A run that hangs overnight without a word is the worst end of all: better to stop, say what every task waits for, and
leave files that can be resumed.
"""

from __future__ import annotations

from typing import Final

LONGEST_LOOK_S: Final = 2.0
"""Looks are taken four times a second. A longer gap means that this process itself stood still (stopped by a signal, a
laptop asleep): that time says nothing about the run."""


class Watchdog:
    """Args:
    timeout_s: how long nothing may move, known waits aside.
    now_s: monotonic.
    """

    def __init__(self, timeout_s: float, now_s: float) -> None:
        self._timeout_s = timeout_s
        self._moved_s = self._looked_s = now_s
        self._movements = -1

    def stalled(self, movements: int, now_s: float, known_until_s: float) -> bool:
        """Has nothing moved for too long?

        Args:
            movements: a number that changes whenever anything happens.
            now_s: monotonic.
            known_until_s: until then there is a reason to wait; infinity where somebody else has to act.
        """
        self._moved_s += max(0.0, now_s - self._looked_s - LONGEST_LOOK_S)
        self._looked_s = now_s
        if movements != self._movements or now_s < known_until_s:
            self._movements, self._moved_s = movements, now_s
        return now_s - self._moved_s >= self._timeout_s
