"""Nothing is lost between two processes: what was on its way, or in the hands of one that died, stays to be done."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
from typing import Any, cast

import msgspec
import pytest

from fetcher.metrics import Histogram, Snapshot, Specimens
from fetcher.model import ErrorInfo, Failure, Item, Kind, Product
from fetcher.output import encode_all
from fetcher.run.lot import LARGEST_BYTES, Lot, make_memory
from fetcher.run.peer import Peer
from fetcher.run.shard import plain
from fetcher.run.wire import Begin, Channel, Given, Over, Stop, Want, put_of
from fetcher.settings import Settings

NOT_THERE = ErrorInfo(Kind.NOT_FOUND, "1", "gone", 200, permanent=True)


class Line:
    """Keeps what was posted."""

    def __init__(self) -> None:
        self.posted: list[Any] = []

    def post(self, message: Any) -> None:
        self.posted.append(message)


def peer_of(*lists: list[str]) -> Peer:
    """A worker that was given these lists."""
    peer = Peer(1, cast(Any, Line()), cast(Any, None), Lot(make_memory()))
    for ids in lists:
        peer.give([Item(one, 1) for one in ids])
    return peer


def over_of(left: list[str], taken: int) -> Over:
    """How its run ended."""
    empty = Histogram().dump()
    snapshot = Snapshot(read=4, fetched=4 - len(left), left=len(left))
    return Over(None, snapshot, "", left, [], empty, empty, Specimens().dump(), abandoned=False, taken=taken)


@pytest.mark.parametrize(
    ("taken", "left"),
    [
        pytest.param(2, ["4"], id="all of it reached the run"),
        pytest.param(1, ["4", "5", "6"], id="the last list was still on its way"),
    ],
)
def test_what_is_on_its_way_at_the_end_is_left(taken: int, left: list[str]) -> None:
    """A run that ends at its limit may just have asked for more."""
    peer = peer_of(["1", "2", "3", "4"], ["5", "6"])
    assert peer.ended(over_of(["4"], taken)) == left
    assert peer.snapshot.left == len(left)
    assert peer.snapshot.read == peer.snapshot.fetched + peer.snapshot.left


def test_the_end_of_the_input_on_its_way_is_nothing() -> None:
    """An empty list says that there is no more."""
    peer = peer_of(["1", "2", "3", "4"], [])
    assert peer.ended(over_of([], 1)) == []


def test_what_one_that_died_had_is_left() -> None:
    """By number: it can no longer say which."""
    peer = peer_of(["1", "2", "3"], ["4", "5"])
    peer.stored(2, 1)
    peer.died()
    assert peer.over is not None and peer.over.abandoned
    assert (peer.snapshot.fetched, peer.snapshot.failed, peer.snapshot.left, peer.snapshot.read) == (2, 1, 2, 5)


def test_lines_come_through_common_memory_or_with_the_message() -> None:
    """The parent sees what the worker has laid; what is too large goes with the message."""
    memory = make_memory()
    worker, parent = Lot(os.dup(memory)), peer_of(["1"])
    parent.lot = Lot(memory)
    small = [Product(str(number), 0, 1, 1.0, b"{}") for number in (1, 22)]
    large = [Product("3", 0, 1, 1.0, b"x" * LARGEST_BYTES), Failure("4", 0, 1, 1.0, NOT_THERE)]
    for outcomes, lies in ((small[:1], True), (small, True), (large, False), (large[1:], True)):
        put = put_of(encode_all(outcomes, worker.lay))
        found = parent.lines(put)
        assert bool(put.products) is not lies
        assert msgspec.structs.replace(found, products=bytes(found.products)) == encode_all(outcomes)
    with parent.lot.look(1):
        parent.lot.close()  # somebody still looks at it: no reason to fail


def test_the_memory_keeps_to_what_a_file_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """`ulimit -f` holds for it too."""
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(resource, "getrlimit", lambda _: (65536, 65536))
    lot = Lot(make_memory())
    assert (type(lot.lay([b"x" * 65536])), type(lot.lay([b"x" * 65537]))) == (memoryview, bytes)


async def test_a_worker_that_has_told_its_end_waits_until_its_parent_hangs_up() -> None:
    """Whatever the parent still posts meets an open line: otherwise it would forget what it has not read yet."""
    near, far = socket.socketpair()
    memory = make_memory()
    with far:
        descriptors = (far.fileno(), memory)
        words = [sys.executable, "-m", "fetcher.run", *map(str, descriptors)]
        process = await asyncio.create_subprocess_exec(*words, pass_fds=descriptors)
    os.close(memory)
    channel = await Channel.over(near)
    channel.post(Begin(1, plain(Settings(app_key="1", app_secret="2")), None, logging.ERROR, "text"))
    while not isinstance(message := await channel.receive(), Over):
        if isinstance(message, Want):
            channel.post(Given([], []))
    channel.post(Stop(at_once=False))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(process.wait(), 0.3)
    channel.close()
    assert await process.wait() == 0
