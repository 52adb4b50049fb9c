"""What nodes and driver tell each other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from fetcher._version import __version__
from fetcher.cluster.board import Board, Briefing, Figure, Order
from fetcher.cluster.driver import OnNode
from fetcher.cluster.node import plain_settings, settings_from, work
from fetcher.cluster.part import Result, Told
from fetcher.errors import Defect, LimitReached, OutputError, Refused, TooManyErrors, UsageError
from fetcher.metrics import Snapshot
from fetcher.settings import CommandSettings
from tests.cluster.here import Near

SETTINGS = CommandSettings(
    app_key="1000000",
    app_secret="very-secret-text",
    proxy="http://me:proxy-password@127.0.0.1:3128",
    params=[("scene", "1")],
    apis={"mine": {"name": "com.alibaba.product/x/1", "id": "productId"}},
    max_errors="5%",
    qps=7.5,
    keys=[{"name": "two", "app_key": "2000000", "app_secret": "very-secret-too", "qps": 3}],
)


def briefing(**more: Any) -> Briefing:
    """Of a job at a place that is not there."""
    values: dict[str, Any] = {
        "version": __version__,
        "job": "j",
        "place": "/no/such/place",
        "ending": "jsonl",
        "settings": plain_settings(SETTINGS, with_secrets=True),
        "own_secrets": False,
        "log_level": 20,
        "keepers": [],
    }
    return Briefing(**(values | more))


def figure(shard: int, attempt: int) -> bytes:
    """As a node sends it."""
    return msgspec.msgpack.encode(Figure(shard, attempt, "node", 1, Snapshot(fetched=shard)))


def test_only_the_try_that_counts_is_heard_and_may_commit() -> None:
    """One that was given up for lost, and comes back, is told to stop and publishes nothing."""
    board = Board()
    board.expect(1, 1)
    assert board.report(figure(1, 1))[0] is False
    board.expect(1, 2)
    assert board.figures() == msgspec.msgpack.encode([])
    assert board.report(figure(1, 1))[0] is True
    assert board.report(figure(1, 2))[0] is False
    assert (board.may_commit(1, 1), board.may_commit(1, 2)) == (False, True)
    [told] = msgspec.msgpack.decode(board.figures(), type=list[Figure])
    assert (told.shard, told.attempt) == (1, 2)
    board.settled(1)
    assert not board.may_commit(1, 2)
    board.expect(2, 1)
    board.stop()
    assert board.report(figure(2, 1))[0] is True


def test_a_limit_of_calls_is_handed_out_once() -> None:
    """What a node takes nobody else gets; what it gives back others may have."""
    board = Board()
    assert board.take_calls(7, 0)[0] == 7
    board.brief(msgspec.msgpack.encode(briefing(calls_allowed=10)))
    assert board.take_calls(7, 0) == (7, 3)
    assert board.take_calls(7, 0) == (3, 0)
    assert board.take_calls(1, 0) == (0, 0)
    assert board.take_calls(0, 2) == (0, 2)
    assert board.take_calls(5, 0) == (2, 0)


def test_one_at_a_time_renews_an_apps_tokens() -> None:
    """Whose worker was lost holds nobody up; other apps have a turn of their own; the driver hears of what is new."""
    board = Board()
    board.brief(msgspec.msgpack.encode(briefing(tokens={"1": b"old"})))
    board.expect(1, 1)
    board.expect(2, 1)
    assert board.lock_tokens("1", 1, 1)
    assert not board.lock_tokens("1", 2, 1)
    assert board.lock_tokens("2", 2, 1)
    board.expect(1, 2)
    assert board.lock_tokens("1", 2, 1)
    assert (board.tokens("1"), board.tokens("2"), board.take_tokens()) == (b"old", b"", {})
    board.keep_tokens("1", b"new")
    board.unlock_tokens("1")
    assert board.lock_tokens("1", 1, 2)
    assert board.tokens("1") == b"new"
    assert [board.take_tokens(), board.take_tokens()] == [{"1": b"new"}, {}]


def test_settings_arrive_as_they_were() -> None:
    """Every row, through bytes; but for the limit of errors, which the driver keeps for all."""
    data = msgspec.msgpack.encode(briefing())
    arrived = settings_from(msgspec.msgpack.decode(data, type=Briefing))
    assert arrived == replace(SETTINGS, max_errors=None)
    assert "secret" not in repr(briefing())


def test_nodes_with_their_own_secrets_are_sent_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """What is private is not in the briefing at all; the node's own environment says it."""
    plain = plain_settings(SETTINGS, with_secrets=False)
    assert "very-secret" not in repr(plain)
    assert "proxy-password" not in repr(plain)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FETCHER_APP_SECRET", "of-the-node")
    arrived = settings_from(briefing(settings=plain, own_secrets=True))
    assert arrived.app_secret is not None
    assert arrived.app_secret.reveal() == "of-the-node"
    assert arrived.qps == 7.5


@pytest.mark.parametrize(
    ("more", "words"),
    [({"version": "0.0.0"}, "the driver has 0.0.0"), ({}, "does not see /no/such/place")],
)
def test_a_node_that_cannot_says_so_in_a_sentence(more: dict[str, Any], words: str) -> None:
    """It raises nothing: Ray would show it with its traceback."""
    board = Board()
    board.brief(msgspec.msgpack.encode(briefing(**more)))
    result = msgspec.msgpack.decode(work(Near(board), Order(3, 1, False, 0, 9, 1, "1-0-0"), "node-a"), type=Result)
    assert result.error is not None
    assert words in result.error.message
    assert (result.shard, result.error.exit_code, result.left) == (3, 2, 1)


def test_a_defect_on_a_node_comes_back_without_secrets() -> None:
    """Its words go through the redactor that knows the job's secrets."""

    class Leaking(Board):
        def briefing(self) -> bytes:
            raise RuntimeError("access_token=abcdefgh")

    result = msgspec.msgpack.decode(work(Near(Leaking()), Order(1, 1, False, 0, 9, 1, "1-0-0"), "node-a"), type=Result)
    assert result.error is not None
    assert result.error.exit_code == 70
    assert "RuntimeError" in result.error.message
    assert "abcdefgh" not in result.error.message


def test_errors_of_ours_keep_their_exit_codes() -> None:
    """On the way from node to driver."""
    for kind in (UsageError, Refused, LimitReached, TooManyErrors, OutputError, Defect):
        error = OnNode(Told.of(kind("words", "advice")))
        assert (error.exit_code, str(error), error.advice) == (kind.exit_code, "words", "advice")
