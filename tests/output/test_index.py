"""The compact map beside a dictionary."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher.output.index import IdMap

IDS = st.integers(0, 10**20).map(str) | st.text(max_size=6)


@given(st.lists(st.tuples(IDS, st.integers(0, 2**64 - 1))), st.integers(0, 50))
def test_it_does_what_a_dictionary_does(pairs: list[tuple[str, int]], expected: int) -> None:
    """The last number of an ID counts."""
    index = IdMap(expected)
    for each, number in pairs:
        index.put(each, number)
    assert len(index) == len(dict(pairs))
    assert all(index.get(each) == number for each, number in dict(pairs).items())
    assert index.get("nobody's") is None


@pytest.mark.untraced
def test_an_id_costs_few_bytes_and_growing_loses_none() -> None:
    """22 bytes an ID where it is known how many come."""
    index = IdMap()
    index.reserve(100_000)
    for number in range(100_000):
        index.put(str(610_000_000_000 + 7 * number), number)
    assert index.size_bytes / len(index) < 24
    for number in range(5000):
        index.put(f"more {number}", number)
    assert all(index.get(str(610_000_000_000 + 7 * number)) == number for number in range(0, 100_000, 997))
