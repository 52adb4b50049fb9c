"""How late a slot may be used: longer on a busy machine, back again when it is quiet."""

from __future__ import annotations

import pytest

from fetcher.pacing.lateness import ENOUGH_S, LEAST_S, LOOK_EVERY, MOST_S, Lateness


@pytest.mark.parametrize(("headroom", "lateness_s"), [(0.0, LEAST_S), (0.007, 0.007 / 0.993), (0.025, ENOUGH_S)])
def test_it_is_a_part_of_what_the_headroom_carries(headroom: float, lateness_s: float) -> None:
    """At least 5 ms, since no machine is never late; at most 10 ms, since the way needs the rest."""
    assert Lateness(headroom).s == lateness_s


def test_misses_make_it_longer_and_quiet_shortens_it() -> None:
    """Three in a hundred missed: half as long again; none for a while: back to where it began, and never further."""
    lateness = Lateness(0.025)
    lateness.missed(50)  # a program that has just begun: that says nothing
    for _ in range(LOOK_EVERY):
        lateness.used()
    assert lateness.s == ENOUGH_S
    lateness.missed(3)
    for _ in range(LOOK_EVERY):
        lateness.used()
    assert lateness.s == pytest.approx(1.5 * ENOUGH_S)
    for _ in range(LOOK_EVERY * 20):
        lateness.missed(1)
        lateness.used()
    assert lateness.s == MOST_S
    for _ in range(LOOK_EVERY * 60):
        lateness.used()
    assert lateness.s == ENOUGH_S
