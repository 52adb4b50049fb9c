"""Rows of the table: how fast, how many at once, and what it may cost."""

from __future__ import annotations

from typing import Any, Final

from fetcher.settings.compound import ErrorLimit, ErrorLimitKind
from fetcher.settings.groups import RATE
from fetcher.settings.kinds import Flag, Number
from fetcher.settings.table import Converted, rows, setting
from fetcher.settings.times import Hours, HoursList, Limit, LimitList, TimeOfDay, Zone
from fetcher.settings.urls import SharePlace

_COUNT: Final = Number(least=1, whole=True, none_word="none")
_IN_FLIGHT: Final = Number(least=1, most=100_000, whole=True, none_word="auto")
_PERCENT: Final = Number(least=0, most=50, none_word="auto", metavar="PCT")
_MONEY: Final = Number(above=0, most=1e9, none_word="none")


@rows
class RateRows:
    """A part of `Settings`."""

    qps: float = setting(
        5.0,
        (RATE, "the cap: never more starts in any 1-second window, retries included", Number(above=0, most=100_000)),
    )
    concurrency: int | None = setting(None, (RATE, "requests in flight; auto: what cap and latency need", _IN_FLIGHT))
    headroom: float | None = setting(
        None, (RATE, "percent of the cap left unused; auto: 2.5, less on a steady way, more where refused", _PERCENT)
    )
    share_cap: str | None = setting(
        None,
        (RATE, "share the cap with other runs: a file on this host, or redis://... for several", SharePlace()),
        show=False,
    )
    share_limits: bool = setting(
        False, (RATE, "let --max-calls and --max-cost hold for all runs at --share-cap together", Flag())
    )
    caps: Converted[tuple[Limit, ...], Any] = setting(
        (),
        (RATE, "a cap over a longer time, on top of --qps: 100/min, 2000/h, 5000/day; repeatable", LimitList()),
        flag="--cap",
        key="cap",
    )
    quota_reset: str = setting("00:00", (RATE, "when the day of --cap N/day begins, in --time-zone", TimeOfDay()))
    windows: Converted[tuple[Hours, ...], Any] = setting(
        (),
        (RATE, "hours in which calls may start, such as 22:00-06:00; the run waits outside; repeatable", HoursList()),
        flag="--window",
        key="window",
    )
    time_zone: str | None = setting(
        None, (RATE, "of --quota-reset (unset: Asia/Shanghai) and --window (unset: this machine's)", Zone())
    )
    max_calls: int | None = setting(None, (RATE, "stop before the call that would pass it", _COUNT))
    price: float | None = setting(None, (RATE, "price of a call, for the cost before, during and after", _MONEY))
    max_cost: float | None = setting(None, (RATE, "stop before the call that would pass it; needs --price", _MONEY))
    max_errors: Converted[ErrorLimit | None, ErrorLimit | int | str | None] = setting(
        None, (RATE, "stop when so many IDs, or such a part of them, have failed", ErrorLimitKind())
    )
