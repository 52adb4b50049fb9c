"""Numbers as a person reads them."""

from __future__ import annotations

from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher.report import clock_time, duration, iso_time, number, percent, rate, size
from fetcher.report.figures import ids, latency


@pytest.mark.parametrize(("value", "text"), [(0, "0"), (999, "999"), (12345, "12 345"), (10_000_000, "10 000 000")])
def test_number(value: int, text: str) -> None:
    """Groups of three."""
    assert number(value) == text


def test_ids() -> None:
    """One is singular."""
    assert (ids(0), ids(1), ids(1200)) == ("0 IDs", "1 ID", "1 200 IDs")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0 s"),
        (0.42, "0.4 s"),
        (3, "3 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (200, "3 min 20 s"),
        (3599.6, "1 h"),
        (5000, "1 h 23 min"),
        (187_200, "2 d 4 h"),
    ],
)
def test_duration(seconds: float, text: str) -> None:
    """The two largest units."""
    assert duration(seconds) == text


@given(st.floats(0, 1e7))
def test_a_duration_never_says_sixty(seconds: float) -> None:
    """Rounding never yields `60 s` or `60 min`."""
    assert not {"60 s", "60 min"} & {" ".join(duration(seconds).split()[i : i + 2]) for i in (0, 2)}


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [(0, 3, "0.0 %"), (1, 3, "33.3 %"), (99_999, 100_000, "99.9 %"), (3, 3, "100 %"), (0, 0, "100 %")],
)
def test_percent(part: int, whole: int, text: str) -> None:
    """Rounded down: a hundred is said only when all is there."""
    assert percent(part, whole) == text


@pytest.mark.parametrize(
    ("per_s", "text"),
    [(0, "0/s"), (0.5, "0.5/s"), (5.0, "5/s"), (19.64, "19.6/s"), (99.97, "100/s"), (1240.4, "1 240/s")],
)
def test_rate(per_s: float, text: str) -> None:
    """Three digits that matter."""
    assert rate(per_s) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0031, "3.1 ms"), (0.042, "42 ms"), (2.4, "2.4 s"), (90, "1 min 30 s")]
)
def test_latency(seconds: float, text: str) -> None:
    """Milliseconds below a second."""
    assert latency(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (4600, "4.6 KB"), (999_960, "1 MB"), (1_200_000_000, "1.2 GB"), (10**16, "10000 TB")],
)
def test_size(count: int, text: str) -> None:
    """Decimal units."""
    assert size(count) == text


def test_times() -> None:
    """UTC for machines; for a person the hour, with the date where it is another day."""
    at = 1_795_456_800_123
    assert iso_time(at) == "2026-11-23T18:00:00.123Z"
    assert clock_time(at, at - 3_600_000, UTC) == "18:00"
    assert clock_time(at + 86_400_000, at, UTC) == "2026-11-24 18:00"
