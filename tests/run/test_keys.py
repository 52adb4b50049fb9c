"""A pool of keys: each under its own cap, work by what is left of each, one that is refused leaves it."""

from __future__ import annotations

import logging
from collections import defaultdict
from typing import Any

import pytest

from fetcher.errors import LimitReached, Refused
from fetcher.model import Request
from fetcher.run.loop import Run
from tests.fakes import Answer, product_body, refusal_body, worst_second
from tests.run.parts import Bench, ids

pytestmark = pytest.mark.virtual_time

QPS = {"a": 20.0, "b": 5.0, "c": 10.0}
TABLES = [
    {"name": name, "app_key": f"100000{number}", "app_secret": f"secret-of-{name}", "qps": QPS[name]}
    for number, name in enumerate(QPS)
]
NAMES = {table["app_key"]: str(table["name"])[-1] for table in TABLES}


def key_of(request: Request) -> str:
    """Which key a call was made with."""
    return NAMES[request.target.rpartition("/")[2]]


class Pool(Bench):
    """A run over several keys. `script` is also told by whom it is asked."""

    def __init__(self, script: Any = None, **options: Any) -> None:
        super().__init__(**{"app_key": None, "app_secret": None, "keys": TABLES, **options})
        self.by_key: dict[str, list[float]] = defaultdict(list)
        self.script, self.calling = script, ""
        self.transport.script = self._script
        self.transport.watch = self._watch

    def _watch(self, request: Request, now_s: float) -> None:
        self.calling = key_of(request)
        self.by_key[self.calling].append(now_s)

    def _script(self, product_id: str, earlier: int, now_s: float) -> Answer:
        answer: Answer | None = self.script(self.calling, product_id, now_s) if self.script else None
        return answer or (200, product_body(product_id))

    def figures(self, run: Run) -> dict[str, Any]:
        """Of each key, after the end."""
        return {key.name[-1]: key for key in run._key_figures()}


@pytest.mark.untraced
async def test_each_key_has_its_own_cap_and_all_are_used() -> None:
    """35 a second together; no second of any key holds more than its own cap."""
    pool = Pool()
    ended = await pool.run(ids(700))
    assert ended.error is None and ended.balance
    assert ended.snapshot.fetched == 700
    for name, times in pool.by_key.items():
        assert worst_second(times) <= QPS[name]
        assert len(times) == pytest.approx(700 * QPS[name] / 35.0, rel=0.1)
    assert ended.snapshot.cap_per_s == 35.0
    assert all(key.holds and key.calls == len(pool.by_key[key.name[-1]]) for key in ended.keys)
    assert 700 / (pool.sent_s[-1] - pool.sent_s[0]) > 0.9 * 35


async def test_work_that_is_scarce_goes_to_the_key_with_most_left() -> None:
    """One call in flight at a time: the wide key gets more than the narrow one."""
    pool = Pool(concurrency=1, latency_s=0.2)
    await pool.run(ids(100))
    assert len(pool.by_key["a"]) > len(pool.by_key["b"])


@pytest.mark.untraced
@pytest.mark.parametrize("code", ["gw.SignatureInvalid", "gw.AppKeyNotFound", "gw.NoUsageLeftError"])
async def test_a_key_that_is_refused_leaves_the_pool_and_no_id_fails(
    code: str, caplog: pytest.LogCaptureFixture
) -> None:
    """From the start: it costs a call, a warning is said, the rest does all of the work."""
    pool = Pool(lambda key, *_: (400, refusal_body(code)) if key == "b" else None)
    with caplog.at_level(logging.WARNING):
        ended = await pool.run(ids(300))
    assert ended.error is None and ended.balance
    assert (ended.snapshot.fetched, ended.snapshot.failed) == (300, 0)
    assert len(pool.by_key["b"]) == 1
    assert "key b is out of the pool" in caplog.text and "2 are left" in caplog.text
    assert "secret-of" not in caplog.text
    [left] = [key for key in ended.keys if key.left_pool]
    assert left.name == "b" and code in left.left_pool


async def test_a_key_whose_permission_ends_in_mid_run_leaves_with_what_was_in_flight() -> None:
    """The others fetch its IDs."""
    pool = Pool(lambda key, _, now_s: (400, refusal_body("gw.APIACLDecline")) if key == "a" and now_s > 5 else None)
    ended = await pool.run(ids(400))
    assert ended.error is None and ended.balance
    assert (ended.snapshot.fetched, ended.snapshot.failed) == (400, 0)
    assert len([time_s for time_s in pool.by_key["a"] if time_s > 5]) <= 12


async def test_the_last_key_ends_the_run() -> None:
    """With its own words; every ID stays to be done."""
    pool = Pool(lambda *_: (400, refusal_body("gw.SignatureInvalid")))
    ended = await pool.run(ids(100))
    assert isinstance(ended.error, Refused)
    assert pool.sink.outcomes == [] and ended.snapshot.left == 100
    assert sum(map(len, pool.by_key.values())) == 3
    pool = Pool(lambda *_: (400, refusal_body("gw.NoUsageLeftError")))
    assert isinstance((await pool.run(ids(100))).error, LimitReached)


async def test_a_throttle_slows_only_the_key_that_was_throttled() -> None:
    """Each has a cap of its own at the gateway too."""
    pool = Pool(
        lambda key, _, now_s: (400, refusal_body("gw.QosAppFrequencyLimit")) if key == "a" and 3 < now_s < 3.2 else None
    )
    ended = await pool.run(ids(400))
    assert ended.error is None
    assert ended.snapshot.fetched == 400
    assert ended.snapshot.throttles >= 1
    others = sorted(time_s for name in "bc" for time_s in pool.by_key[name] if 3 < time_s < 5)
    assert len(others) >= 24


async def test_a_plain_key_stands_beside_the_tables() -> None:
    """It is one of the pool, with the cap of `qps`."""
    NAMES["1000009"] = "z"
    pool = Pool(app_key="1000009", app_secret="plain", qps=7.0)
    ended = await pool.run(ids(200))
    assert [key.cap_per_s for key in ended.keys] == [7.0, 20.0, 5.0, 10.0]
    assert worst_second(pool.by_key["z"]) <= 7
