"""What the progress line says, and what it leaves out when the terminal is narrow. Pure text, no colours' codes."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from fetcher.metrics import Snapshot
from fetcher.report.escaping import cells, cut, visible
from fetcher.report.figures import duration, money, number, percent, rate

SEPARATOR: Final = "  "
SHORTEST_REASON: Final = 10
"""Columns; a reason cut shorter than that says nothing."""


class Part(NamedTuple):
    """A piece of the line. `rank`: the lower, the longer it stays when it gets narrow."""

    rank: int
    text: str
    style: str = ""
    """In rich's words."""
    may_be_cut: bool = False


def all_parts(snapshot: Snapshot) -> list[Part]:
    """Everything there is to say, from left to right."""
    total = snapshot.total
    done = number(snapshot.done)
    parts = [Part(0, f"{done}/{number(total)}" if total is not None else f"{done} done", "bold")]
    if total:
        parts.append(Part(2, percent(snapshot.done, total)))
    parts.append(Part(3, f"{rate(snapshot.rate_per_s)} of {rate(snapshot.cap_per_s)}", "cyan"))
    if snapshot.in_flight:
        parts.append(Part(8, f"in flight {number(snapshot.in_flight)}"))
    if snapshot.retries:
        parts.append(Part(9, f"retries {number(snapshot.retries)}", "yellow"))
    if snapshot.failed:
        parts.append(Part(5, f"failed {number(snapshot.failed)}", "red"))
    if snapshot.skipped_fresh:
        parts.append(Part(10, f"passed over {number(snapshot.skipped_fresh)}"))
    parts += _money_parts(snapshot)
    if snapshot.eta_s is not None and snapshot.done != total:
        parts.append(Part(4, f"{duration(snapshot.eta_s)} left"))
    if snapshot.wait_reason:
        parts.append(Part(1, visible(waiting_words(snapshot)), "yellow", may_be_cut=True))
    return parts


def waiting_words(snapshot: Snapshot) -> str:
    """Why nothing is sent just now and for how long still; empty when nothing stands in the way."""
    if not snapshot.wait_reason:
        return ""
    if snapshot.wait_left_s is None:
        so_far = f" for {duration(snapshot.waits_since_s)} so far" if snapshot.waits_since_s >= 1.0 else ""
        return f"waiting{so_far}: {snapshot.wait_reason}"
    return f"paused {duration(math.ceil(snapshot.wait_left_s))}: {snapshot.wait_reason}"


def _money_parts(snapshot: Snapshot) -> list[Part]:
    if snapshot.cost is None or snapshot.price is None or not snapshot.attempts:
        return []
    spent, expected = money(snapshot.cost), snapshot.cost_expected
    over = snapshot.done == snapshot.total
    parts = [Part(6, f"cost {spent}" if expected is None or over else f"cost {spent} of about {money(expected)}")]
    if snapshot.stored_nothing:
        parts.append(Part(7, f"{money(snapshot.stored_nothing * snapshot.price)} for nothing", "yellow"))
    return parts


def fitting_parts(snapshot: Snapshot, width: int) -> list[Part]:
    """As much of it as `width` columns hold, the weightiest first, in the usual order."""
    kept: dict[int, Part] = {}
    free = width
    parts = all_parts(snapshot)
    for place, part in sorted(enumerate(parts), key=lambda pair: pair[1].rank):
        room = free - (len(SEPARATOR) if kept else 0)
        if cells(part.text) > room:
            if kept and not (part.may_be_cut and room >= SHORTEST_REASON):
                continue
            part = part._replace(text=cut(part.text, room))
        kept[place] = part
        free = room - cells(part.text)
    return [kept[place] for place in sorted(kept)]


def plain_line(snapshot: Snapshot) -> str:
    """All of it, for a log file."""
    return SEPARATOR.join(part.text for part in all_parts(snapshot))
