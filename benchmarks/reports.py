"""What a benchmark says: on the screen, and kept in `results/` with date, machine, versions and command."""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import sys
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

RESULTS: Final = Path(__file__).parent / "results"


def arguments(about: str | None) -> argparse.ArgumentParser:
    """What a benchmark that keeps its result may be told; each adds its own to it."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trial", action="store_true", help="leave the files in results/ as they are")
    return parser


def machine() -> str:
    """Processor, cores, kernel, Python."""
    model = platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        named = [row for row in cpuinfo.read_text().splitlines() if row.startswith("model name")]
        model = named[0].partition(":")[2].strip() if named else model
    return (
        f"{model}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, Python {platform.python_version()}"
    )


def installed(*packages: str) -> list[str]:
    """Those that are there, with their versions; what is not there is left out, and said."""
    found = []
    for package in packages:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            print(f"{package} is not installed: left out")
    return found


class Report:
    """One benchmark's words and pictures.

    Args:
        name: of the files in `results/`.
        title: a sentence.
        versions: of what was measured.
        keep: whether the files are written; a trial with other sizes than the usual ones should not replace them.
    """

    def __init__(self, name: str, title: str, versions: Iterable[str] = (), *, keep: bool = True) -> None:
        self._name, self._keep = name, keep
        self._lines: list[str] = []
        words = [Path(sys.argv[0]).stem, *sys.argv[1:]]
        self.say(f"# {title}\n")
        self.say(f"{datetime.date.today()}; {machine()}; load when it began {os.getloadavg()[0]:.1f}  ")
        self.say(", ".join(versions) + "  ")
        self.say(f"`python -m benchmarks.{' '.join(words)}`\n")

    def say(self, text: str) -> None:
        """A line."""
        print(text, flush=True)
        self._lines.append(text)

    def head(self, *names: str) -> None:
        """A table begins."""
        self.say(f"| {' | '.join(names)} |\n|{'---|' * len(names)}")

    def row(self, *cells: Any) -> None:
        """A line of the table."""
        self.say(f"| {' | '.join(map(str, cells))} |")

    def note(self, text: str) -> None:
        """A line of its own after a table."""
        self.say(f"\n{text}")

    def picture(self, svg: str, name: str | None = None) -> None:
        """Beside the words."""
        if self._keep:
            RESULTS.mkdir(exist_ok=True)
            (RESULTS / f"{name or self._name}.svg").write_text(svg, encoding="utf-8")

    def save(self) -> None:
        """Write the words down."""
        if self._keep:
            RESULTS.mkdir(exist_ok=True)
            (RESULTS / f"{self._name}.md").write_text("\n".join(self._lines) + "\n", encoding="utf-8")
