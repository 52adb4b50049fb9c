"""Every benchmark says what it is for and how it is started; what it has left behind can be read."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from benchmarks.__main__ import PARTS
from benchmarks.plot import bars, line, lines

HERE = Path(__file__).parents[2]
FOLDER = HERE / "benchmarks"
NAMES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem not in PARTS and not path.stem.startswith("__"))


def test_they_are_listed() -> None:
    """`python -m benchmarks` has a sentence and a command for each."""
    said = subprocess.run([sys.executable, "-m", "benchmarks"], cwd=HERE, capture_output=True, text=True, check=True)
    for name in NAMES:
        assert f"python -m benchmarks.{name}" in said.stdout


@pytest.mark.parametrize("name", NAMES)
def test_they_are_explained(name: str) -> None:
    """A sentence first; the README knows them."""
    head = ast.get_docstring(ast.parse((FOLDER / f"{name}.py").read_text(encoding="utf-8"))) or ""
    assert head.splitlines()[0].endswith((".", "?"))
    assert f"benchmarks.{name}" in (FOLDER / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", sorted((FOLDER / "results").glob("*.md")), ids=lambda path: path.stem)
def test_results_say_where_they_come_from(path: Path) -> None:
    """Date, machine, versions and the command that repeats them; no path of a machine."""
    said = path.read_text(encoding="utf-8")
    assert re.search(r"^20\d\d-\d\d-\d\d; .* cores, ", said, re.MULTILINE)
    assert "`python -m benchmarks." in said
    assert not re.search(r"(?<![\w./])/(?:tmp|home|root|work)/", said)


@pytest.mark.parametrize("path", sorted((FOLDER / "results").glob("*.svg")), ids=lambda path: path.stem)
def test_pictures_can_be_drawn(path: Path) -> None:
    """They are small, and XML."""
    assert path.stat().st_size < 100_000
    assert ElementTree.parse(path).getroot().tag.endswith("svg")


def test_pictures_hold_what_they_are_given() -> None:
    """Names and figures, and marks of XML in them do no harm."""
    figures = [("fetcher <1>", 14_000.0), ("httpx & co", 78.0)]
    for svg in (bars("a", figures, "/s"), bars("a", figures, "/s", log=True, mark="f")):
        words = "".join(ElementTree.fromstring(svg).itertext())
        assert "fetcher <1>" in words
        assert "14,000 /s" in words
    drawn = ElementTree.fromstring(lines("a", {"one": [(1, 1), (10, 2)], "two": [(1, 3)]}, "x", "y", log_x=True))
    assert "two" in "".join(drawn.itertext())
    assert ElementTree.fromstring(line("a", [(0, 0), (30, 55)], "minutes", "MB")).tag.endswith("svg")
