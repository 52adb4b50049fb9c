"""`fetcher explain`: in words and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fetcher.cli.explain import WHAT_TO_DO
from fetcher.model import Kind
from tests.cli.conftest import CommandLine

HEAD = '{"id":"%s","fetched_at":"2026-11-23T18:00:00.000Z","attempts":3,"latency_ms":12.5,'


@pytest.fixture(autouse=True)
def _files(tmp_path: Path) -> None:
    (tmp_path / "out.jsonl").write_text(HEAD % 1 + '"data":{"subject":"x"}}\n')
    (tmp_path / "out.unchanged.jsonl").write_text(HEAD % 2 + '"change":"same"}\n')
    (tmp_path / "out.failed.jsonl").write_text(
        HEAD % 3
        + '"error":{"kind":"not_found","code":"E\\u001b7","message":"不存在","http_status":200,"permanent":true}}\n'
    )


@pytest.mark.parametrize(
    ("product_id", "code", "said"),
    [
        ("1", 0, ["1: fetched", "2026-11-23T18:00:00.000Z, after 3 attempts, the last of 12.5 ms", "with subject"]),
        ("https://detail.1688.com/offer/1.html", 0, ["1: fetched"]),
        ("2", 0, ["2: unchanged", "compared with earlier products: same"]),
        ("3", 0, ["not_found", "HTTP 200", "不存在", "only --retry-failed all tries it again"]),
        ("4", 1, ["no outcome", "what to do: the same `fetcher run` command goes on"]),
    ],
)
def test_the_outcome_in_words(fetcher: CommandLine, product_id: str, code: int, said: list[str]) -> None:
    """What, when, why, and what to do; nothing plays with the terminal."""
    ended = fetcher("explain", product_id, "-o", "out.jsonl")
    assert ended.code == code and ended.err == ""
    assert all(words in ended.out for words in said), ended.out
    assert "\x1b" not in ended.out


def test_the_outcome_as_json(fetcher: CommandLine) -> None:
    """The line's own keys; the names of the data's fields in its place."""
    fetched = json.loads(fetcher("explain", "1", "-o", "out.jsonl", "--json").out)
    assert (fetched["ending"], fetched["attempts"], fetched["fields"]) == ("fetched", 3, ["subject"])
    failed = json.loads(fetcher("explain", "3", "-o", "out.jsonl", "--json").out)
    assert failed["error"]["kind"] == "not_found" and failed["what_to_do"]
    assert json.loads(fetcher("explain", "4", "-o", "out.jsonl", "--json").out)["ending"] is None


def test_a_call_in_doubt(fetcher: CommandLine, tmp_path: Path) -> None:
    """Named as such, with what to do."""
    (tmp_path / ".out.jsonl.attempts").write_text("+4\n")
    assert "may have been charged" in fetcher("explain", "4", "-o", "out.jsonl").out


def test_every_kind_of_failure_has_its_advice() -> None:
    """A new one needs some too."""
    assert set(WHAT_TO_DO) == set(Kind)
