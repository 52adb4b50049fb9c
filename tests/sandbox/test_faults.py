"""What goes wrong is a matter of seed, ID and attempt."""

from __future__ import annotations

from collections import Counter

import pytest

from fetcher.sandbox import SandboxSettings
from fetcher.sandbox.faults import Fault, Faults, fate
from fetcher.sandbox.options import RATES

IDS = range(610_000_000_000, 610_000_004_000)


def test_every_rate_has_its_fault() -> None:
    """And every fault its rate."""
    assert {rate.removesuffix("_rate") for rate in RATES} == {str(fault) for fault in Fault}


@pytest.mark.parametrize("fault", Fault)
def test_a_rate_of_one_strikes_all(fault: Fault) -> None:
    """With that fault and no other."""
    settings = SandboxSettings(**{f"{fault}_rate": 1.0})
    assert {fate(settings, each) for each in IDS[:50]} == {fault}


def test_shares_are_kept_and_do_not_overlap() -> None:
    """An ID has one fate; of each kind there are about as many as were asked for."""
    settings = SandboxSettings(error_rate=0.1, reset_rate=0.2, slow_rate=0.05)
    counts = Counter(fate(settings, each) for each in IDS)
    assert set(counts) == {None, Fault.ERROR, Fault.RESET, Fault.SLOW}
    assert 0.08 < counts[Fault.ERROR] / len(IDS) < 0.12
    assert 0.17 < counts[Fault.RESET] / len(IDS) < 0.23
    assert 0.03 < counts[Fault.SLOW] / len(IDS) < 0.07


def test_fate_is_the_seeds() -> None:
    """The same again with the same seed, another with another."""
    one = [fate(SandboxSettings(seed=1, error_rate=0.5), each) for each in IDS[:200]]
    assert one == [fate(SandboxSettings(seed=1, error_rate=0.5), each) for each in IDS[:200]]
    assert one != [fate(SandboxSettings(seed=2, error_rate=0.5), each) for each in IDS[:200]]


@pytest.mark.parametrize(("repeats", "expected"), [(0, 0), (1, 1), (3, 3), (None, 6)])
def test_so_many_times_then_well(repeats: int | None, expected: int) -> None:
    """Counted for each ID on its own; None is never well."""
    faults = Faults(SandboxSettings(error_rate=1.0, fault_repeats=repeats))
    for each in IDS[:3]:
        struck = [faults.strike(each) for _ in range(6)]
        assert struck == [Fault.ERROR] * expected + [None] * (6 - expected)


def test_without_rates_nothing_goes_wrong() -> None:
    """The default."""
    faults = Faults(SandboxSettings())
    assert {faults.strike(each) for each in IDS} == {None}
