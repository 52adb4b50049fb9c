"""Reads the gateway's clock out of what it says: `system/currentTime`, `currentTimeMillis`, the `Date` header.

It must not know this machine's clock: the offset is the caller's subtraction.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import Final

_XML: Final = rb"\s*(?:<[^<>]*>\s*)+([0-9+-]{13,22})\s*(?:</[^<>]*>\s*)+"
_TEXT: Final = rb'\s*"?(\d{14})(\d{3})?([+-])(\d{2})(\d{2})"?\s*'
_TOP: Final = rb'(?s).*"time"\s*:\s*"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)".*'
_CHINA: Final = timezone(timedelta(hours=8))
_MILLIS: Final = rb'\s*"?(\d{13})"?\s*'


LONGEST_BYTES: Final = 1000
"""An answer that is longer tells no time."""


def time_in_answer(body: bytes) -> int | None:
    """Milliseconds since 1970 UTC out of `"20261010164552223+0800"`, `1484033752883`, one of them alone in XML, or the
    TOP family's `{"time_get_response": {"time": "2026-10-10 16:45:52"}}`, which is China's; None: it is none of them.

    Examples:
        >>> time_in_answer(b'"20261010164552223+0800"'), time_in_answer(b"1484033752883"), time_in_answer(b"{}")
        (1791621952223, 1484033752883, None)
    """
    if body.lstrip().startswith(b"<") and len(body) < LONGEST_BYTES and (alone := re.fullmatch(_XML, body)) is not None:
        body = alone[1]
    millis = re.fullmatch(_MILLIS, body)
    if millis is not None:
        return int(millis[1])
    top = re.fullmatch(_TOP, body) if len(body) < LONGEST_BYTES else None
    if top is not None:
        return _milliseconds(top[1].decode(), "%Y-%m-%d %H:%M:%S", _CHINA)
    return time_in_text(body)


def time_in_text(text: bytes) -> int | None:
    """The same out of `20261010164552223+0800` alone, as dates stand in answers."""
    read = re.fullmatch(_TEXT, text)
    if read is None:
        return None
    sign = 1 if read[3] == b"+" else -1
    zone = timezone(sign * timedelta(hours=int(read[4]), minutes=int(read[5])))
    whole_ms = _milliseconds(read[1].decode(), "%Y%m%d%H%M%S", zone)
    return None if whole_ms is None else whole_ms + int(read[2] or 0)


def _milliseconds(text: str, form: str, zone: timezone) -> int | None:
    try:
        return int(datetime.strptime(text, form).replace(tzinfo=zone).timestamp()) * 1000
    except ValueError:
        return None


def time_in_header(date: str | None) -> int | None:
    """Milliseconds since 1970 UTC out of a `Date` header, which has whole seconds; None: it is none."""
    if date is None:
        return None
    try:
        moment = parsedate_to_datetime(date)
    except (ValueError, OverflowError):
        return None
    return int(moment.timestamp()) * 1000 if moment.tzinfo is not None else None
