"""Doors that are opened name by name: importing a room loads nothing of it but what is asked for.

It must not know the rooms. What type checkers see, a door says to them itself.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazy(door: str, files: Mapping[str, str]) -> Callable[[str], Any]:
    """A module's `__getattr__` (PEP 562), which imports a public name's file at its first use.

    Args:
        door: the package, `__name__`.
        files: the public names, and in which file of the package each of them stands.
    """

    def from_its_file(name: str) -> Any:
        if name not in files:
            raise AttributeError(f"module {door!r} has no attribute {name!r}")
        value = getattr(import_module(f"{door}.{files[name]}"), name)
        setattr(sys.modules[door], name, value)
        return value

    return from_its_file
