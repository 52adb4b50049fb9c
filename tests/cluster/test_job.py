"""Whole jobs without Ray: cut, fetched shard by shard against the sandbox, killed, gone on with, joined, proven."""

from __future__ import annotations

import fcntl
import gzip
import json
import os
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from fetcher.clock import SystemClock
from fetcher.cluster.board import Order
from fetcher.cluster.command import run_cluster
from fetcher.cluster.driver import Lost
from fetcher.cluster.keeper import ActorPlace
from fetcher.cluster.node import ToldToStop, work
from fetcher.cluster.records import Manifest
from fetcher.cluster.schedule import TRIES
from fetcher.cluster.status import Standing
from fetcher.cluster.store import open_store
from fetcher.errors import OutputBusy, OutputMismatch, UsageError
from fetcher.run import run_job
from fetcher.sandbox import AppSettings, SandboxSettings, spawn
from tests.cluster.here import Gone, Handle, Here, Near, job, killed_after
from tests.holds.books import check

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def gateway() -> Iterator[Any]:
    """One for all: each test has IDs of its own."""
    with spawn(SandboxSettings(qps=100_000, absent=0.02, latency_ms=2.0)) as served:
        yield served


@pytest.fixture
def sandbox(gateway: Any) -> Any:
    """With counts that begin at zero."""
    gateway.reset()
    return gateway


@pytest.fixture(scope="module")
def numbers() -> Iterator[int]:
    """Where each test's IDs begin."""
    return iter(range(610_000_000_000, 620_000_000_000, 100_000))


def write(path: Path, first: int, n: int) -> list[str]:
    """A file of `n` IDs, a bad line, and a duplicate."""
    ids = [str(first + k) for k in range(n)]
    path.write_text("\n".join([*ids, "no-id", ids[0]]) + "\n")
    return ids


def stored(folder: Path) -> Counter[str]:
    """IDs of all parts."""
    return Counter(
        json.loads(line)["id"] for path in sorted(folder.glob("part-*")) for line in path.read_text().splitlines()
    )


def manifest_of(folder: Path) -> Manifest:
    """As a reader has it."""
    return msgspec.json.decode((folder / "manifest.json").read_bytes(), type=Manifest)


def test_from_ids_to_a_data_set(sandbox: Any, numbers: Any, tmp_path: Path) -> None:
    """Every ID once, the books as for one run, a manifest that says so; run again, nothing is sent."""
    ids = write(tmp_path / "ids.txt", next(numbers), 230)
    out, engine = tmp_path / "data", Here()
    summary = tmp_path / "summary.json"
    a_job = job(sandbox, tmp_path / "ids.txt", out, summary=str(summary))
    assert run_cluster(a_job, engine_of=lambda _: engine) == 1
    assert engine.closed
    assert len(engine.done) == 5
    assert stored(out) == Counter([*ids, "no-id"])
    manifest = manifest_of(out)
    assert manifest.complete
    assert (manifest.ids, manifest.left) == (231, 0)
    assert manifest.fetched + manifest.failed == 231
    assert manifest.failed_by_kind["bad_id"] == 1
    figures = json.loads(summary.read_text())
    assert figures["books"]["balanced"]
    assert figures["calls"]["sent"] == sandbox.stats()["calls"] == 230
    assert figures["ids"]["failed_by_kind"] == manifest.failed_by_kind
    assert figures["input"]["duplicates"] == 1
    parts = ("fetched", "failed", "skipped_known", "duplicates", "left")
    assert figures["ids"]["read"] == sum(figures["ids"][part] for part in parts) == 232
    assert list((out / "_job" / "open").iterdir()) == []
    standing = Standing(str(out), 0)
    assert standing.complete
    assert standing.damage() == []
    assert [(start.calls, start.exact) for start in manifest.starts] == [(230, True)]
    assert figures["windows"]["worst_1s"] == manifest.starts[0].worst_1s > 0
    before = {path: path.read_bytes() for path in out.glob("part-*")}
    never = Here(before=lambda order: pytest.fail("a shard was begun"))
    assert run_cluster(a_job, engine_of=lambda _: never) == 1
    assert {path: path.read_bytes() for path in out.glob("part-*")} == before
    assert manifest_of(out).starts == manifest.starts


