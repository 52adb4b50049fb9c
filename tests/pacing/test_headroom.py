"""What is left of the cap: little at the start, more where the way shows that it is needed."""

from __future__ import annotations

import pytest

from fetcher.pacing import Headroom, Pacer
from fetcher.pacing.headroom import MOST, START


def test_it_grows_with_refusals_at_the_full_rate() -> None:
    """Half as much again each time, up to a tenth of the cap."""
    headroom = Headroom()
    assert headroom.share == START
    assert headroom.refused(100.0, 100.0)
    assert headroom.share == pytest.approx(1.5 * START)
    for _ in range(10):
        headroom.refused(95.0, 100.0)
    assert headroom.share == MOST
    assert not headroom.refused(100.0, 100.0)


def test_a_lower_real_cap_is_not_the_jitters_doing() -> None:
    """Refused far below the configured cap: that is for the rate to find, not for the headroom."""
    headroom = Headroom()
    assert not headroom.refused(60.0, 100.0)
    assert headroom.share == START


def test_what_somebody_has_set_stays() -> None:
    """None at all is an answer, too."""
    headroom = Headroom(0.0)
    assert not headroom.refused(100.0, 100.0)
    assert headroom.share == 0.0


def test_the_pacer_follows() -> None:
    """The gap grows with the headroom, from the next slot on."""
    pacer = Pacer(100.0, 0.0, headroom=0.0)
    pacer.set_headroom(0.2)
    assert pacer.due(0.01) == 1
    pacer.take(1, 0.01)
    pacer.sent(0.01)
    assert pacer.wait_s(0.01) == pytest.approx(0.0125)
    with pytest.raises(ValueError, match="headroom"):
        pacer.set_headroom(0.6)
