"""A job whose input and output lie in an object store: a local S3 server."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from fetcher.cluster.command import run_cluster
from fetcher.cluster.merging import joined_into
from fetcher.cluster.records import File
from fetcher.cluster.status import Standing
from fetcher.cluster.store import open_store
from fetcher.errors import OutputError
from fetcher.sandbox import SandboxSettings, spawn
from tests.cluster.here import Here, job

pytest.importorskip("s3fs", reason="needs s3fs")
moto = pytest.importorskip("moto.server", reason="needs moto[server]")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An empty one."""
    import boto3
    import s3fs

    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in (
        ("AWS_ENDPOINT_URL", f"http://{host}:{port}"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
    ):
        monkeypatch.setenv(name, value)
    boto3.client("s3").create_bucket(Bucket="bucket")
    s3fs.S3FileSystem.clear_instance_cache()
    yield "s3://bucket"
    s3fs.S3FileSystem.clear_instance_cache()
    server.stop()


def test_from_bucket_to_bucket(bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts, commits and the joined OUT are objects; begun again, nothing is sent; a join that fails leaves no OUT."""
    monkeypatch.setenv("FETCHER_SCRATCH", str(tmp_path))
    store = open_store(bucket)
    ids = [str(610_000_000_000 + k) for k in range(120)]
    store.write("in/ids.txt", "\n".join([*ids, "x1", ids[0]]).encode())
    with spawn(SandboxSettings(qps=100_000, absent=0.02, latency_ms=2.0)) as sandbox:
        a_job = job(sandbox, f"{bucket}/in/ids.txt", f"{bucket}/out/all.jsonl", merged=True, keep_parts=True)
        assert run_cluster(a_job, engine_of=lambda _: Here()) == 1
        seen = Counter(
            json.loads(line)["id"]
            for name in ("all.jsonl", "all.failed.jsonl")
            for line in store.read(f"out/{name}").splitlines()
        )
        assert seen == Counter([*ids, "x1"])
        assert run_cluster(a_job, engine_of=lambda _: Here(before=lambda order: pytest.fail("begun"))) == 1
        assert sandbox.stats()["calls"] == 120
    standing = Standing(f"{bucket}/out/all.jsonl", 0)
    assert standing.complete
    assert standing.damage() == []
    parts = open_store(f"{bucket}/out/all.jsonl.parts")
    with pytest.raises(OutputError, match="is gone"):
        joined_into(f"{bucket}/out/other.jsonl", parts, [*standing.commits[1].files, File("none", 1, 1, "")])
    assert not store.has("out/other.jsonl")
    with pytest.raises(OutputError, match="is not there"):
        open_store("s3://no-such-bucket").write("x", b"")
