"""One ID, looked up among many."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fetcher.errors import UsageError
from fetcher.model import Product
from fetcher.output import find_id
from tests.output.files import NAMES, failure, opened, product


@pytest.mark.parametrize("name", NAMES)
def test_it_is_found_where_it_stands(tmp_path: Path, name: str) -> None:
    """By its whole ID at the head of a line, wherever else the digits occur; odd IDs too."""
    out = str(tmp_path / name)
    run = opened(tmp_path, name)
    tricky = Product("7", 0, 1, 1.0, b'{"x":{"id":"123","fetched_at":"no"}}')
    run.append([*(product(n) for n in range(100, 130)), tricky, Product('a"b', 0, 1, 1.0, b"{}"), failure(500)])
    run.close()
    for product_id, ending in (("100", "fetched"), ("129", "fetched"), ('a"b', "fetched"), ("500", "failed")):
        [found] = find_id(product_id, out).found
        assert found.ending == ending and json.loads(found.line)["id"] == product_id
    assert len(find_id("123", out).found) == 1
    for unknown in ("10", "1000", "x"):
        assert find_id(unknown, out).found == []


@pytest.mark.parametrize("name", NAMES[1:])
def test_what_a_killed_run_has_left_is_found(tmp_path: Path, name: str) -> None:
    """Beside the compressed file."""
    run = opened(tmp_path, name, sync_interval_s=60.0)
    run.append([product(1)])
    run.let_go()
    [found] = find_id("1", str(tmp_path / name)).found
    assert found.on_the_way and found.ending == "fetched"


def test_a_call_without_an_answer_is_in_doubt(tmp_path: Path) -> None:
    """Until its answer is stored."""
    out = str(tmp_path / "out.jsonl")
    run = opened(tmp_path)
    notes = run.open_attempts()
    assert notes is not None
    notes.calls(["1", "2"])
    run.append([product(1)])
    run.let_go()
    assert not find_id("1", out).in_doubt
    assert find_id("2", out).in_doubt
    notes.close()


def test_there_must_be_an_out(tmp_path: Path) -> None:
    """A path that leads nowhere is an error, not an absent ID."""
    with pytest.raises(UsageError, match="there is no file"):
        find_id("1", str(tmp_path / "none.jsonl"))
