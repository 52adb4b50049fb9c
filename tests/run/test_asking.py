"""One question outside the stream: a connection, a permit, an exchange, and nothing twice."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from fetcher.model import Lost, NoReply, Reply, Request
from fetcher.pacing import Pacer
from fetcher.run.asking import ask
from tests.fakes import LoopClock

pytestmark = pytest.mark.virtual_time


class Line:
    """A connection that may have gone."""

    def __init__(self, far: Far, usable: bool) -> None:
        self.far, self._usable = far, usable

    def usable(self) -> bool:
        return self._usable

    def release(self) -> None:
        self.far.released += 1

    async def exchange(self, request: Request, timeout_s: float) -> Reply:
        now_s = self.far.clock.monotonic_s()
        self.far.sent_s.append(now_s)
        return Reply(200, request.body, now_s, now_s)


class Far:
    """A transport whose first connections are of no use, and everything else that `ask` looks at."""

    def __init__(self, *, gone: int = 0, lost: NoReply | None = None) -> None:
        self.clock, self.transport, self.settings = LoopClock(), self, self
        self.timeout_s = 5.0
        self.pacer: Any = Pacer(10, self.clock.monotonic_s())
        self.cap_proof = self
        self.keys = [self]
        self.quotas = self.quota_book = self.leasing = None
        self.gone, self.lost, self.released = gone, lost, 0
        self.sent_s: list[float] = []
        self.proven_s: list[float] = []
        self.questions = 0

    async def ready(self) -> Line | NoReply:
        if self.lost is not None:
            return self.lost
        self.gone -= 1
        return Line(self, self.gone < 0)

    def sent(self, now_s: float) -> None:
        self.proven_s.append(now_s)

    def asking(self, clock: LoopClock, questions: int = 1) -> None:
        self.questions += questions


def request() -> Request:
    """Made at the moment of sending."""
    return Request("POST", "/", b"asked")


async def test_questions_keep_the_cap() -> None:
    """Ten at once at ten a second take a second; each start is in the proof."""
    far: Any = Far()
    answers = await asyncio.gather(*(ask(far, request) for _ in range(10)))
    assert [answer.body for answer in answers if isinstance(answer, Reply)] == [b"asked"] * 10
    assert far.sent_s == far.proven_s and far.sent_s[-1] - far.sent_s[0] >= 0.9


async def test_a_connection_that_has_gone_costs_no_permit() -> None:
    """It is given back, and another one is taken."""
    far: Any = Far(gone=2)
    assert isinstance(await ask(far, request), Reply)
    assert far.released == 2 and len(far.sent_s) == 1


async def test_a_leased_slot_that_is_over_is_given_back() -> None:
    """And the next one is waited for."""
    far: Any = Far()

    class Leased(Pacer):
        refused = 1

        def sent(self, now_s: float) -> bool:
            if self.refused:
                self.refused -= 1
                return False
            return super().sent(now_s)

    far.pacer = Leased(10, far.clock.monotonic_s())
    assert isinstance(await ask(far, request), Reply)
    assert far.released == 1 and len(far.sent_s) == 1


async def test_without_a_connection_nothing_is_asked() -> None:
    """The reason comes back."""
    lost = NoReply(Lost.REFUSED, sent=False, detail="connection refused", started_s=0, ended_s=0)
    far: Any = Far(lost=lost)
    assert await ask(far, request) is lost


async def test_a_question_that_is_cancelled_gives_its_connection_back() -> None:
    """Also while it waits for its permit."""
    far: Any = Far()
    far.pacer.pause_until(far.clock.monotonic_s() + 60)
    task = asyncio.create_task(ask(far, request))
    await asyncio.sleep(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert far.released == 1 and far.sent_s == []
