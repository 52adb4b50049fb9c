"""`fetcher report`: from summaries to a page, and what it says when it cannot."""

from __future__ import annotations

from pathlib import Path

import msgspec

from fetcher.metrics import Snapshot
from fetcher.report import Finished, summary_document
from tests.cli.conftest import CommandLine


def write(path: Path, out: str) -> None:
    """A summary of a run that did nothing."""
    run = Finished(exit_code=0, reason="", started_wall_ms=0, ended_wall_ms=0, snapshot=Snapshot(), out=out)
    path.write_bytes(msgspec.json.encode(summary_document(run)))


def test_the_page_stands_beside_the_summary(tmp_path: Path, fetcher: CommandLine) -> None:
    """With `.html` in place of `.json`, and it is said where."""
    write(tmp_path / "run.json", "products.jsonl")
    ended = fetcher("report", "run.json")
    assert (ended.code, ended.out) == (0, "")
    assert "wrote run.html" in ended.err
    assert "products.jsonl" in (tmp_path / "run.html").read_text(encoding="utf-8")


def test_several_runs_and_a_place_of_ones_own(tmp_path: Path, fetcher: CommandLine) -> None:
    """Two of the same name are told apart by their folders."""
    for folder in ("monday", "tuesday"):
        (tmp_path / folder).mkdir()
        write(tmp_path / folder / "run.json", "products.jsonl")
    ended = fetcher("report", "monday/run.json", "tuesday/run.json", "-o", "both.html")
    assert ended.code == 0
    page = (tmp_path / "both.html").read_text(encoding="utf-8")
    assert "2 runs side by side" in page and "monday/run.json" in page and "tuesday/run.json" in page


def test_what_cannot_be_drawn(tmp_path: Path, fetcher: CommandLine) -> None:
    """No file, no summary, nowhere to write: a sentence and what to do, and no page."""
    (tmp_path / "other.json").write_text("{}")
    write(tmp_path / "run.json", "x")
    for words, code, said in (
        (["none.json"], 2, "none.json cannot be read: No such file"),
        (["other.json"], 2, "other.json is no summary of a run"),
        (["run.json", "-o", "no/where.html"], 6, "could not be written"),
        ([], 2, "Missing argument"),
    ):
        ended = fetcher("report", *words)
        assert ended.code == code
        assert said in ended.err
    assert list(tmp_path.glob("*.html")) == []
