"""Rules of the house that a linter of imports cannot see."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "fetcher"
MODULES = sorted(PACKAGE.rglob("*.py"))
ROOMS = sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))
ASSEMBLERS = ("run/assemble.py", "cli/")
"""The only places that may name a file inside another room."""

MOST_LINES = 400
MOST_LINES_OF_A_FUNCTION = 60
MOST_PARAMETERS = 7


def place(path: Path) -> str:
    """The module as the messages of these tests name it."""
    return path.relative_to(PACKAGE).as_posix()


def tree(path: Path) -> ast.Module:
    """The module, parsed."""
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(module: ast.Module) -> Iterator[str]:
    """Full names of the modules that a module imports, wherever in it."""
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


MANY_BY_NATURE = {"open_source"}
"""Each of its parameters is one of the user's options for reading a file."""


def functions(module: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """All functions and methods."""
    return (node for node in ast.walk(module) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def test_other_rooms_are_entered_by_their_door() -> None:
    """`from fetcher.pacing import Pacer`, never `from fetcher.pacing.pacer import …`; and nothing is relative."""
    wrong = []
    for path in MODULES:
        here = place(path)
        for name in imported(tree(path)):
            parts = name.split(".")
            inside = parts[0] == "fetcher" and len(parts) > 2 and parts[1] in ROOMS and parts[1] != here.split("/")[0]
            if name.startswith(".") or (inside and not here.startswith(ASSEMBLERS)):
                wrong.append(f"{here} -> {name}")
    assert wrong == []


@pytest.mark.parametrize("path", MODULES, ids=place)
def test_a_module_says_what_it_is_for_and_stays_short(path: Path) -> None:
    """Every module opens with a docstring; none is longer than can be kept in mind."""
    text = path.read_text(encoding="utf-8")
    assert path.name == "_version.py" or ast.get_docstring(tree(path))
    assert text.count("\n") <= MOST_LINES


@pytest.mark.parametrize("path", MODULES, ids=place)
def test_functions_fit_a_screen(path: Path) -> None:
    """None is over 60 lines or takes over 7 parameters."""
    wrong = []
    for function in functions(tree(path)):
        lines = (function.end_lineno or 0) - function.lineno + 1
        taken = function.args
        parameters = len(taken.posonlyargs) + len(taken.args) + len(taken.kwonlyargs)
        method = bool(taken.args) and taken.args[0].arg in ("self", "cls")
        if function.name in MANY_BY_NATURE:
            continue
        if lines > MOST_LINES_OF_A_FUNCTION or parameters - method > MOST_PARAMETERS:
            wrong.append(f"{function.name}: {lines} lines, {parameters} parameters")
    assert wrong == []


@pytest.mark.parametrize("room", ROOMS)
def test_a_door_names_what_it_lets_out(room: str) -> None:
    """`__all__` has every public name of the door, each can be had, and a docstring says what the room is for."""
    module = importlib.import_module(f"fetcher.{room}")
    named = set(module.__all__)
    assert len(named) == len(module.__all__)
    missing = [name for name in sorted(named) if not hasattr(module, name)]
    assert missing == []
    source = tree(PACKAGE / room / "__init__.py")
    let_in = {
        alias.asname or alias.name
        for node in ast.walk(source)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"fetcher.{room}.")
        for alias in node.names
    }
    assert let_in <= named


@pytest.mark.parametrize("room", [room for room in ROOMS if "lazy(" in (PACKAGE / room / "__init__.py").read_text()])
def test_a_lazy_door_opens_to_what_type_checkers_see(room: str) -> None:
    """And no public name is a file's: whoever imported the file first would find the module in the name's place."""
    door = importlib.import_module(f"fetcher.{room}")
    source = tree(PACKAGE / room / "__init__.py")
    seen = {
        alias.name: (node.module or "").rpartition(".")[2]
        for node in ast.walk(source)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"fetcher.{room}.")
        for alias in node.names
    }
    assert seen == door._FILES
    assert not {path.stem for path in (PACKAGE / room).iterdir()} & set(seen)