def test_a_worker_lost_in_mid_shard_costs_what_was_in_flight(sandbox: Any, numbers: Any, tmp_path: Path) -> None:
    """The next try goes on where the part stands; the third shard's worker dies after a commit nobody heard of."""
    ids = write(tmp_path / "ids.txt", next(numbers), 300)
    out, engine = tmp_path / "data", Here()

    def before(order: Order) -> Lost | None:
        if (order.shard, order.attempt) == (2, 1):
            killed_after(20, engine, order)
            return Lost(order, "WorkerCrashedError")
        if (order.shard, order.attempt) == (3, 1):
            work(Near(engine.board), order, "here")
            return Lost(order, "NodeDiedError")
        return None

    engine.before = before
    summary = tmp_path / "summary.json"
    a_job = job(sandbox, tmp_path / "ids.txt", out, qps=200.0, shard_ids=100, summary=str(summary))
    assert run_cluster(a_job, engine_of=lambda _: engine) in (0, 1)
    assert stored(out) == Counter([*ids, "no-id"])
    assert manifest_of(out).complete
    tries = sorted((order.shard, order.attempt) for order, _ in engine.done)
    assert tries == [(1, 1), (2, 1), (2, 2), (3, 1), (3, 2)]
    assert 300 <= sandbox.stats()["calls"] <= 300 + 0.2 * 200
    assert json.loads(summary.read_text())["books"]["balanced"]


def test_a_shard_that_kills_its_workers_ends_the_job(sandbox: Any, numbers: Any, tmp_path: Path) -> None:
    """As a defect, with what is left; the same command goes on."""
    ids = write(tmp_path / "ids.txt", next(numbers), 120)
    out = tmp_path / "data"
    engine = Here(before=lambda order: Lost(order, "OutOfMemoryError") if order.shard == 2 else None)
    a_job = job(sandbox, tmp_path / "ids.txt", out)
    assert run_cluster(a_job, engine_of=lambda _: engine) == 70
    assert sum(order.shard == 2 for order, _ in engine.done) == TRIES
    assert not manifest_of(out).complete
    assert not Standing(str(out), 0).complete
    again = Here()
    assert run_cluster(a_job, engine_of=lambda _: again) in (0, 1)
    assert [order.shard for order, _ in again.done] == [2]
    assert stored(out) == Counter([*ids, "no-id"])


def test_a_refusal_of_the_key_costs_one_shard(sandbox: Any, numbers: Any, tmp_path: Path) -> None:
    """Exit 3; no ID is marked; nothing secret in what was written down."""
    write(tmp_path / "ids.txt", next(numbers), 120)
    a_job = job(sandbox, tmp_path / "ids.txt", tmp_path / "data")
    wrong = msgspec.structs.replace(
        a_job, settings=type(a_job.settings)(gateway=sandbox.url, app_key=sandbox.app_key, app_secret="wrong-secret-1")
    )
    engine = Here()
    assert run_cluster(wrong, engine_of=lambda _: engine) == 3
    assert len(engine.done) == sandbox.stats()["calls"] == 1
    assert manifest_of(tmp_path / "data").left == 120
    for path in (tmp_path / "data").rglob("*"):
        assert not path.is_file() or b"wrong-secret-1" not in path.read_bytes(), path


@pytest.mark.parametrize("ending", ["jsonl", "jsonl.gz", "jsonl.zst"])
def test_parts_are_joined_into_one_file(sandbox: Any, numbers: Any, tmp_path: Path, ending: str) -> None:
    """OUT and its failed file, as one run would have left them; the parts are gone; taken away, it is not made up."""
    ids = write(tmp_path / "ids.txt", next(numbers), 120)
    out = tmp_path / f"products.{ending}"
    a_job = job(sandbox, tmp_path / "ids.txt", out, merged=True, ending=ending)
    assert run_cluster(a_job, engine_of=lambda _: Here()) == 1
    assert check(out, [*ids, "no-id"])["bad_id"] == 1
    parts = Path(f"{out}.parts")
    assert list(parts.glob("part-*")) == []
    assert [file.name for file in manifest_of(parts).merged] == [out.name, f"products.failed.{ending}"]
    assert Standing(str(out), 0).damage() == []
    assert run_cluster(a_job, engine_of=lambda _: Here(before=lambda order: pytest.fail("begun"))) == 1
    out.unlink()
    assert run_cluster(a_job, engine_of=lambda _: Here()) == 2


