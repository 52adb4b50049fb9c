"""The summary: complete, without secrets, whole or not at all."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher.errors import OutputError
from fetcher.metrics import Books, CapProof, Point, Snapshot, Story, Tally
from fetcher.model import Attempt, VerdictKind
from fetcher.report import Finished, summary_document, write_summary
from fetcher.report.clean import clean
from fetcher.secret import Redactor, Secret

BARE = Finished(exit_code=0, reason="", started_wall_ms=0, ended_wall_ms=61_500, snapshot=Snapshot())


def test_a_run_in_figures() -> None:
    """What the tally, the proof and the books found stands under the documented keys."""
    tally, books, cap_proof = Tally(10.0, 0.0), Books(), CapProof(10.0)
    tally.read(2)
    books.read(["1", "2"])
    for second, one in ((0.0, "1"), (0.125, "2")):
        tally.started()
        cap_proof.sent(second)
        tally.attempt(Attempt(second, second + 0.05, VerdictKind.DONE, 100))
        tally.fetched(80)
        books.fetched([one])
    run = Finished(
        exit_code=0,
        reason="",
        started_wall_ms=1_795_456_800_123,
        ended_wall_ms=1_795_456_802_123,
        snapshot=tally.snapshot(2.0, last=True),
        proof=cap_proof.proof(),
        balance=books.balance(),
        story=tally.story(),
        settings={"qps": 10.0},
        versions={"fetcher": "1"},
    )
    document = summary_document(run)
    assert document["schema"] == 2
    assert (document["started_at"], document["ended_at"]) == ("2026-11-23T18:00:00.123Z", "2026-11-23T18:00:02.123Z")
    assert (document["ids"]["fetched"], document["ids"]["read"], document["calls"]["sent"]) == (2, 2, 2)
    assert document["windows"] == {
        "worst_1s": 2,
        "worst_100ms": 1,
        "mean_per_s": 8.0,
        "used": 0.8,
        "holds": True,
        "exact": True,
        "clock_error_ms": None,
    }
    assert document["latency_ms"]["max"] == 50.0
    assert document["books"] == {"balanced": True, "read": 2, "fetched": 2, "failed": 0, "left": 0, "evidence": ""}
    assert (document["course"]["elapsed_s"], document["course"]["calls_per_s"]) == ([2.0], [1.0])
    assert document["percentiles"]["service"][-1] == {"share": 1.0, "duration_s": 0.05}
    assert document["rates_per_s"]["calls_mean"] == 0.5


def test_what_was_not_watched_is_null() -> None:
    """No proof, no books: null, not figures that nobody found."""
    document = summary_document(BARE)
    assert document["windows"] is None
    assert document["books"] is None
    assert document["ids"]["total"] is None


def test_no_secret_in_any_text() -> None:
    """Typed secrets, known ones in texts, keys and lists, and whatever looks like a signed parameter."""
    settings = {
        "app_secret": Secret("t0ps3cret"),
        "params": [["k", "x t0ps3cret y"], "access_token=abc123"],
        "nested": {"t0ps3cret": ("t0ps3cret",)},
        "access_token": None,
    }
    run = Finished(
        exit_code=3, reason="t0ps3cret", started_wall_ms=0, ended_wall_ms=0, snapshot=Snapshot(), settings=settings
    )
    document = summary_document(run, Redactor([Secret("t0ps3cret")]))
    text = json.dumps(document)
    assert "t0ps3cret" not in text
    assert "abc123" not in text
    assert document["settings"]["app_secret"] == "***"
    assert document["settings"]["access_token"] is None


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.builds(Secret, st.text()) | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner) | st.tuples(inner),
    max_leaves=8,
)


@given(json_like)
def test_anything_becomes_strict_json(value: object) -> None:
    """NaN, infinity, bytes, odd keys: what comes out is JSON that every parser takes."""
    json.dumps(clean(value, Redactor()), allow_nan=False)


def test_written_whole(tmp_path: Path) -> None:
    """In place of an older one, nothing beside it, with a newline at the end."""
    path = tmp_path / "run.json"
    path.write_text("older and longer than what comes now" * 100)
    write_summary({"schema": 1, "reason": "商品"}, str(path))
    assert path.read_text("utf-8") == '{\n  "schema": 1,\n  "reason": "商品"\n}\n'
    assert [p.name for p in tmp_path.iterdir()] == ["run.json"]


def test_lists_of_numbers_stay_on_a_line(tmp_path: Path) -> None:
    """A person can read it, and texts that look like a list are left alone."""
    path = tmp_path / "run.json"
    document = {"course": [1, 2.5, None, -1e-9], "texts": ["[\n 1,\n 2\n]"], "empty": []}
    write_summary(document, str(path))
    assert json.loads(path.read_text()) == document
    assert '"course": [1, 2.5, null, -1e-9],\n' in path.read_text()


def test_dash_is_standard_output() -> None:
    """The document and nothing else."""
    out = io.BytesIO()
    write_summary(summary_document(BARE), "-", out)
    assert json.loads(out.getvalue())["elapsed_s"] == 0.0


def test_a_pipe_is_written_to_not_replaced(tmp_path: Path) -> None:
    """A FIFO stays a FIFO."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_summary({"schema": 1}, str(path))
        assert json.loads(os.read(reader, 1000)) == {"schema": 1}
    finally:
        os.close(reader)
    assert path.is_fifo()


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    """A folder that is not there, and a folder in the file's place."""
    with pytest.raises(OutputError, match=r"could not be written to .*No such file"):
        write_summary({}, str(tmp_path / "none" / "run.json"))
    with pytest.raises(OutputError, match="Is a directory"):
        write_summary({}, str(tmp_path))


def test_a_failed_write_leaves_the_older_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is full at the last moment: the older summary stands, nothing lies about."""
    path = tmp_path / "run.json"
    path.write_text("older")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        write_summary({"schema": 1}, str(path))
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("run.json", "older")]


def test_an_empty_proof_and_a_long_course_fit() -> None:
    """A run without a call, and numbers that are no numbers."""
    run = Finished(
        exit_code=0,
        reason="",
        started_wall_ms=0,
        ended_wall_ms=0,
        snapshot=Snapshot(eta_s=float("inf")),
        proof=CapProof(5.0).proof(),
        story=Story(points=[Point(elapsed_s=1.0, calls_per_s=float("nan"), done_per_s=2.0)]),
    )
    document = summary_document(run)
    assert document["windows"]["used"] == 0.0
    assert document["course"]["calls_per_s"] == [None]
    assert document["course"]["latency_p50_ms"] == [None]


def test_a_files_name_in_another_encoding_is_told() -> None:
    """Python has the bytes of such a name as halves of surrogate pairs, which no JSON in UTF-8 can hold."""
    assert clean("\udce6\udc80\udcbb.json", Redactor()) == "总.json"
    assert clean({"\udcff": "\ud83d"}, Redactor()) == {"\ufffd": "?"}
