"""Which shard next, and how often a shard may lose its worker."""

from __future__ import annotations

from fetcher.cluster.records import Shard
from fetcher.cluster.schedule import TRIES, Schedule


def shards(n: int) -> list[Shard]:
    """`n` of them, one ID each."""
    return [Shard(k, k, k + 1, 1, "1-0-0") for k in range(1, n + 1)]


def test_a_lost_shard_goes_first_and_where_it_was() -> None:
    """Its part lies there. It looks for it; a first try of a new job has nothing to look for."""
    schedule = Schedule(shards(3), resumed=False)
    first = schedule.next()
    assert first is not None
    assert (first[0].shard, first[0].attempt, first[0].look, first[1]) == (1, 1, False, None)
    assert schedule.lost(1, "node a")
    again = schedule.next()
    assert again is not None
    assert (again[0].shard, again[0].attempt, again[0].look, again[1]) == (1, 2, True, "node a")
    schedule.done(1)
    second = schedule.next()
    assert second is not None
    assert second[0].shard == 2
    assert (schedule.waiting, schedule.running) == (1, 1)
    assert [shard.number for shard in schedule.left()] == [2, 3]


def test_a_shard_that_keeps_losing_its_worker_is_given_up() -> None:
    """It is what kills them."""
    schedule = Schedule(shards(1), resumed=True)
    for attempt in range(1, TRIES + 1):
        found = schedule.next()
        assert found is not None
        assert found[0].attempt == attempt
        assert found[0].look
        assert schedule.lost(1, None) == (attempt < TRIES)
    assert schedule.next() is None
