"""`fetcher verify`: what is handed to the proof, and that its word is the exit code."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

from tests.cli.conftest import CommandLine


@pytest.mark.parametrize("code", [0, 1])
def test_the_proofs_word_is_the_exit_code(fetcher: CommandLine, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    """OUT, failed file and input are passed on as they were given."""
    asked: list[tuple[str | None, ...]] = []
    module: Any = ModuleType("fetcher.output")
    module.verify = lambda *paths: asked.append(paths) or code
    monkeypatch.setitem(sys.modules, "fetcher.output", module)
    assert fetcher("verify", "out.jsonl", "--ids", "ids.txt").code == code
    assert fetcher("verify", "out.jsonl", "--ids", "-", "--failed", "f.jsonl").code == code
    assert asked == [("out.jsonl", None, "ids.txt"), ("out.jsonl", "f.jsonl", "-")]


@pytest.mark.parametrize("words", [("verify",), ("verify", "out.jsonl")])
def test_both_files_must_be_named(fetcher: CommandLine, words: tuple[str, ...]) -> None:
    """Without OUT or --ids there is nothing to prove."""
    assert fetcher(*words).code == 2
