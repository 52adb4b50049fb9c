"""What the docs name is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RELIABILITY = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`([\w/]+\.py)(?:::(\w+))?`", RELIABILITY)))


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_every_test_that_is_named_exists(file: str, name: str) -> None:
    """A promise without its test is a wish."""
    path = next((path for path in (ROOT / "tests" / file, ROOT / file) if path.exists()), None)
    assert path is not None, file
    assert not name or re.search(rf"^(?:async )?(?:def|class) {name}\b", path.read_text(encoding="utf-8"), re.MULTILINE)


def test_every_promise_has_a_test() -> None:
    """P1, P2 and so on, each in a row of its own that names one."""
    rows = re.findall(r"^\| (P\d+) \|.*$", RELIABILITY, re.MULTILINE)
    assert rows == [f"P{number}" for number in range(1, 1 + len(rows))] and len(rows) >= 16
    assert all("::" in line for line in RELIABILITY.splitlines() if line.startswith("| P"))


def test_the_sandboxs_page_has_all_that_it_can_be_told(tmp_path: Path) -> None:
    """Every option and every row of the error table stands there, and its scenario is one."""
    from fetcher.sandbox import SandboxSettings, read_scenario
    from fetcher.sandbox.rows import ROWS

    page = (ROOT / "docs" / "sandbox.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([\w-]+)`", page))
    assert not set(SandboxSettings.__struct_fields__) - named
    assert not set(ROWS) - named
    [example] = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    path = tmp_path / "night.toml"
    path.write_text(example, encoding="utf-8")
    assert len(read_scenario(str(path)).changes) == 4
