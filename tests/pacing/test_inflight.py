"""The number in flight: what the cap needs at the latency seen, steadily."""

from __future__ import annotations

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher.pacing import InFlight


@pytest.mark.parametrize(("cap_per_s", "first"), [(0.2, 3), (5, 4), (20, 7), (100, 27), (10_000, 64)])
def test_the_first_guess_is_modest(cap_per_s: float, first: int) -> None:
    """A quarter of a second's calls and two, at most 64: no crowd of connections before the first answer."""
    assert InFlight(cap_per_s).target() == first


@pytest.mark.parametrize(("cap_per_s", "least"), [(20, 2), (500, 4), (1000, 8), (10_000, 10)])
def test_a_quick_gateway_leaves_room_for_all_that_starts_at_once(cap_per_s: float, least: int) -> None:
    """Answers after 0.2 ms: one in flight would do, had not several permits gathered for one waking."""
    in_flight = InFlight(cap_per_s)
    in_flight.observe_each([0.0002] * 1000)
    assert least <= in_flight.target() <= least + math.ceil(0.0003 * cap_per_s) + 1


def test_a_fixed_number_wins() -> None:
    """What the user sets stays, whatever is observed."""
    in_flight = InFlight(100, fixed=7)
    in_flight.observe(30.0)
    assert in_flight.target() == 7


def test_the_maximum_is_a_brake() -> None:
    """A server that queues whatever it gets draws the target up to the maximum and no further."""
    in_flight = InFlight(1000, maximum=200)
    for _ in range(5000):
        in_flight.observe(in_flight.target() / 100)
    assert in_flight.target() == 200


@pytest.mark.parametrize(("fixed", "maximum"), [(0, 10), (-1, 10), (None, 0)])
def test_none_in_flight_is_refused(fixed: int | None, maximum: int) -> None:
    """A run with no call in flight would never end."""
    with pytest.raises(ValueError, match="at least one"):
        InFlight(5, fixed=fixed, maximum=maximum)


@given(
    cap_per_s=st.floats(0.2, 10_000), latency_s=st.floats(0.0, 3.0), noise=st.floats(0.0, 0.9), seed=st.integers(0, 99)
)
def test_reaches_what_cap_and_latency_need(cap_per_s: float, latency_s: float, noise: float, seed: int) -> None:
    """Little's law is met with something to spare, within the bounds, however noisy the latency."""
    dice, in_flight = Random(seed), InFlight(cap_per_s, maximum=1000)
    for _ in range(300):
        in_flight.observe(latency_s * dice.uniform(1 - noise, 1 + noise))
    assert in_flight.target() >= min(1000, math.ceil(cap_per_s * latency_s))
    assert 2 <= in_flight.target() <= 1000


def test_follows_a_latency_that_changes() -> None:
    """Ten times slower and ten times as fast again: the target follows within seconds of answers."""
    in_flight = InFlight(50)
    for latency_s, low, high in ((0.1, 9, 15), (1.0, 77, 110), (0.1, 9, 15)):
        for _ in range(300):
            in_flight.observe(latency_s)
        assert low <= in_flight.target() <= high


def test_noise_does_not_move_the_target() -> None:
    """Exponentially distributed latency: once settled the target changes a few times in 10 000 answers, not always."""
    dice, in_flight = Random(3), InFlight(500)
    for _ in range(2000):
        in_flight.observe(dice.expovariate(5))
    changes, before = 0, in_flight.target()
    for _ in range(10_000):
        in_flight.observe(dice.expovariate(5))
        changes += in_flight.target() != before
        before = in_flight.target()
    assert changes <= 40
    assert in_flight.target() <= 250


def test_the_latency_can_be_read() -> None:
    """The mean that is reckoned with is there for the report; it begins with the guess."""
    in_flight = InFlight(5)
    assert in_flight.latency_s == 0.25
    in_flight.observe(1.0)
    assert in_flight.latency_s == 1.0


def test_another_cap_or_number() -> None:
    """The latency that was seen is kept; a fixed number wins until it is let go."""
    in_flight = InFlight(10.0)
    for _ in range(2000):
        in_flight.observe(0.1)
    few = in_flight.target()
    in_flight.set_cap(1000.0)
    assert in_flight.target() > 10 * few
    in_flight.fix(7)
    in_flight.observe(0.1)
    assert in_flight.target() == 7
    in_flight.fix(None)
    assert in_flight.target() > 10 * few
    with pytest.raises(ValueError, match="at least one"):
        in_flight.fix(0)
