"""Numbers, durations and times as a person reads them. Text in, nothing else: no colours, no widths."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo


def number(value: int) -> str:
    """Groups of three, parted by a space (ISO 80000-1): 12345 → `12 345`."""
    return f"{value:,}".replace(",", " ")


def ids(count: int) -> str:
    """`1 ID`, `12 345 IDs`."""
    return f"{number(count)} ID" if count == 1 else f"{number(count)} IDs"


def counted(count: int, what: str) -> str:
    """`1 duplicate`, `12 duplicates`: `what` is the word for many, or words that are the same for one."""
    one = {"duplicates": "duplicate", "comments": "comment", "retries": "retry", "lines": "line"}
    return f"{number(count)} {one.get(what, what) if count == 1 else what}"


def money(amount: float) -> str:
    """Two decimals, more where the amount is smaller than that shows: `12.40`, `0.0035`."""
    if not amount or amount >= 0.1:
        whole, _, decimals = f"{amount:.2f}".partition(".")
        return f"{number(int(whole))}.{decimals}"
    return f"{amount:.4g}"


def percent(part: int, whole: int) -> str:
    """One decimal, rounded down, so that 100 % is said only when all is there."""
    if whole <= 0 or part >= whole:
        return "100 %"
    return f"{part * 1000 // whole / 10:.1f} %"


def rate(per_s: float) -> str:
    """Three digits that matter: `19.6/s`, `1 240/s`, `0.5/s`."""
    if per_s >= 99.95:
        return f"{number(round(per_s))}/s"
    return f"{per_s:.1f}".removesuffix(".0") + "/s"


def duration(seconds: float) -> str:
    """The two largest units: `0.4 s`, `12 s`, `3 min 20 s`, `1 h 23 min`, `2 d 4 h`."""
    if seconds < 9.95:
        return f"{max(0.0, seconds):.1f}".removesuffix(".0") + " s"
    whole = round(seconds)
    for size_s, unit, part_s, part in ((86_400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size_s:
            whole = round(whole / part_s) * part_s
            rest = whole % size_s // part_s
            return f"{whole // size_s} {unit}" + (f" {rest} {part}" if rest else "")
    return f"{whole} s"


def latency(seconds: float) -> str:
    """`42 ms`, `3.1 ms`, `2.4 s`."""
    if seconds >= 1.0:
        return duration(seconds)
    milliseconds = seconds * 1000
    return f"{milliseconds:.0f} ms" if milliseconds >= 9.95 else f"{milliseconds:.1f} ms"


def size(count_bytes: int) -> str:
    """Decimal units: `812 B`, `4.6 KB`, `1.2 GB`."""
    if count_bytes < 1000:
        return f"{count_bytes} B"
    power = min(4, (len(str(count_bytes)) - 1) // 3)
    if count_bytes >= 999.95 * 1000**power:  # would be shown as 1000.0 of the smaller unit
        power = min(4, power + 1)
    return f"{count_bytes / 1000**power:.1f}".removesuffix(".0") + " " + ("", "KB", "MB", "GB", "TB")[power]


def iso_time(wall_ms: int) -> str:
    """UTC to the millisecond, as in the output: `2026-11-23T18:00:00.123Z`."""
    seconds, milliseconds = divmod(wall_ms, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{milliseconds:03d}Z"


def clock_time(wall_ms: int, now_wall_ms: int, zone: tzinfo | None = None) -> str:
    """When, seen from now: `18:05`, on another day `2026-11-24 18:05`. In the machine's zone unless told otherwise."""
    when, now = (datetime.fromtimestamp(ms / 1000, UTC).astimezone(zone) for ms in (wall_ms, now_wall_ms))
    return f"{when:%H:%M}" if when.date() == now.date() else f"{when:%Y-%m-%d %H:%M}"
