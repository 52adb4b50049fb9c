"""The paths of a run together: nothing is read and written at once, and what is written at the end can be written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fetcher.errors import UsageError
from fetcher.run.job import Job
from fetcher.run.paths import look_at_paths
from fetcher.settings import CommandSettings


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Somebody works here, and has files."""
    monkeypatch.chdir(tmp_path)
    for name in ("ids.txt", "old.jsonl", "fetcher.toml"):
        (tmp_path / name).write_text("")
    (tmp_path / "link.txt").symlink_to("ids.txt")
    return tmp_path


def look(ids: str = "ids.txt", out: str = "out.jsonl", **settings: Any) -> None:
    """A look at the paths of such a run."""
    look_at_paths(Job(settings=CommandSettings(app_key="1", app_secret="s", **settings), ids=ids, out=out))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"out": "./ids.txt"}, "the input and OUT"),
        ({"out": "link.txt"}, "the input and OUT"),
        ({"failed": "ids.txt"}, "the input and the failed file"),
        ({"summary": "ids.txt"}, "the input and --summary"),
        ({"report": "link.txt"}, "the input and --report"),
        ({"prometheus_file": "ids.txt"}, "the input and --prometheus-file"),
        ({"diff": ("old.jsonl",), "summary": "old.jsonl"}, "--diff and --summary"),
        ({"known": ("old.jsonl",), "out": "old.jsonl"}, "--known and OUT"),
        ({"config": "fetcher.toml", "report": "fetcher.toml"}, "--config and --report"),
    ],
)
def test_what_is_read_is_not_written(settings: dict[str, Any], said: str) -> None:
    """Whatever it is called: the input of a night must be there in the morning."""
    with pytest.raises(UsageError, match=f"read and written at once: it is {said}$"):
        look(**settings)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"failed": "out.jsonl"}, "OUT and the failed file"),
        ({"summary": "out.jsonl"}, "OUT and --summary"),
        ({"report": "out.failed.jsonl"}, "the failed file and --report"),
        ({"summary": "run.json", "report": "./run.json"}, "--summary and --report"),
        ({"diff": ("old.jsonl",), "only_changed": True, "failed": "out.unchanged.jsonl"}, "unchanged"),
    ],
)
def test_no_two_are_written_to_one_place(settings: dict[str, Any], said: str) -> None:
    """A report in the place of OUT would cost a night's products."""
    with pytest.raises(UsageError, match=f"{said}.* (is|are) the same file"):
        look(**settings)


@pytest.mark.parametrize("settings", [{"out": "-", "summary": "-"}, {"summary": "-", "report": "-"}])
def test_one_thing_goes_to_standard_output(settings: dict[str, Any]) -> None:
    """Two in one stream can be read by nobody."""
    with pytest.raises(UsageError, match="on standard output"):
        look(**settings)


@pytest.mark.parametrize("what", ["summary", "report", "prometheus_file"])
def test_a_folder_that_is_not_there_is_said_before_the_night(folder: Path, what: str) -> None:
    """And one that stands where a file should be."""
    with pytest.raises(UsageError, match="there is no folder gone for --"):
        look(**{what: "gone/it"})
    with pytest.raises(UsageError, match="is a folder, not a file"):
        look(**{what: str(folder)})


def test_the_rest_is_let_through() -> None:
    """Pipes and devices take any number; `-` may be read and written."""
    look(ids="-", out="-", summary="run.json", report="run.html", failed="failed.jsonl")
    look(summary="/dev/null", report="/dev/null", diff=("old.jsonl",), known=("old.jsonl",), only_changed=True)
    look(summary="-", share_cap="redis://127.0.0.1:6379/0")


@pytest.mark.parametrize(
    ("out", "said", "advice"),
    [
        ("out.csv", "not what .csv says", "name it out.jsonl; afterwards: jq -r"),
        ("out.CSV", "not what .csv says", "name it out.jsonl"),
        ("a/out.tsv", "not what .tsv says", "jq -r '[.id, .data.productInfo.subject] | @tsv' a/out.jsonl > a/out.tsv"),
        ("out.parquet", "not what .parquet says", "TO 'out.parquet'"),
        ("out.xlsx", "not what .xlsx says", "name it out.jsonl; docs/reading-the-output.md"),
        ("out.csv.gz", "not what .csv says", "name it out.jsonl.gz; docs/reading-the-output.md"),
        ("out.jsonl.bz2", "not be packed as .bz2 says", "name it out.jsonl.gz or out.jsonl.zst"),
    ],
)
def test_a_name_that_promises_another_format_is_refused(out: str, said: str, advice: str) -> None:
    """With the name that fits, and how it becomes what was wanted; the failed file likewise."""
    with pytest.raises(UsageError, match=said) as caught:
        look(out=out)
    assert advice in caught.value.advice
    with pytest.raises(UsageError, match=f"the failed file {out} .*{said}"):
        look(failed=out)


@pytest.mark.parametrize(
    "out", ["out.jsonl", "out.ndjson", "out.json", "out", "out.jsonl.gz", "out.jsonl.zst", "v1.2/o"]
)
def test_names_of_json_lines_are_taken(out: str) -> None:
    """Or that promise nothing."""
    look(out=out)


def test_a_plan_to_stdout_needs_no_out() -> None:
    """Nothing is written to OUT, so the plan may stand there."""
    look(out="-", dry_run=True, summary="-")
    with pytest.raises(UsageError, match="standard output"):
        look(out="-", summary="-")
