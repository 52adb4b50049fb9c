"""The proof of the cap against counting by hand."""

from __future__ import annotations

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher.metrics import CapProof

gaps = st.lists(st.one_of(st.floats(0.0, 0.2), st.floats(0.0, 3.0), st.sampled_from([0.0, 0.1, 0.5, 1.0])), max_size=80)


def told(times_s: list[float], cap_per_s: float = 20.0) -> CapProof:
    """A proof that was told of these calls."""
    proof = CapProof(cap_per_s)
    for time_s in times_s:
        proof.sent(time_s)
    return proof


def fullest(times_s: list[float], width_s: float) -> int:
    """The fullest window that ends with one of the calls: the definition, at quadratic cost."""
    return max((sum(1 for t in times_s[: i + 1] if t + width_s > end) for i, end in enumerate(times_s)), default=0)


@given(gaps)
def test_worst_windows_are_exact(gap_list: list[float]) -> None:
    """Both windows agree with the definition, whatever the gaps."""
    times_s = list(accumulate(gap_list))
    proof = told(times_s).proof()
    assert (proof.worst_1s, proof.worst_100ms) == (fullest(times_s, 1.0), fullest(times_s, 0.1))
    assert proof.sent == len(times_s)
    assert proof.exact


def test_even_spacing_at_the_cap_holds() -> None:
    """Twenty a second, evenly: no window has more than twenty, and all of the cap is used."""
    proof = told([n / 16 for n in range(160)], cap_per_s=16).proof()  # binary fractions: no rounding
    assert (proof.worst_1s, proof.worst_100ms) == (16, 2)
    assert proof.mean_per_s == pytest.approx(16.0)
    assert proof.used == pytest.approx(1.0)
    assert proof.holds


def test_one_call_too_many_breaks_it() -> None:
    """A burst of the cap plus one within a second is seen, and where it was."""
    times_s = [n / 16 for n in range(32)] + [31 / 16]
    proof = told(times_s, cap_per_s=16).proof()
    assert proof.worst_1s == 17
    assert proof.worst_1s_at_s == 31 / 16
    assert not proof.holds


def test_two_calls_a_second_apart_share_no_window() -> None:
    """Windows are half open."""
    assert told([5.0, 6.0]).worst_1s == 1
    assert told([5.0, 5.999]).worst_1s == 2


def test_pauses_are_no_busy_time() -> None:
    """A pause of a minute between two busy stretches does not lower the mean."""
    stretch = [n / 8 for n in range(17)]
    proof = told(stretch + [62.0 + t for t in stretch], cap_per_s=8).proof()
    assert proof.busy_s == pytest.approx(4.0)
    assert proof.mean_per_s == pytest.approx(8.0)
    assert (proof.first_s, proof.last_s) == (0.0, 64.0)


def test_a_low_cap_is_not_taken_for_pauses() -> None:
    """At one call in two seconds the gaps are longer than a second, and busy all the same."""
    proof = told([2.0 * n for n in range(11)], cap_per_s=0.5).proof()
    assert proof.mean_per_s == pytest.approx(0.5)
    assert proof.holds


def test_more_than_the_ring_holds_is_said() -> None:
    """Memory is fixed: a flood is counted as far as the ring goes and the proof is no longer exact."""
    proof = told([1.0] * 3000, cap_per_s=10).proof()
    assert (proof.worst_1s, proof.worst_100ms) == (1024, 1024)
    assert not proof.exact
    assert not proof.holds


def test_times_that_go_back_are_said() -> None:
    """Calls must be reported in the order in which they were sent; otherwise it is no proof."""
    proof = told([1.0, 0.9]).proof()
    assert (proof.worst_1s, proof.exact) == (2, False)


def test_nothing_sent() -> None:
    """A run without a call has an empty proof that holds."""
    proof = CapProof(5).proof()
    assert (proof.sent, proof.worst_1s, proof.mean_per_s, proof.last_s, proof.holds) == (0, 0, 0.0, 0.0, True)


def test_the_fullest_second_of_each_look() -> None:
    """Asked now and then, it says how full it got since; the worst of all stays the worst."""
    cap_proof = CapProof(10.0)
    looks = []
    for start_s, calls in ((0.0, 5), (10.0, 9), (20.0, 2)):
        for call in range(calls):
            cap_proof.sent(start_s + call * 0.05)
        looks.append(cap_proof.take_fullest_1s())
    assert looks == [5, 9, 2]
    assert (cap_proof.worst_1s, cap_proof.proof().worst_1s_at_s) == (9, pytest.approx(10.4))
    assert cap_proof.take_fullest_1s() == 0


def test_another_cap_is_watched_on() -> None:
    """Also one that a second of the first would not have had room for: nothing is missed, the largest is what holds."""
    proof = CapProof(10.0)
    for call in range(10):
        proof.sent(call / 10)
    proof.set_cap(3000.0)
    for call in range(6000):
        proof.sent(1.0 + call / 2990)
    proof.set_cap(5.0)
    seen = proof.proof()
    assert seen.exact and seen.holds and seen.cap_per_s == 3000.0
    assert 2990 <= seen.worst_1s <= 2991 and seen.sent == 6010
