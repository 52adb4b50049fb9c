"""The books balance exactly when the same IDs went in and came out."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from fetcher.metrics import Books, LastingDigest

few_ids = st.lists(st.text("0123456789", min_size=1, max_size=2), max_size=12)


def balance_of(read: list[str], fetched: list[str], failed: list[str], left: list[str]) -> bool:
    """Enter these and look."""
    books = Books()
    books.read(read)
    books.fetched(fetched)
    books.failed(failed)
    books.left(left)
    return bool(books.balance())


@given(few_ids, few_ids, few_ids, few_ids)
def test_they_balance_exactly_when_both_sides_hold_the_same(
    read: list[str], fetched: list[str], failed: list[str], left: list[str]
) -> None:
    """Against counting every ID, doubles included."""
    assert balance_of(read, fetched, failed, left) == (Counter(read) == Counter(fetched + failed + left))


@given(few_ids, st.randoms(use_true_random=False))
def test_order_and_lots_do_not_matter(ids: list[str], dice: object) -> None:
    """What is read in one order and lot by lot may end in any other."""
    shuffled = list(ids)
    dice.shuffle(shuffled)  # type: ignore[attr-defined]
    books = Books()
    for one in ids:
        books.read([one])
    cut = len(shuffled) // 2
    books.fetched(shuffled[:cut])
    books.left(shuffled[cut:])
    assert books.balance()


def test_a_lost_id_is_told() -> None:
    """One read, none ended: the evidence counts both sides."""
    books = Books()
    books.read(["1", "2", "3"])
    books.fetched(["1"])
    books.failed(["2"])
    balance = books.balance()
    assert not balance
    assert balance.evidence == "3 IDs were read, 2 came to an end (1 fetched, 1 failed, 0 left): 1 lost"


def test_an_id_too_many_is_told() -> None:
    """An ID that ends twice."""
    books = Books()
    books.read(["1"])
    books.fetched(["1", "1"])
    assert books.balance().evidence.endswith("1 too many")


def test_the_right_count_of_the_wrong_ids_is_told() -> None:
    """One lost and another written twice: counts alone would balance, exclusive or of pairs too."""
    books = Books()
    books.read(["1", "2", "3", "4"])
    books.fetched(["1", "1", "3", "3"])
    balance = books.balance()
    assert not balance
    assert "not the same" in balance.evidence


def test_empty_books_balance() -> None:
    """A finished job run again reads nothing new."""
    assert Books().balance()


@given(few_ids, few_ids)
def test_digests_that_are_written_down_add_up(here: list[str], there: list[str]) -> None:
    """Parts counted by several processes, their digests sent as text, balance as the whole does."""
    parts = []
    for ids in (here, there):
        digest = LastingDigest()
        digest.add(ids)
        parts.append(LastingDigest.read(str(digest)))
    whole = LastingDigest()
    whole.add(reversed(here + there))
    assert parts[0] + parts[1] == whole
    books = Books(LastingDigest)
    books.counted(whole, parts[0], parts[1], LastingDigest())
    assert books.balance()
    books.counted(LastingDigest(), parts[0], LastingDigest(), LastingDigest())
    assert bool(books.balance()) == (not here)


def test_a_digest_is_the_same_in_every_process() -> None:
    """It stands in files: a change of it is a change of their format."""
    digest = LastingDigest()
    digest.add(["610947572360", "x"])
    assert str(digest) == "2-f7d8058f9fd44978-e62781405f0ba966"
