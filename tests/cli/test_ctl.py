"""`fetcher ctl`: what it takes, and what it says where there is nobody to ask. A run that answers: tests/holds."""

from __future__ import annotations

import pytest

from tests.cli.conftest import CommandLine


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("set",), "set takes qps=N or concurrency=N"),
        (("set", "qps"), "set takes"),
        (("set", "pace=1"), "set takes"),
        (("pause", "qps=1"), "pause takes no setting"),
        (("dance",), "is not one of"),
        ((), "no run is working on out.jsonl"),
        (("stop",), "no run is working on out.jsonl"),
    ],
)
def test_wrong_words_and_nobody_to_ask(fetcher: CommandLine, words: tuple[str, ...], sentence: str) -> None:
    """Each is exit 2, in words."""
    ended = fetcher("ctl", "out.jsonl", *words)
    assert ended.code == 2 and ended.out == ""
    assert sentence in ended.err
