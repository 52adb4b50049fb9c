"""Examples of what a run met: bounded, honest in number, and the same over several processes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fetcher.metrics import Specimens
from fetcher.model import ErrorInfo, Failure, Kind, Product


def product(number: int, latency_ms: float) -> Product:
    """A product that took so long."""
    return Product(str(number), 0, 1, latency_ms, b"{}")


def failure(number: int, code: str | None, kind: Kind = Kind.REJECTED) -> Failure:
    """A failure with this code."""
    return Failure(str(number), 0, 2, 1.0, ErrorInfo(kind, code, f"message {number}", 200, True))


@given(st.lists(st.floats(0, 1e6), max_size=200), st.integers(1, 50))
def test_the_slowest_are_kept(latencies: list[float], lot: int) -> None:
    """Twenty, slowest first, whatever the lots they come in."""
    specimens = Specimens()
    products = [product(number, latency_ms) for number, latency_ms in enumerate(latencies)]
    for start in range(0, len(products), lot):
        specimens.outcomes(products[start : start + lot])
    assert [slow.latency_ms for slow in specimens.slowest()] == sorted(latencies, reverse=True)[:20]


def test_failures_by_kind_and_code() -> None:
    """Most frequent first, each with its first message and its first five IDs."""
    specimens = Specimens()
    specimens.outcomes([failure(n, "A" if n % 3 else "B") for n in range(30)])
    first, second = specimens.failures.all()
    assert (first.code, first.count, first.message, first.ids) == ("A", 20, "message 1", ["1", "2", "4", "5", "7"])
    assert (second.code, second.count) == ("B", 10)


def test_codes_without_end_do_not_fill_the_memory() -> None:
    """A new code for every answer: forty of them by name, the rest together, none uncounted."""
    specimens = Specimens()
    for number in range(1000):
        specimens.answers.note("retry", f"code {number}", "m" * 10_000, [str(number)])
    found = specimens.answers.all()
    assert len(found) == 41
    assert sum(trouble.count for trouble in found) == 1000
    assert found[0].code == "other codes"
    assert all(len(trouble.message) <= 300 for trouble in found)


def test_two_processes_make_one() -> None:
    """What one dumps the other adds: the same as if all had happened in one."""
    one, other, both = Specimens(), Specimens(), Specimens()
    lots = [[failure(1, "A"), product(2, 5.0)], [failure(3, "A"), failure(4, "B"), product(5, 9.0)]]
    for specimens, lot in zip((one, other), lots, strict=True):
        specimens.outcomes(lot)
        both.outcomes(lot)
    one.merge(other.dump())
    assert one.failures.all() == both.failures.all()
    assert one.slowest() == both.slowest()
