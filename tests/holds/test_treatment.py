"""Fields left out and fields that vanish, in whole runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.holds.runs import SandboxSettings, environment, lines, run, spawn, write_ids

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("processes", [1, 2])
def test_fields_are_left_out_and_misspelt_ones_are_told(tmp_path: Path, processes: int) -> None:
    """In one process and in several; the summary says what the data is for."""
    with spawn(SandboxSettings(latency_ms=2, jitter_ms=0, absent=0.0)) as sandbox:
        write_ids(tmp_path / "ids.txt", 120)
        words = ("--drop", "productInfo.attributes.*.value", "--drop", "productInfo.buyerContcat")
        words += ("--keep", "productInfo.subject", "--keep", "productInfo.attributes", "--purpose", "price watch")
        words += ("--processes", processes, "--qps", 1000, "--summary", "-")
        done = run("ids.txt", "-o", "out.jsonl", *words, env=environment(sandbox), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "productInfo.buyerContcat has matched nothing" in done.stderr
    found = [line["data"] for line in lines(tmp_path / "out.jsonl")]
    assert len(found) == 120
    assert all(set(data) == {"productInfo"} and set(data["productInfo"]) <= {"subject", "attributes"} for data in found)
    values = [value for data in found for value in data["productInfo"].get("attributes", ())]
    assert values and not any("value" in value for value in values)
    assert json.loads(done.stdout)["purpose"] == "price watch"


def test_a_field_that_vanishes_stops_the_run(tmp_path: Path) -> None:
    """With exit 7 and within some eighty products; the same command stops at once again, until it is told to go on."""
    with spawn(SandboxSettings(latency_ms=2, jitter_ms=0, absent=0.0)) as sandbox:
        env = environment(sandbox)
        write_ids(tmp_path / "ids.txt", 400)
        first = run("ids.txt", "-o", "out.jsonl", "--qps", 1000, "--limit", 60, "-q", env=env, cwd=tmp_path)
        assert first.returncode == 0, first.stderr
        out = tmp_path / "out.jsonl"
        out.write_text(out.read_text(encoding="utf-8").replace('"data":{', '"data":{"earlier":1,'), encoding="utf-8")
        words = ("ids.txt", "-o", "out.jsonl", "--qps", 200)
        stopped = run(*words, "--on-schema-change", "stop", env=env, cwd=tmp_path)
        assert stopped.returncode == 7, stopped.stderr
        assert "earlier: nearly all products had it" in stopped.stderr and "--on-schema-change warn" in stopped.stderr
        assert len(lines(out)) < 60 + 150
        warned = run(*words, env=env, cwd=tmp_path)
        assert warned.returncode == 0 and warned.stderr.count("the answers have changed: earlier") == 1
    assert len({line["id"] for line in lines(out)}) == 400
