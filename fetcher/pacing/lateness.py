"""How late a slot may be used: what an idle machine needs, more where slots are missed because the machine is busy.

It must not know: where slots come from, clocks.

A headroom of h carries h / (1 - h) seconds of all that is late; at most 10 ms of it are spent here, the rest is for
the way to the gateway. A lateness of l lets slots lie no closer than (1 + l) / cap, so each 10 ms cost one part in a
hundred of the cap. Where more than that is missed, it pays to be later: half as late again, up to 50 ms. On the way
back a twentieth at a time, each time nothing was missed.
"""

from __future__ import annotations

from typing import Final

LEAST_S: Final = 0.005
ENOUGH_S: Final = 0.010
MOST_S: Final = 0.050
GROWTH: Final = 1.5
SHRINK: Final = 0.95
LOOK_EVERY: Final = 100
"""Slots between two looks."""
TOLERATED: Final = 0.01


class Lateness:
    """Args:
    headroom: part of the cap that is left unused.
    """

    def __init__(self, headroom: float) -> None:
        self._used = self._late = 0
        self._warm = False  # the first misses are those of a program that has just begun
        self.s = self._base_s = _base_s(headroom)
        """Seconds from a slot to the last moment at which it may be used."""

    def set_headroom(self, headroom: float) -> None:
        """Another headroom."""
        self._base_s = _base_s(headroom)
        self.s = max(self.s, self._base_s)

    def used(self) -> None:
        """A slot was used."""
        self._used += 1
        if self._used + self._late >= LOOK_EVERY:
            self._look()

    def missed(self, n: int) -> None:
        """So many slots were over although they were waited for."""
        self._late += n

    def _look(self) -> None:
        if self._warm and self._late > TOLERATED * (self._used + self._late):
            self.s = min(MOST_S, self.s * GROWTH)
        elif not self._late:
            self.s = max(self._base_s, self.s * SHRINK)
        self._used, self._late, self._warm = 0, 0, True


def _base_s(headroom: float) -> float:
    return min(ENOUGH_S, max(LEAST_S, headroom / (1 - headroom)))
