"""The engine on Ray: a task for each try at a shard, an actor that is the board, a named one that keeps the cap.

The only file that imports Ray, and only the command imports it. What Ray writes down and shows (arguments of tasks,
makings of actors, exceptions) holds numbers and no more: the rest goes by calls to the board. Tries are told apart and
repeated by the driver, not by Ray, so that a lost one is seen, counted, and may go back to its node.
"""

from __future__ import annotations

import asyncio
import io
import logging
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, TextIO, cast

import msgspec
import ray
from ray import exceptions
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from fetcher.clock import SystemClock
from fetcher.cluster.board import Board, Briefing, Figure, Order, Sent
from fetcher.cluster.driver import Lost
from fetcher.cluster.keeper import LOOKS, ActorPlace, Keeper, name_of
from fetcher.cluster.node import work
from fetcher.cluster.part import Result, Told
from fetcher.cluster.sending import decoded
from fetcher.errors import Defect, LimitReached, UsageError
from fetcher.pacing import ClockOffset, LeasePlace, PlaceLost
from fetcher.settings import Settings, require_credentials

log = logging.getLogger("fetcher.cluster")

NAMESPACE: Final = "fetcher"
STORE_BYTES: Final = 100_000_000
"""Ray's object store, where this command starts Ray: orders and results are small."""
BOARD_S: Final = 30.0
"""The board is in this machine's hands: if it does not answer so long, it is gone."""
_LOST: Final = (
    exceptions.ActorDiedError,
    exceptions.ActorUnavailableError,
    exceptions.GetTimeoutError,
    exceptions.TaskUnschedulableError,
)


class RayEngine:
    """See `driver.Engine`.

    Args:
        address: `auto`, `local`, or where the cluster's head is.
        workers: shards at a time; None: as many as the cluster has CPUs.

    Raises:
        UsageError: there is no cluster.
    """

    def __init__(self, address: str, workers: int | None) -> None:
        connect(address, workers)
        self._stdout = sys.stdout
        sys.stdout = cast("TextIO", _RaysWords())
        self._running: dict[Any, Order] = {}
        self._board: Any = None
        self._keepers: list[str] = []
        self._job = ""
        self._task = ray.remote(num_cpus=1, max_retries=0)(fetch_shard)

    @property
    def cpus(self) -> int:
        """Of all nodes together."""
        return max(1, int(ray.cluster_resources().get("CPU", 1)))

    @property
    def nodes(self) -> int:
        """That are alive."""
        return sum(bool(node["Alive"]) for node in ray.nodes())

    def brief(self, briefing: Briefing) -> None:
        """Put up the board, and find or start the keepers of the caps."""
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        self._board = ray.remote(num_cpus=0)(Board).options(scheduling_strategy=here).remote()
        self._keepers, self._job = briefing.keepers, briefing.job
        joining = [find_keeper(name).join.remote(briefing.job) for name in briefing.keepers]
        ray.get(joining, timeout=BOARD_S)
        # A call, not an argument of the making: that would be written down by Ray's control store.
        ray.get(self._board.brief.remote(msgspec.msgpack.encode(briefing)), timeout=BOARD_S)

    def start(self, order: Order, near: str | None) -> None:
        """See `Engine`."""
        with _cluster_lost():
            ray.get(self._board.expect.remote(order.shard, order.attempt), timeout=BOARD_S)
        options: dict[str, Any] = {"name": f"shard {order.shard}"}
        if near is not None:
            options["scheduling_strategy"] = NodeAffinitySchedulingStrategy(near, soft=True)
        arguments = (self._board, bool(self._keepers), self._job, msgspec.msgpack.encode(order))
        self._running[self._task.options(**options).remote(*arguments)] = order

    def wait(self, timeout_s: float) -> list[Result | Lost]:
        """See `Engine`."""
        refs = list(self._running)
        ready, _ = ray.wait(refs, num_returns=len(refs), timeout=0)
        if not ready:
            ready, _ = ray.wait(refs, num_returns=1, timeout=timeout_s)
        return [self._ended(ref) for ref in ready]

    def _ended(self, ref: Any) -> Result | Lost:
        order = self._running.pop(ref)
        try:
            result = msgspec.msgpack.decode(ray.get(ref), type=Result)
        except exceptions.RayTaskError as error:  # `node.work` lets nothing through: its own import failed, say
            told = Told(Defect.exit_code, f"shard {order.shard} could not be begun: {type(error.cause).__name__}")
            result = Result(shard=order.shard, error=told)
        except exceptions.RayError as error:
            return Lost(order, type(error).__name__)
        self._board.settled.remote(order.shard)
        return result

    def figures(self) -> list[Figure]:
        """See `Engine`."""
        with _cluster_lost():
            data = ray.get(self._board.figures.remote(), timeout=BOARD_S)
        return msgspec.msgpack.decode(data, type=list[Figure])

    def tokens(self) -> dict[str, bytes]:
        """See `Engine`."""
        with _cluster_lost():
            renewed: dict[str, bytes] = ray.get(self._board.take_tokens.remote(), timeout=BOARD_S)
        return renewed

    def sent(self) -> list[Sent]:
        """See `Engine`."""
        with _cluster_lost():
            return decoded(ray.get(self._board.take_sent.remote(), timeout=BOARD_S))

    def stop(self) -> None:
        """See `Engine`."""
        self._board.stop.remote()

    def abandon(self) -> None:
        """See `Engine`."""
        for ref in self._running:
            ray.cancel(ref, force=True)

    def close(self) -> None:
        """Let go of the cluster; end the keepers that nobody else uses."""
        for name in self._keepers:
            with suppress(exceptions.RayError, ValueError):
                keeper = ray.get_actor(name, namespace=NAMESPACE)
                if ray.get(keeper.leave.remote(self._job), timeout=BOARD_S) == 0:
                    ray.kill(keeper)
        ray.shutdown()
        sys.stdout = self._stdout


