"""An engine without Ray: every order is carried out here, in turn, against the real sandbox."""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import msgspec

from fetcher.cluster.board import Board, Briefing, Figure, Order, Sent
from fetcher.cluster.command import ClusterJob
from fetcher.cluster.driver import Lost
from fetcher.cluster.keeper import Keeper
from fetcher.cluster.node import PlaceOf, work
from fetcher.cluster.part import Result
from fetcher.cluster.sending import decoded
from fetcher.run import Done, run_job
from fetcher.settings import CommandSettings


class Near:
    """The board, in the same process. See `node.Link`."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.briefing, self.may_commit = board.briefing, board.may_commit
        self.tokens, self.keep_tokens, self.unlock_tokens = board.tokens, board.keep_tokens, board.unlock_tokens

    def report(self, figure: bytes) -> bool:
        return self.board.report(figure)[0]

    def tell(self, sent: bytes, *, last: bool) -> None:
        self.board.tell(sent)

    def clock(self) -> tuple[float, float]:
        return 0.0, 0.0

    async def lock_tokens(self, app_key: str, shard: int, attempt: int) -> bool:
        return self.board.lock_tokens(app_key, shard, attempt)

    async def take_calls(self, wanted: int, unused: int) -> tuple[int, int]:
        return self.board.take_calls(wanted, unused)


class Here:
    """See `driver.JobEngine`.

    Args:
        before: is shown each order; what it returns in place of None is the try's end.
        run: as `node.work` takes it.
        place_of: the same.
    """

    cpus, nodes = 2, 1

    def __init__(
        self,
        before: Callable[[Order], Lost | None] = lambda order: None,
        run: Callable[..., Done] | None = None,
        place_of: PlaceOf = lambda _: None,
    ) -> None:
        self.place_of = place_of
        self.board, self.orders, self.before, self.run = Board(), deque[Order](), before, run
        self.done: list[tuple[Order, str | None]] = []
        self.near: dict[int, str | None] = {}
        self.closed = False

    def brief(self, briefing: Briefing) -> None:
        self.board.brief(msgspec.msgpack.encode(briefing))

    def start(self, order: Order, near: str | None) -> None:
        self.board.expect(order.shard, order.attempt)
        self.near[order.shard] = near
        self.orders.append(order)

    def wait(self, timeout_s: float) -> list[Result | Lost]:
        order = self.orders.popleft()
        self.done.append((order, self.near[order.shard]))
        ended = self.before(order)
        if ended is not None:
            return [ended]
        result = msgspec.msgpack.decode(work(Near(self.board), order, "here", self.place_of, self.run), type=Result)
        self.board.settled(order.shard)
        return [result]

    def figures(self) -> list[Figure]:
        return msgspec.msgpack.decode(self.board.figures(), type=list[Figure])

    def tokens(self) -> dict[str, bytes]:
        return self.board.take_tokens()

    def sent(self) -> list[Sent]:
        return decoded(self.board.take_sent())

    def stop(self) -> None:
        self.board.stop()

    def abandon(self) -> None:
        self.orders.clear()

    def close(self) -> None:
        self.closed = True


def killed_after(fetched: int, engine: Here, order: Order) -> None:
    """Carry it out in a process of its own, which is killed when it has fetched so many."""

    class Watch:
        def update(self, snapshot: Any) -> None:
            if snapshot.fetched >= fetched:
                os.kill(os.getpid(), signal.SIGKILL)

        def close(self, snapshot: Any) -> None:
            """Not reached."""

    child = os.fork()
    if not child:
        work(Near(engine.board), order, "here", run=lambda job, clock, _: run_job(job, clock, Watch))
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def job(sandbox: Any, ids: Any, out: Any, **more: Any) -> ClusterJob:
    """A job against the sandbox; `qps` and other settings among `more`."""
    own = {name: more.pop(name) for name in list(more) if name in ClusterJob.__struct_fields__}
    settings = CommandSettings(
        gateway=sandbox.url,
        app_key=sandbox.app_key,
        app_secret=sandbox.app_secret,
        quiet=True,
        **{"qps": 2000.0, **more},
    )
    defaults: dict[str, Any] = {
        "ending": "jsonl",
        "merged": False,
        "address": "local",
        "workers": 2,
        "shard_ids": 50,
        "keep_parts": False,
        "own_secrets": False,
    }
    places = (ids,) if not isinstance(ids, tuple) else ids
    return ClusterJob(settings=settings, ids=tuple(map(str, places)), out=str(out), **(defaults | own))


class Gone(Exception):
    """As Ray's, when an actor cannot be reached."""


class Handle:
    """An actor's handle: each call is a future. Its machine's clock is `ahead_s` before ours."""

    def __init__(self, ahead_s: float = 0.0) -> None:
        self.body, self.ahead_s, self.gone = Keeper(), ahead_s, False
        self.lease = SimpleNamespace(remote=lambda ask, job: self._future(lambda: self.body.lease(ask, job)))
        self.clock_s = SimpleNamespace(remote=lambda: self._future(lambda: self.body.clock_s()))

    def _future(self, answer: Callable[[], Any]) -> Any:
        future: Future[Any] = Future()
        if self.gone:
            future.set_exception(Gone())
        else:
            future.set_result(answer())
        return SimpleNamespace(future=lambda: future)
