"""`fetcher verify`: the proof in words, and its exit code."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import CommandLine

LINE = '{"id":"%s","fetched_at":"2026-11-23T18:00:00.000Z","attempts":1,"latency_ms":1.0,"data":{}}\n'
FAILED = (
    '{"id":"%s","fetched_at":"2026-11-23T18:00:00.000Z","attempts":1,"latency_ms":1.0,'
    '"error":{"kind":"not_found","code":null,"message":"","http_status":200,"permanent":true}}\n'
)


@pytest.mark.parametrize(
    ("out", "failed", "code", "said"),
    [
        (LINE % 1 + LINE % 2, FAILED % 3, 0, "every ID stands exactly once"),
        (LINE % 1, FAILED % 3, 1, "missing: 2"),
        (LINE % 1 + LINE % 2, FAILED % 3 + FAILED % 2, 1, "twice: 2"),
        (LINE % 1 + LINE % 2 + '{"id":"3', "", 1, "missing: 3"),
    ],
)
def test_the_proof_in_words(fetcher: CommandLine, tmp_path: Path, out: str, failed: str, code: int, said: str) -> None:
    """What is missing or stands twice is named; a clean proof exits 0."""
    (tmp_path / "ids.txt").write_text("1\n2\n3\n2\n")
    (tmp_path / "out.jsonl").write_text(out)
    (tmp_path / "out.failed.jsonl").write_text(failed)
    found = fetcher("verify", str(tmp_path / "out.jsonl"), "--ids", str(tmp_path / "ids.txt"))
    assert found.code == code
    assert said in found.out


@pytest.mark.parametrize("words", [("verify",), ("verify", "out.jsonl")])
def test_both_files_must_be_named(fetcher: CommandLine, words: tuple[str, ...]) -> None:
    """Without OUT or --ids there is nothing to prove."""
    assert fetcher(*words).code == 2
