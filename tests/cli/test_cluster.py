"""`fetcher cluster`: what is refused before anything is begun, and how a job stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from fetcher.cli.cluster import run
from tests.cli.conftest import CommandLine
from tests.report.conftest import own_logging as own_logging

pytestmark = pytest.mark.usefixtures("own_logging")

KEY = {"FETCHER_APP_KEY": "1000000", "FETCHER_APP_SECRET": "secret-secret"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "IDS is missing"),
        ("ids.txt", "-o is missing"),
        ("ids.txt -o d --processes 2", "--processes is for one machine"),
        ("ids.txt -o d --dry-run", "--dry-run is not for a cluster"),
        ("ids.txt -o d --sandbox", "cannot reach a gateway inside this program"),
        ("ids.txt -o d --diff old.jsonl", "--diff is not for a cluster"),
        ("ids.txt -o d --share-cap /tmp/cap", "is a file, which the machines of a cluster do not share"),
        ("ids.txt -o d.csv", "neither a folder nor a .jsonl"),
        ("ids.txt -o d.jsonl.gz --parts jsonl", "--parts is for a folder"),
        ("ids.txt -o d --failed f.jsonl", "--failed is for an OUT that is one file"),
        ("nowhere.txt -o d", "nowhere.txt cannot be read"),
        ("- -o d", "cannot read standard input"),
        ("ids.txt -o full", "is not empty and holds no job of ours"),
    ],
)
def test_what_cannot_be_is_refused(
    fetcher: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str, said: str
) -> None:
    """With exit 2 and a sentence, before Ray is so much as imported; nothing is left behind."""
    monkeypatch.setattr(run, "find_spec", lambda name: name)
    for name, value in KEY.items():
        monkeypatch.setenv(name, value)
    Path("ids.txt").write_text("1\n2\n")
    Path("full").mkdir()
    Path("full", "thesis.doc").write_text("mine")
    found = fetcher("cluster", "run", *words.split())
    assert found.code == 2, found.err
    assert said in found.err
    assert not Path("d").exists() or [path.name for path in Path("d").rglob("*") if path.is_file()] == ["lock"]


def test_without_ray_it_says_what_to_install(fetcher: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """And that one process is nearly always enough."""
    monkeypatch.setattr(run, "find_spec", lambda name: None)
    found = fetcher("cluster", "run", "ids.txt", "-o", "d")
    assert found.code == 2
    assert "pip install 'fetcher[ray]'" in found.err


def test_the_status_of_nothing(fetcher: CommandLine) -> None:
    """A folder without a job is no job that stands well."""
    found = fetcher("cluster", "status", "d")
    assert found.code == 2
    assert "there is no job at d" in found.err
