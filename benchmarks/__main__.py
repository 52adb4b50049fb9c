"""`python -m benchmarks`: what can be measured, a command each."""

from __future__ import annotations

import ast
from pathlib import Path

PARTS = {"__main__", "clients", "far_end", "lane", "limiters", "plot", "reports", "servers"}
"""Files that others use; not benchmarks themselves."""


def main() -> None:
    """Name, sentence and commands of each, from the head of its file; nothing is imported."""
    for path in sorted(Path(__file__).parent.glob("*.py")):
        if path.stem in PARTS or path.stem.startswith("__"):
            continue
        said = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").splitlines()
        print(said[0])
        print("\n".join(row for row in said if row.startswith("    python")) + "\n")
    print("results/ holds what they said, with date, machine, versions and command; README.md how to read it.")


if __name__ == "__main__":
    main()
