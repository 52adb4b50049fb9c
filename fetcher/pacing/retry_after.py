"""The `Retry-After` header: seconds or a date, in any of the shapes in which it is met (RFC 9110, 10.2.3 and 5.6.7).

It must not know: clocks (the time on the wall is an argument), what is done about the wait.
"""

from __future__ import annotations

from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final

LONGEST_S: Final = 10 * 365 * 86_400.0
"""Ten years: longer waits are shown as this, so that no sum overflows."""
LONGEST_TEXT: Final = 64


def parse_retry_after(text: str | None, now_ms: int) -> float | None:
    """Seconds to wait, never negative; None when the text says nothing that can be understood.

    Args:
        text: the header's value as it came.
        now_ms: time on the wall, milliseconds since 1970 UTC, for dates.

    Examples:
        >>> parse_retry_after("120", 0), parse_retry_after("Thu, 01 Jan 1970 00:00:30 GMT", 0)
        (120.0, 30.0)
    """
    if text is None or len(text) > LONGEST_TEXT or not text.isascii():
        return None
    text = text.strip()
    if text[:1].isdigit() and not text.strip("0123456789.") and text.count(".") <= 1:
        return min(float(text), LONGEST_S)
    return _until_date(text, now_ms)


def _until_date(text: str, now_ms: int) -> float | None:
    if text[:3].title() not in ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"):
        return None  # all three formats begin with the day; the parser would take much else for a date
    try:
        when = parsedate_to_datetime(text)
        if when.tzinfo is None:  # the asctime format names no zone: it is UTC
            when = when.replace(tzinfo=UTC)
        wait_s = when.timestamp() - now_ms / 1000
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return min(max(0.0, wait_s), LONGEST_S)
