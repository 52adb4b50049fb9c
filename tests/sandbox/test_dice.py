"""Dice that fall the same way everywhere."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fetcher.sandbox.dice import roll, share

ANY = st.integers(-(2**70), 2**70)


def test_they_fall_as_they_always_did() -> None:
    """splitmix64's published first outputs for the seed 1234567, which is its state before the first step."""
    step = 0x9E3779B97F4A7C15
    published = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    assert [roll(0, 0, 1234567 + k * step) for k in range(3)] == published


@given(ANY, st.integers(0, 9), ANY)
def test_any_numbers_will_do(seed: int, purpose: int, number: int) -> None:
    """Negative and huge ones too; a share is a part of one."""
    assert 0 <= roll(seed, purpose, number) < 2**64
    assert 0.0 <= share(seed, purpose, number) < 1.0


def test_neighbours_are_strangers() -> None:
    """IDs in a row, seeds in a row and purposes in a row fall evenly and apart from each other."""
    rows = [
        [share(0, 0, 610_000_000_000 + k) for k in range(4000)],
        [share(k, 0, 610_000_000_000) for k in range(4000)],
        [share(0, 1, 610_000_000_000 + k) for k in range(4000)],
    ]
    for row in rows:
        tenths = [sum(1 for each in row if int(each * 10) == tenth) for tenth in range(10)]
        assert min(tenths) > 320 and max(tenths) < 480
    both_low = sum(1 for one, other in zip(rows[0], rows[2], strict=True) if one < 0.5 and other < 0.5)
    assert 900 < both_low < 1100
