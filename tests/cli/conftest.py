"""What the command line's tests share: an empty folder, an empty environment, and a run that only takes notes."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from fetcher.cli import main


@dataclasses.dataclass
class Job:
    """What a command handed to the run."""

    settings: Any
    ids: Any
    out: str
    command: tuple[str, ...]


@dataclasses.dataclass
class RunNotes:
    """Stands in for `fetcher.run.command`: notes the jobs, and ends as it is told to."""

    jobs: list[Job] = dataclasses.field(default_factory=list)
    end: Callable[[], int] = lambda: 0

    def run_command(self, job: Job) -> int:
        """Take a note."""
        self.jobs.append(job)
        return self.end()


@dataclasses.dataclass
class Ended:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str


CommandLine = Callable[..., Ended]


@pytest.fixture(autouse=True)
def _clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty working folder and no variables of ours."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    for name in list(os.environ):
        if name.startswith(("FETCHER_", "_FETCHER_")):
            monkeypatch.delenv(name)


@pytest.fixture
def notes(monkeypatch: pytest.MonkeyPatch) -> RunNotes:
    """The run's stand-in, with credentials in the environment."""
    noted = RunNotes()
    module: Any = ModuleType("fetcher.run.command")
    module.Job, module.run_command = Job, noted.run_command
    monkeypatch.setitem(sys.modules, "fetcher.run.command", module)
    monkeypatch.setenv("FETCHER_APP_KEY", "1234567")
    monkeypatch.setenv("FETCHER_APP_SECRET", "s3cret-of-app")
    return noted


@pytest.fixture
def fetcher(capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """Calls the program with words."""

    def call(*words: str) -> Ended:
        code = main(words)
        said = capsys.readouterr()
        return Ended(code, said.out, said.err)

    return call
