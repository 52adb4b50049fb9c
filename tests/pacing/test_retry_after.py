"""Retry-After in every shape in which servers send it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher.pacing import parse_retry_after

NOW_MS = 784_111_700_000  # Sun, 06 Nov 1994 08:48:20 GMT


@pytest.mark.parametrize(
    ("text", "wait_s"),
    [
        ("0", 0.0),
        ("120", 120.0),
        (" 7 ", 7.0),
        ("1.5", 1.5),
        ("99999999999999999999", 10 * 365 * 86_400.0),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 77.0),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 77.0),
        ("Sun Nov  6 08:49:37 1994", 77.0),
        ("sun, 06 nov 1994 08:49:37 gmt", 77.0),
        ("Sun, 06 Nov 1994 16:49:37 +0800", 77.0),
        ("Sun, 06 Nov 1994 08:48:19 GMT", 0.0),
    ],
)
def test_what_is_understood(text: str, wait_s: float) -> None:
    """Seconds, decimal or not, and the three date formats of HTTP; a date in the past is no wait."""
    assert parse_retry_after(text, NOW_MS) == pytest.approx(wait_s)


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "-5", "+5", "soon", "5 s", "1e9", "nan", "inf", "0x10", "1_0", "１２", "²", "1.2.3", ".", "5,6"),
        *("Sun", "Sun, 99 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 25:61:61 GMT", "Sun, 06 Nov 99999 08:49:37 GMT"),
        *("9" * 65, "120\r\nX: y", None),
    ],
)
def test_what_is_not_understood(text: str | None) -> None:
    """Anything else is None, so the caller's own back-off counts."""
    assert parse_retry_after(text, NOW_MS) is None


@given(st.text(max_size=40) | st.from_regex(r"(?i)(sun|mon)[a-z]*,? ?[0-9a-z :+-]{0,40}", fullmatch=True))
def test_never_raises_and_never_asks_for_less_than_nothing(text: str) -> None:
    """Any text at all: a wait of zero to ten years, or None."""
    wait_s = parse_retry_after(text, NOW_MS)
    assert wait_s is None or 0 <= wait_s <= 10 * 365 * 86_400


@given(st.integers(0, 300_000))
def test_dates_round_trip(seconds: int) -> None:
    """A date that lies so many seconds ahead is read as so many seconds."""
    when = datetime.fromtimestamp(NOW_MS / 1000, UTC) + timedelta(seconds=seconds)
    assert parse_retry_after(when.strftime("%a, %d %b %Y %H:%M:%S GMT"), NOW_MS) == pytest.approx(seconds)
