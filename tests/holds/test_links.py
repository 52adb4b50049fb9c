"""Runs on machines of one network, near and far, that share a cap over Redis; a cable is pulled out in the midst."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.holds.books import check
from tests.holds.forked import Forked, until
from tests.holds.links import HERE, Delay, machines, needs_namespaces
from tests.holds.runs import SandboxSettings, environment, write_ids
from tests.holds.sent_times import sent_times
from tests.pacing.windows import worst_window
from tests.sharing.redis_server import RedisServer

pytestmark = pytest.mark.slow
GATEWAY = SandboxSettings(latency_ms=5, absent=0.0)

CAP = 300
DELAYS = [Delay(0.001, 0.001, 0.0005), Delay(0.002, 0.008, 0.001), Delay(0.030, 0.010, 0.004)]
"""There and back differ: the server's clock is not where half a round trip says."""
CUT_S = 2.2
"""Longer than a run waits for the place's answer."""


def words(k: int) -> tuple[str, ...]:
    """What the k-th run is told."""
    return (f"{k}.txt", "-o", f"{k}.jsonl", "--no-progress")


def test_near_and_far_machines_and_a_cable_that_is_pulled_out(tmp_path: Path, sandbox: Any, redis: RedisServer) -> None:
    """The cap is held over all, and used by those who are connected. Who is cut off stops at the end of its lease, says
    so, and goes on when the cable is in again."""
    needs_namespaces()
    gateway_port = urlsplit(sandbox.url).port
    assert gateway_port is not None
    env = environment(sandbox, FETCHER_SHARE_CAP=redis.url.replace("127.0.0.1", HERE), FETCHER_ALLOW_HTTP="1")
    env |= {
        "FETCHER_GATEWAY": sandbox.url.replace("127.0.0.1", HERE),
        "FETCHER_QPS": str(CAP),
        "FETCHER_HEADROOM": "0.5",
    }
    ids = [write_ids(tmp_path / f"{k}.txt", n, 610_000_000_000 + k * 1_000_000) for k, n in enumerate((500, 350, 500))]
    with machines(DELAYS, [gateway_port, redis.port]) as made:
        runs = [
            Forked(*words(k), env=env, cwd=tmp_path, sent=f"{k}.sent", network=one.name) for k, one in enumerate(made)
        ]
        near, cut, far = (tmp_path / f"{k}.sent" for k in range(3))
        until(lambda: all(len(sent_times(path)) > 20 for path in (near, cut, far)))
        made[1].plug(on=False)
        cut_s = time.monotonic()
        time.sleep(CUT_S)
        back_s = time.monotonic()
        made[1].plug(on=True)
        assert [run.wait() for run in runs] == [0, 0, 0], [run.said for run in runs]
    each = [sent_times(path) for path in (near, cut, far)]
    every = sorted(at_s for times in each for at_s in times)
    assert worst_window(every) <= CAP
    begun_s, over_s = max(times[0] for times in each), min(each[0][-1], each[2][-1])
    busy = [at_s for at_s in every if begun_s <= at_s <= over_s]
    assert len(busy) > 0.6 * CAP * (over_s - begun_s), "93 % where nothing else runs: who is far makes the gaps longer"
    assert [at_s for at_s in each[1] if cut_s + 1.2 < at_s < back_s] == []
    for said in ("calls stop at the end of what is leased", "is back"):
        assert [said in run.said for run in runs] == [False, True, False]
    for k, run in enumerate(runs):
        assert check(tmp_path / f"{k}.jsonl", ids[k]) == {}
        assert "hunter22" not in run.said