@contextmanager
def _cluster_lost() -> Iterator[None]:
    """The board lives on the driver's own node: if it cannot be reached, Ray has ended here."""
    try:
        yield
    except exceptions.RayError as error:
        raise LimitReached(
            f"Ray does not answer on this machine ({type(error).__name__})",
            "no ID was lost; start Ray again, then the same command goes on",
        ) from None


class _RaysWords(io.TextIOBase):
    """Ray prints what happens to workers on stdout, which carries only what was asked for: a log line of detail."""

    def write(self, text: str) -> int:
        if text.strip():
            log.debug("ray: %s", text.strip())
        return len(text)


def connect(address: str, workers: int | None) -> None:
    """To the cluster at `address`, or to one of this machine alone, started now and ended with this process."""
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    options: dict[str, Any] = {"namespace": NAMESPACE, "log_to_driver": False, "logging_level": logging.ERROR}
    if address == "local":
        cpus = workers or os.cpu_count() or 1
        options |= {"num_cpus": cpus, "include_dashboard": False, "object_store_memory": STORE_BYTES}
    try:
        ray.init(address=address, **options)
    except (ConnectionError, RuntimeError, ValueError) as error:
        first = str(error).partition("\n")[0]
        raise UsageError(
            f"no Ray cluster at {address}: {first}",
            "ray start --head on one machine, ray start --address HEAD:6379 on the others; or --address local.\n"
            "A cluster that is guarded by a token wants RAY_AUTH_MODE=token here and on every node.",
        ) from None


class _Link:
    """See `node.Link`. Reports without waiting: the answer that is looked at is that to the report before.

    The clocks are compared at every report, by the moment at which its answer was there.
    """

    def __init__(self, board: Any) -> None:
        self._board = board
        self._asked: Any = None
        self._asked_s = self._got_s = 0.0
        self._stop = False
        self._offset = ClockOffset()
        for _ in range(LOOKS):
            sent_s = time.monotonic()
            other_s = ray.get(board.clock_s.remote(), timeout=BOARD_S)
            self._offset.heard(sent_s, time.monotonic(), other_s)

    def briefing(self) -> bytes:
        data: bytes = ray.get(self._board.briefing.remote(), timeout=BOARD_S)
        return data

    def report(self, figure: bytes) -> bool:
        if self._asked is not None:
            ready, _ = ray.wait([self._asked], timeout=0)
            if not ready:
                return self._stop
            self._stop, other_s = ray.get(ready[0])
            self._offset.heard(self._asked_s, self._got_s or time.monotonic(), other_s)
        self._got_s, self._asked_s = 0.0, time.monotonic()
        self._asked = self._board.report.remote(figure)
        self._asked.future().add_done_callback(self._came)
        return self._stop

    def _came(self, _: Any) -> None:
        self._got_s = time.monotonic()

    def clock(self) -> tuple[float, float]:
        return self._offset.offset_s, self._offset.error_s

    def tell(self, sent: bytes, *, last: bool) -> None:
        told = self._board.tell.remote(sent)
        if last:
            ray.get(told, timeout=BOARD_S)

    def tokens(self, app_key: str) -> bytes:
        data: bytes = ray.get(self._board.tokens.remote(app_key), timeout=BOARD_S)
        return data

    def keep_tokens(self, app_key: str, tokens: bytes) -> None:
        ray.get(self._board.keep_tokens.remote(app_key, tokens), timeout=BOARD_S)

    async def lock_tokens(self, app_key: str, shard: int, attempt: int) -> bool:
        call = self._board.lock_tokens.remote(app_key, shard, attempt)
        return bool(await asyncio.wait_for(asyncio.wrap_future(call.future()), BOARD_S))

    def unlock_tokens(self, app_key: str) -> None:
        self._board.unlock_tokens.remote(app_key)

    async def take_calls(self, wanted: int, unused: int) -> tuple[int, int]:
        try:
            call = self._board.take_calls.remote(wanted, unused)
            taken: tuple[int, int] = await asyncio.wait_for(asyncio.wrap_future(call.future()), BOARD_S)
        except (*_LOST, TimeoutError) as error:
            raise PlaceLost(f"the job's board does not answer ({type(error).__name__})") from None
        return taken

    def may_commit(self, shard: int, attempt: int) -> bool:
        return bool(ray.get(self._board.may_commit.remote(shard, attempt), timeout=BOARD_S))


def find_keeper(name: str) -> Any:
    """The actor that keeps the cap; started where there is none. It belongs to the cluster, and Ray starts it again.

    On the node that asks first, which is the driver's: should another be lost, Ray may take half a minute to see it.
    """
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=True)
    options = {"name": name, "namespace": NAMESPACE, "lifetime": "detached", "get_if_exists": True}
    return ray.remote(num_cpus=0, max_restarts=-1)(Keeper).options(**options, scheduling_strategy=here).remote()


def fetch_shard(board: Any, has_keepers: bool, job_name: str, order: bytes) -> bytes:
    """The task. Its arguments are a handle, names and numbers."""
    clock = SystemClock()

    def place_of(settings: Settings) -> LeasePlace | None:
        app_key, _ = require_credentials(settings)
        if not has_keepers:
            return None
        return ActorPlace(lambda: find_keeper(name_of(app_key, settings.gateway)), job_name, _LOST, clock)

    node = ray.get_runtime_context().get_node_id()
    return work(_Link(board), msgspec.msgpack.decode(order, type=Order), node, place_of)