def test_several_keys_give_several_caps_and_one_of_them_dies(numbers: Any, tmp_path: Path) -> None:
    """Each at its own cap over all shards; the one whose package is used up leaves, the others go on. A later shard
    does not ask it again."""
    ids = write(tmp_path / "ids.txt", next(numbers), 250)
    wide = AppSettings(app_key="7770002", app_secret="secret-of-the-wide-one", qps=200)
    short = AppSettings(app_key="7770003", app_secret="secret-of-the-short-one", qps=100, usage=10)
    with spawn(SandboxSettings(qps=100, absent=0.0, latency_ms=1.0, apps=(wide, short))) as sandbox:
        keys = [
            {"name": "wide", "app_key": "7770002", "app_secret": "secret-of-the-wide-one", "qps": 200},
            {"name": "short", "app_key": "7770003", "app_secret": "secret-of-the-short-one"},
        ]
        summary, places = tmp_path / "summary.json", defaultdict[str | None, Any](Handle)
        a_job = job(sandbox, tmp_path / "ids.txt", tmp_path / "data", qps=100.0, keys=keys, summary=str(summary))

        def place_of(settings: Any) -> ActorPlace:
            return ActorPlace(lambda: places[settings.app_key], "job", (Gone,), SystemClock())

        engine = Here(place_of=place_of)
        assert run_cluster(a_job, engine_of=lambda _: engine) == 1
        stats = sandbox.stats()
    assert stored(tmp_path / "data") == Counter([*ids, "no-id"])
    assert manifest_of(tmp_path / "data").failed_by_kind == {"bad_id": 1}
    told = json.loads(summary.read_text())
    by_name = {key["name"]: key for key in told["keys"]}
    assert set(by_name) == {sandbox.app_key, "wide", "short"}
    assert by_name["wide"]["calls"] > by_name[sandbox.app_key]["calls"] > 0
    assert 10 < by_name["short"]["calls"] <= 15
    assert "no usage left" in by_name["short"]["left_pool"]
    assert all(key["holds"] for key in told["keys"])
    assert told["windows"]["holds"]
    assert sum(key["calls"] for key in told["keys"]) == told["calls"]["sent"] == stats["calls"]
    out = [order for order, _ in engine.done if "short" in order.without]
    assert len(out) >= 2
    assert told["books"]["balanced"]


def test_a_token_is_renewed_once_for_all_shards(numbers: Any, tmp_path: Path) -> None:
    """The first that is refused renews it on the board, the others find it there; the driver keeps it for the user."""
    ids = write(tmp_path / "ids.txt", next(numbers), 120)
    kept, summary = tmp_path / "tokens.json", tmp_path / "summary.json"
    with spawn(SandboxSettings(qps=100_000, absent=0.0, latency_ms=1.0, require_token=True)) as sandbox:
        tokens = {"access_token": "of-yesterday-1234", "refresh_token": sandbox.refresh_token, "token_file": str(kept)}
        a_job = job(sandbox, tmp_path / "ids.txt", tmp_path / "data", summary=str(summary), shard_ids=30, **tokens)
        assert run_cluster(a_job, engine_of=lambda _: Here()) == 1
        stats = sandbox.stats()
    assert stored(tmp_path / "data") == Counter([*ids, "no-id"])
    assert stats["calls"] == 120 + 2  # one refused, one renewal
    [entry] = json.loads(kept.read_text()).values()
    assert entry["access_token"] != "of-yesterday-1234"
    assert entry["refresh_token"] == sandbox.refresh_token.reveal()
    assert kept.stat().st_mode & 0o077 == 0
    for path in (*(tmp_path / "data").rglob("*"), summary):
        assert not path.is_file() or entry["access_token"].encode() not in path.read_bytes(), path


