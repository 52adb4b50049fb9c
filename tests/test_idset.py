"""The set of IDs against Python's own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher.idset import HASHED, Claim, IdSet, key_of, next_prime

numbers = st.integers(1, 2**63 - 1).map(str)
texts = st.one_of(numbers, st.text(min_size=1, max_size=30), st.sampled_from(["7", "07", "007", "0", "10", "1"]))


@pytest.mark.untraced
@given(st.lists(st.tuples(st.sampled_from(["add", "claim"]), texts), max_size=300))
def test_it_behaves_like_a_set_with_a_mark(steps: list[tuple[str, str]]) -> None:
    """Whatever is added or claimed in whatever order, it answers as a dictionary of marks would."""
    real, model = IdSet(), dict[str, bool]()
    for what, text in steps:
        if what == "add":
            assert real.add(text) is (text not in model)
            model.setdefault(text, False)
        else:
            expected = Claim.NEW if text not in model else Claim.SEEN if model[text] else Claim.KNOWN
            assert real.claim(text) is expected
            model[text] = True
        assert text in real
    assert len(real) == len(model)


@given(st.lists(st.integers(1, 60)), st.lists(st.lists(st.integers(1, 90), max_size=60), max_size=8))
def test_numbers_are_claimed_by_the_list(done: list[int], lots: list[list[int]]) -> None:
    """The same as one after the other, duplicates within a list included."""
    together, single = IdSet(map(str, done)), IdSet(map(str, done))
    for lot in lots:
        assert together.claim_numbers(lot) == [single.claim(str(number)) for number in lot]
    assert len(together) == len(single)


@pytest.mark.untraced
def test_a_list_of_claims_may_outgrow_the_table() -> None:
    """Every growth within it takes along what the list has claimed already."""
    found = IdSet(str(610_000_000_000 + k) for k in range(500))
    claims = found.claim_numbers(range(610_000_000_000, 610_000_005_000))
    assert [claims.count(each) for each in (Claim.KNOWN, Claim.NEW, Claim.SEEN)] == [500, 4500, 0]
    assert set(found.claim_numbers(range(610_000_000_000, 610_000_005_000))) == {Claim.SEEN}
    assert len(found) == 5000


@pytest.mark.untraced
def test_it_grows_and_forgets_nothing() -> None:
    """A hundred thousand neighbouring IDs, marked and not, survive every growth."""
    found = IdSet(str(610_000_000_000 + k) for k in range(50_000))
    for k in range(100_000):
        assert found.claim(str(610_000_000_000 + k)) is (Claim.KNOWN if k < 50_000 else Claim.NEW)
    assert len(found) == 100_000
    assert all(str(610_000_000_000 + k) in found for k in range(0, 100_000, 997))
    assert "610000100001" not in found


def test_leading_zeros_make_another_id() -> None:
    """As tokens `7` and `07` differ; only a canonical number is kept as one."""
    assert key_of("7") == 7
    assert key_of("07") & HASHED
    assert key_of(str(2**63 - 1)) & HASHED


@given(st.lists(st.lists(st.integers(1, 400), max_size=60), max_size=8))
def test_numbers_go_in_by_the_list(lots: list[list[int]]) -> None:
    """The same as one after the other, duplicates within a list included; how many were new is told."""
    real, model = IdSet(), set[int]()
    for lot in lots:
        assert real.add_numbers(lot) == len(set(lot) - model)
        model |= set(lot)
    assert len(real) == len(model)
    assert all(str(number) in real for number in model)


@pytest.mark.untraced
@pytest.mark.parametrize("reserved", [0, 100_000])
def test_an_id_costs_few_bytes(reserved: int) -> None:
    """At most 17 bytes an ID at any size; 11 where the number was known beforehand."""
    found = IdSet()
    found.reserve(reserved)
    for number in range(1, 100_001):
        found.add(str(number * 3))
        assert number < 2000 or found.size_bytes <= 17 * max(number, reserved)
    assert not reserved or found.size_bytes <= 11 * 100_000


def test_cleared_it_knows_nothing() -> None:
    """As new."""
    found = IdSet(map(str, range(1, 5000)))
    found.clear()
    assert len(found) == 0
    assert "7" not in found
    assert found.size_bytes == IdSet().size_bytes


@given(st.integers(3, 10**6))
def test_primes(least: int) -> None:
    """The next one, by trial division."""
    prime = next_prime(least)
    assert all(prime % each for each in range(2, int(prime**0.5) + 1))
    assert all(any(number % each == 0 for each in range(2, int(number**0.5) + 1)) for number in range(least, prime))


@pytest.mark.untraced
def test_it_says_what_it_takes() -> None:
    """Between 10 and 18 bytes an ID, once there are some."""
    ids = IdSet(str(number) for number in range(1, 100_000))
    assert 10 <= ids.bytes / 100_000 <= 18
