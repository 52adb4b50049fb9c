"""Stand-ins with behaviour: a clock that follows the loop, a transport that answers by script, a sink of lists."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from urllib.parse import parse_qsl

import orjson

from fetcher.model import Item, Lost, NoReply, Outcome, Reply, Request

START_MS = 1_795_000_000_000


class LoopClock:
    """The event loop's own time, so that a jumping loop turns both."""

    def monotonic_s(self) -> float:
        return asyncio.get_running_loop().time()

    def wall_ms(self) -> int:
        return START_MS + int(self.monotonic_s() * 1000)


class StillClock:
    """Time as the test says."""

    def __init__(self, now_s: float = 0.0) -> None:
        self.now_s = now_s

    def monotonic_s(self) -> float:
        return self.now_s

    def wall_ms(self) -> int:
        return START_MS + int(self.now_s * 1000)


def id_of(request: Request) -> str:
    """The product ID that a signed param2 form asks for; of a call about many, their list as JSON."""
    for key, value in parse_qsl(request.body.decode()):
        if key in ("productID", "productIdList"):
            return value
    raise AssertionError(f"no productID in {request!r}")


def product_body(product_id: str) -> bytes:
    """A small answer as the gateway would give it."""
    return orjson.dumps({"productInfo": {"productID": int(product_id), "subject": "连衣裙"}, "errMsg": None})


def refusal_body(code: str, message: str = "no") -> bytes:
    """A gateway's refusal."""
    return orjson.dumps({"error_code": code, "error_message": message, "exception": message})


Answer = tuple[int, bytes] | Lost
Script = Callable[[str, int, float], Answer]
"""(product ID, how many times it was asked for before, now) → the answer."""


def always_well(product_id: str, earlier: int, now_s: float) -> Answer:
    """Every ID has a product."""
    return 200, product_body(product_id)


class ScriptedTransport:
    """Answers by script after a fixed latency, and remembers when it was asked for what."""

    def __init__(self, clock: LoopClock, script: Script = always_well, *, latency_s: float = 0.05) -> None:
        self.clock, self.script, self.latency_s = clock, script, latency_s
        self.sent: list[tuple[float, str]] = []
        self.asked: Counter[str] = Counter()
        self.unreachable: Callable[[float], bool] = lambda now_s: False
        self.in_flight = self.most_open = self.connects = self.idle = 0
        self.retry_after: str | None = None
        self.watch: Callable[[Request, float], None] = lambda request, now_s: None

    def take(self) -> _ScriptedConnection | None:
        if not self.idle:
            return None
        self.idle -= 1
        return _ScriptedConnection(self)

    async def open(self) -> NoReply | None:
        now_s = self.clock.monotonic_s()
        self.connects += 1
        await asyncio.sleep(0)
        if self.unreachable(now_s):
            return NoReply(Lost.REFUSED, sent=False, detail="connection refused", started_s=now_s, ended_s=now_s)
        self.idle += 1
        return None

    async def aclose(self) -> None:
        pass


class _ScriptedConnection:
    def __init__(self, transport: ScriptedTransport) -> None:
        self._transport = transport

    def usable(self) -> bool:
        return True

    def release(self) -> None:
        self._transport.idle += 1

    def start(self, request: Request, timeout_s: float, done: Callable[[Reply | NoReply], None]) -> None:
        transport, product_id = self._transport, id_of(request)
        started_s = transport.clock.monotonic_s()
        transport.sent.append((started_s, product_id))
        transport.watch(request, started_s)
        answer = transport.script(product_id, transport.asked[product_id], started_s)
        transport.asked[product_id] += 1
        transport.in_flight += 1
        transport.most_open = max(transport.most_open, transport.in_flight)
        asyncio.get_running_loop().call_later(transport.latency_s, self._answer, answer, started_s, done)

    def _answer(self, answer: Answer, started_s: float, done: Callable[[Reply | NoReply], None]) -> None:
        transport = self._transport
        transport.in_flight -= 1
        ended_s = transport.clock.monotonic_s()
        if isinstance(answer, Lost):
            done(NoReply(answer, sent=True, detail=str(answer), started_s=started_s, ended_s=ended_s))
            return
        transport.idle += 1
        status, body = answer
        done(Reply(status, body, started_s, ended_s, "application/json", transport.retry_after))


class ListFeed:
    """Items from a list, as a file's reader would hand them out."""

    is_anothers = False

    def __init__(self, ids: list[str]) -> None:
        self._items = [Item(product_id, line) for line, product_id in enumerate(ids, 1)]

    async def read(self, n: int) -> list[Item]:
        taken, self._items = self._items[:n], self._items[n:]
        return taken

    def skipped(self) -> tuple[int, int]:
        return 0, 0

    def expected_total(self) -> int | None:
        return None

    def close(self) -> None:
        pass


class ListSink:
    """Keeps every outcome; may be slow."""

    is_anothers = False

    def __init__(self, wait_s: float = 0.0) -> None:
        self.outcomes: list[Outcome] = []
        self.wait_s = wait_s

    async def put(self, outcomes: list[Outcome]) -> None:
        await asyncio.sleep(self.wait_s)
        self.outcomes.extend(outcomes)


def worst_second(times: list[float]) -> int:
    """The most entries of a sorted list in any half-open second."""
    worst = first = 0
    for last, time_s in enumerate(times):
        while times[first] <= time_s - 1.0:
            first += 1
        worst = max(worst, last - first + 1)
    return worst
