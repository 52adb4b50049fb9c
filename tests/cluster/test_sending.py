"""The proof of the caps over several machines: times told late, by other clocks, with keys of their own."""

from __future__ import annotations

from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from fetcher.cluster.sending import JobProof, SentLately
from fetcher.metrics import CapProof

NOW_S = 5_000.0


def told(proof: JobProof, times: dict[str, list[float]], shard: int, until_s: float, offset_s: float = 0.0) -> None:
    """A node with another clock tells of these."""
    lately = SentLately()
    for key, each in times.items():
        for time_s in each:
            lately.add(key, time_s - offset_s)
    proof.told(lately.take(shard, 1, until_s - offset_s, offset_s, 0.001), goes_on=True)


@given(
    lots=st.lists(st.lists(st.integers(0, 4_000), max_size=40), min_size=1, max_size=4),
    steps=st.lists(st.integers(1, 1_000), min_size=1, max_size=5),
)
def test_whenever_it_is_looked_at_the_times_are_one_row(lots: list[list[int]], steps: list[int]) -> None:
    """Machines tell of every step in turn, each by its own clock; the fullest second is that of all times together."""
    proof, plain = JobProof({"": 1000.0}), CapProof(1000.0)
    plain.sent_each(sorted(one / 1000 for lot in lots for one in lot))
    from_ms = -1
    for until_ms in [*accumulate(steps), 5_000]:
        for shard, lot in enumerate(lots):
            times = sorted(NOW_S + one / 1000 for one in lot if from_ms < one <= until_ms)
            told(proof, {"": times}, shard, NOW_S + until_ms / 1000 + 0.003, offset_s=100.0 * shard)
            proof.prove(NOW_S + until_ms / 1000)
        from_ms = until_ms
    proof.prove(NOW_S, last=True)
    seen = proof.proof()
    assert (seen.sent, seen.exact, seen.clock_error_s) == (sum(map(len, lots)), True, 0.001)
    edges = [one for lot in lots for one in lot]
    assert abs(seen.worst_1s - plain.worst_1s) <= max(map(edges.count, edges), default=0)


def test_later_times_wait_for_who_is_silent() -> None:
    """One tells of the tenth second before the other tells of the first: they are still put in order."""
    proof = JobProof({"": 100.0})
    told(proof, {"": [NOW_S]}, 1, NOW_S)
    told(proof, {"": [NOW_S + k for k in range(10)]}, 2, NOW_S + 10.0)
    proof.prove(NOW_S + 20.0)
    assert proof.proof().sent == 0
    told(proof, {"": [NOW_S + k + 0.5 for k in range(10)]}, 1, NOW_S + 10.0)
    proof.prove(NOW_S + 20.0)
    assert proof.proof().exact
    assert (proof.proof().sent, proof.proof().worst_1s) == (21, 3)
    assert not proof.keys({})


def test_a_lost_worker_is_not_waited_for_and_the_proof_says_that_something_is_missing() -> None:
    """What it told counts; what it did in its last moments nobody knows."""
    proof = JobProof({"a": 100.0, "b": 50.0})
    told(proof, {"a": [NOW_S], "b": [NOW_S + 0.1]}, 1, NOW_S)
    proof.over(1, lost=True)
    told(proof, {"a": [NOW_S + 0.2]}, 2, NOW_S + 5)
    proof.prove(NOW_S + 10.0)
    seen = proof.proof()
    assert (seen.sent, seen.worst_1s, seen.exact) == (3, 3, False)
    assert [(key.name, key.calls, key.left_pool) for key in proof.keys({"b": "banned"})] == [
        ("a", 2, ""),
        ("b", 1, "banned"),
    ]
