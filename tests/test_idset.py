"""The set of IDs against Python's own."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fetcher.idset import HASHED, Claim, IdSet, key_of

numbers = st.integers(1, 2**63 - 1).map(str)
texts = st.one_of(numbers, st.text(min_size=1, max_size=30), st.sampled_from(["7", "07", "007", "0", "10", "1"]))


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


def test_an_id_costs_few_bytes() -> None:
    """At most 22 bytes an ID, at any size."""
    found = IdSet(map(str, range(1, 100_001)))
    assert found._slots.itemsize * len(found._slots) <= 22 * 100_000
