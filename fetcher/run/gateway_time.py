"""Measures how far the gateway's clock is ahead of this machine's: one question, `system/currentTime` or the like.

It is told against `Parts.steady_ms`, so that a later jump of the wall does not spoil it. A machine that has slept is
behind: then the gateway refuses a time, and it is measured anew.
"""

from __future__ import annotations

from typing import NamedTuple

from fetcher.gateway import time_in_answer, time_in_header
from fetcher.model import NoReply, Reply, Request
from fetcher.run.asking import ask
from fetcher.run.assemble import Parts
from fetcher.run.keys import Key


class TimeAnswer(NamedTuple):
    """What came back."""

    answer: Reply | NoReply
    exact_ms: int | None
    """The offset by the API's own answer, to half the way there and back; None: it was refused."""
    by_header_ms: int | None
    """The same by the `Date` header, to a second, which refusals have too."""

    @property
    def offset_ms(self) -> int | None:
        """The better of the two."""
        return self.exact_ms if self.exact_ms is not None else self.by_header_ms


async def ask_time(parts: Parts, key: Key | None = None) -> TimeAnswer:
    """Ask once, with this key and under its caps; None: the first one."""
    key = key or parts.keys[0]
    sent_ms = 0

    def make() -> Request:
        nonlocal sent_ms
        sent_ms = parts.steady_ms()
        return key.gateway.current_time(parts.gateway_ms())

    answer = await ask(parts, make, key)
    if isinstance(answer, NoReply):
        return TimeAnswer(answer, None, None)
    here_ms = sent_ms + int(answer.latency_s * 500)
    there_ms = time_in_answer(answer.body) if answer.status == 200 else None
    header_ms = time_in_header(answer.date)
    return TimeAnswer(
        answer,
        None if there_ms is None else there_ms - here_ms,
        None if header_ms is None else header_ms + 500 - here_ms,  # the header leaves half a second off, on average
    )