def test_what_an_earlier_job_holds_is_passed_over(sandbox: Any, numbers: Any, tmp_path: Path) -> None:
    """Parts of a folder and an OUT are known; what failed there is due; another --known is another job."""
    first, summary = next(numbers), tmp_path / "summary.json"
    write(tmp_path / "old.txt", first, 100)
    run_cluster(job(sandbox, tmp_path / "old.txt", tmp_path / "old"), engine_of=lambda _: Here())
    held = {one for one in stored(tmp_path / "old") if one != "no-id"}
    failed = {
        json.loads(line)["id"]
        for path in (tmp_path / "old").glob("*.failed.jsonl")
        for line in path.read_text().splitlines()
    }
    ids = write(tmp_path / "new.txt", first, 150)
    before = sandbox.stats()["calls"]
    options: dict[str, Any] = {"known": [f"{tmp_path / 'old'}/"], "skip_fresh_s": "1h", "summary": str(summary)}
    a_job = job(sandbox, tmp_path / "new.txt", tmp_path / "new", **options)
    run_cluster(a_job, engine_of=lambda _: Here())
    due = [one for one in ids if one not in held - failed]
    assert stored(tmp_path / "new") == Counter([*due, "no-id"])
    assert sandbox.stats()["calls"] - before == len(due)
    told = json.loads(summary.read_text())
    assert told["ids"]["skipped_fresh"] == manifest_of(tmp_path / "new").fresh == len(held - failed)
    parts = ("fetched", "failed", "skipped_known", "duplicates", "left")
    assert told["ids"]["read"] == sum(told["ids"][part] for part in parts) == 152
    assert told["ids"]["total"] == 151
    assert told["books"]["balanced"]
    with pytest.raises(OutputMismatch, match="way to read IDS"):
        run_cluster(job(sandbox, tmp_path / "new.txt", tmp_path / "new"), engine_of=lambda _: Here())
    with pytest.raises(UsageError, match="there are no parts"):
        bad = job(sandbox, tmp_path / "new.txt", tmp_path / "more", known=[str(tmp_path / "nothing")])
        run_cluster(bad, engine_of=lambda _: Here())


def test_a_limit_of_calls_is_one_for_all_workers(sandbox: Any, numbers: Any, tmp_path: Path) -> None:
    """Counted where the cap is leased; exit 4 with what is left; the same command goes on with a new count."""
    ids = write(tmp_path / "ids.txt", next(numbers), 120)
    a_job = job(sandbox, tmp_path / "ids.txt", tmp_path / "data", qps=1000.0, max_calls=70)
    codes = []
    for _ in range(2):
        handle = Handle()
        place = ActorPlace(lambda handle=handle: handle, "job", (Gone,), SystemClock())  # type: ignore[misc]
        codes.append(run_cluster(a_job, engine_of=lambda _, place=place: Here(place_of=lambda _: place)))  # type: ignore[misc]
        assert sandbox.stats()["calls"] <= 70 * len(codes)
    assert codes == [4, 1]
    assert sandbox.stats()["calls"] == 120
    assert stored(tmp_path / "data") == Counter([*ids, "no-id"])


def test_failures_that_may_pass_are_tried_again(numbers: Any, tmp_path: Path) -> None:
    """The same command opens their shards again, and only those; the joined OUT is made anew."""
    ids = write(tmp_path / "ids.txt", next(numbers), 100)
    out = tmp_path / "products.jsonl"
    options: dict[str, Any] = {"merged": True, "retry_failed": "transient", "shard_ids": 10}
    with spawn(SandboxSettings(qps=100_000, absent=0.0, latency_ms=1.0, error_rate=0.04)) as sick:
        a_job = job(sick, tmp_path / "ids.txt", out, retries=0, **options)
        assert run_cluster(a_job, engine_of=lambda _: Here()) == 1
        kinds = check(out, [*ids, "no-id"])
    assert kinds["server"] > 0
    touched = sum(commit.retriable > 0 for commit in manifest_of(Path(f"{out}.parts")).parts)
    assert 0 < touched < 10
    with spawn(SandboxSettings(qps=100_000, absent=0.0, latency_ms=1.0)) as well:
        engine = Here()
        assert run_cluster(job(well, tmp_path / "ids.txt", out, **options), engine_of=lambda _: engine) == 1
        assert well.stats()["calls"] == kinds["server"]
    assert len(engine.done) == touched
    assert check(out, [*ids, "no-id"]) == {"bad_id": 1}
    assert list(Path(f"{out}.parts").glob("part-*")) == []


