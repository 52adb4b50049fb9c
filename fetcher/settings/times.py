"""Kinds of settings about longer times: calls a minute or a day, hours of the day, time zones."""

from __future__ import annotations

import re
from datetime import time
from typing import Any, Final, NamedTuple

from fetcher.settings.compound import TextList
from fetcher.settings.kinds import Kind, quoted, shown

UNITS_S: Final = {"s": 1.0, "min": 60.0, "h": 3600.0, "24h": 86_400.0}
DAY: Final = "day"
_LIMIT: Final = r"([1-9][0-9]{0,8})/(?:([1-9][0-9]{0,3})(s|min|h)|(s|min|h|24h|day))"
_HOURS: Final = r"([01][0-9]|2[0-3]):([0-5][0-9])-(?:([01][0-9]|2[0-3]):([0-5][0-9])|24:00)"
_TIME: Final = r"([01][0-9]|2[0-3]):([0-5][0-9])"


class Limit(NamedTuple):
    """So many calls in a time: `100/min`, `30/10s`, `5000/day`."""

    calls: int
    window_s: float | None
    """None: a calendar day."""
    text: str

    def __str__(self) -> str:
        return self.text


class Hours(NamedTuple):
    """From `opens` on, up to `closes`; over midnight where that is earlier. Equal: all day."""

    opens: time
    closes: time

    def hold(self, at: time) -> bool:
        """Whether `at` is inside."""
        if self.opens < self.closes:
            return self.opens <= at < self.closes
        return at >= self.opens or at < self.closes

    def __str__(self) -> str:
        return f"{self.opens:%H:%M}-{self.closes:%H:%M}"


def parse_limit(text: str) -> Limit:
    """Read a limit.

    Raises:
        ValueError: it is none; the words follow the name of the setting.

    Examples:
        >>> parse_limit("100/min")
        Limit(calls=100, window_s=60.0, text='100/min')
    """
    found = re.fullmatch(_LIMIT, text.strip())
    if found is None:
        raise ValueError(
            f"must be calls in a time, such as 100/min, 30/10s, 2000/h, 9000/24h or 5000/day, not {shown(text)}"
        )
    calls, count, unit, whole = int(found[1]), found[2], found[3], found[4]
    window_s = None if whole == DAY else UNITS_S[whole] if whole else int(count) * UNITS_S[unit]
    return Limit(calls, window_s, text.strip())


def parse_hours(text: str) -> Hours:
    """`22:00-06:00`.

    Raises:
        ValueError: it is none; the words follow the name of the setting.
    """
    found = re.fullmatch(_HOURS, text.strip())
    if found is None:
        raise ValueError(f"must be hours such as 22:00-06:00, not {shown(text)}")
    closes = time(int(found[3]), int(found[4])) if found[3] else time(0, 0)
    return Hours(time(int(found[1]), int(found[2])), closes)


class LimitList(TextList):
    """Limits that hold together."""

    metavar = "N/TIME"

    def check(self, value: Any) -> tuple[Any, ...]:
        if isinstance(value, Limit | Hours):
            return (value,)
        if isinstance(value, str):
            return (self.one(value),)
        limits = tuple(each if isinstance(each, Limit | Hours) else self.one(each) for each in super_list(value))
        if len({str(each) for each in limits}) < len(limits):
            raise ValueError("says the same twice")
        return limits

    def one(self, text: Any) -> Any:
        return parse_limit(super().one(text))

    def toml(self, value: Any) -> str:
        return f"[{', '.join(quoted(str(each)) for each in value)}]"


class HoursList(LimitList):
    """Hours in which calls may start: inside any of them."""

    metavar = "HH:MM-HH:MM"

    def one(self, text: Any) -> Any:
        return parse_hours(TextList.one(self, text))


def super_list(value: Any) -> list[Any]:
    """A list as TOML, or a library user, gives it."""
    if not isinstance(value, list | tuple):
        raise ValueError("must be a list of texts")
    return list(value)


class TimeOfDay(Kind):
    """`06:30`."""

    metavar = "HH:MM"

    def check(self, value: Any) -> str:
        found = re.fullmatch(_TIME, value.strip()) if isinstance(value, str) else None
        if found is None:
            raise ValueError(f"must be a time of day such as 00:00 or 06:30, not {shown(value)}")
        return f"{found[1]}:{found[2]}"


class Zone(Kind):
    """A time zone by its name."""

    metavar = "ZONE"
    none_word = "none"

    def check(self, value: Any) -> str:
        import zoneinfo

        try:
            return zoneinfo.ZoneInfo(value).key
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, TypeError, OSError):
            raise ValueError(
                f"must be a time zone that this machine knows, such as Asia/Shanghai or UTC, not {shown(value)}"
            ) from None