def test_a_part_that_was_tampered_with_is_not_joined(sandbox: Any, numbers: Any, tmp_path: Path) -> None:
    """The status finds it; a part that is gone is fetched again."""
    ids = write(tmp_path / "ids.txt", next(numbers), 100)
    out = tmp_path / "data"
    a_job = job(sandbox, tmp_path / "ids.txt", out)
    run_cluster(a_job, engine_of=lambda _: Here())
    part = out / "part-0000001.jsonl"
    part.write_bytes(part.read_bytes().replace(b"attempts", b"attemptz", 1))
    assert "sha256 differs" in Standing(str(out), 0).damage()[0]
    part.unlink()
    engine = Here()
    run_cluster(a_job, engine_of=lambda _: engine)
    assert [order.shard for order, _ in engine.done] == [1]
    assert stored(out) == Counter([*ids, "no-id"])


def test_far_places(sandbox: Any, numbers: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Input and output by URI, several compressed inputs by a pattern; stopped in order, a part is carried over."""
    pytest.importorskip("fsspec", reason="needs the extra remote")
    monkeypatch.setenv("FETCHER_SCRATCH", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    bucket = f"memory://{uuid4().hex}"
    store, first = open_store(bucket), next(numbers)
    ids = [str(first + k) for k in range(130)]
    store.write("in/a.csv.gz", gzip.compress("\n".join(["offerId", *ids[:70], "x1"]).encode()))
    store.write("in/b.csv.gz", gzip.compress("\n".join(["offerId", *ids[60:]]).encode()))
    a_job = job(sandbox, f"{bucket}/in/*.csv.gz", f"{bucket}/out", max_errors=None)
    engine = Here()
    engine.run = _stopped_at_once
    assert run_cluster(a_job, engine_of=lambda _: engine) == 130
    place = open_store(f"{bucket}/out")
    assert place.names("_job/open")
    for left in (tmp_path / "scratch").rglob("part-*"):
        left.unlink()  # another node takes it up
    with pytest.raises(OutputMismatch, match="another kind of parts"):
        run_cluster(msgspec.structs.replace(a_job, ending="jsonl.gz"), engine_of=lambda _: engine)
    again = Here()
    assert run_cluster(a_job, engine_of=lambda _: again) == 1
    names = [name for name in place.names("") if name.startswith("part-")]
    seen = Counter(json.loads(line)["id"] for name in names for line in place.read(name).splitlines())
    assert seen == Counter([*ids, "x1"])
    assert place.names("_job/open") == []
    assert list((tmp_path / "scratch").rglob("part-*")) == []
    assert Standing(f"{bucket}/out", 0).damage() == []


def _stopped_at_once(job: Any, clock: Any, reporting: Any) -> Any:
    class Watch:
        def update(self, snapshot: Any) -> Any:
            return ToldToStop("enough") if snapshot.fetched > 3 else None

        def close(self, snapshot: Any) -> None:
            """Nothing."""

    slow = msgspec.structs.replace(job, settings=replace(job.settings, qps=40.0))
    return run_job(slow, clock, Watch)


def test_what_has_changed_is_another_job(sandbox: Any, numbers: Any, tmp_path: Path) -> None:
    """Another API, other IDs, a folder of somebody else's, a second driver."""
    write(tmp_path / "ids.txt", next(numbers), 20)
    out = tmp_path / "data"
    a_job = job(sandbox, tmp_path / "ids.txt", out)
    run_cluster(a_job, engine_of=lambda _: Here())
    with pytest.raises(OutputMismatch, match="another API"):
        run_cluster(job(sandbox, tmp_path / "ids.txt", out, api="product-simple"), engine_of=lambda _: Here())
    write(tmp_path / "ids.txt", next(numbers), 21)
    with pytest.raises(OutputMismatch, match="has changed since"):
        run_cluster(a_job, engine_of=lambda _: Here())
    assert run_cluster(job(sandbox, tmp_path / "ids.txt", out, overwrite=True), engine_of=lambda _: Here()) == 1
    assert manifest_of(out).ids == 22
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "thesis.doc").write_text("mine")
    with pytest.raises(OutputMismatch, match="holds no job of ours"):
        run_cluster(job(sandbox, tmp_path / "ids.txt", theirs), engine_of=lambda _: Here())
    with pytest.raises(UsageError, match="there is no job"):
        Standing(str(theirs), 0)
    lock = os.open(out / "_job" / "lock", os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)
    with pytest.raises(OutputBusy, match="another driver"):
        run_cluster(a_job, engine_of=lambda _: Here())
    os.close(lock)
