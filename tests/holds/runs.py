"""Whole runs of the real command against the real sandbox, in processes of their own.

`run` forks a process that has the program loaded: a tenth of the time. `run_anew` and `command` begin with the
interpreter: for what it reads of the environment itself, and where streams and modes are what a test is about.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from fetcher.sandbox import SandboxSettings, spawn
from tests.holds.forked import Forked

__all__ = ["SandboxSettings", "command", "environment", "lines", "run", "run_anew", "spawn", "write_ids"]


def write_ids(path: Path, n: int, first: int = 610_000_000_000) -> list[str]:
    """A file of `n` IDs, one a line."""
    ids = [str(first + k) for k in range(n)]
    path.write_text("\n".join(ids) + "\n")
    return ids


def environment(sandbox: Any, **more: str) -> dict[str, str]:
    """Where the sandbox is and what it wants, and nothing else of ours."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FETCHER_")}
    return kept | {
        "FETCHER_GATEWAY": sandbox.url,
        "FETCHER_APP_KEY": sandbox.app_key,
        "FETCHER_APP_SECRET": sandbox.app_secret.reveal(),
        **more,
    }


def command(*arguments: object) -> list[str]:
    """The command line of a run."""
    return [sys.executable, "-m", "fetcher", "run", *map(str, arguments)]


def run(*arguments: object, env: dict[str, str], cwd: Path, timeout_s: float = 50) -> subprocess.CompletedProcess[str]:
    """Run to the end, in a process that is there at once."""
    with tempfile.NamedTemporaryFile("r", encoding="utf-8") as stderr:
        forked = Forked(*arguments, env=env, cwd=cwd, apart=stderr.name)
        code = forked.wait(timeout_s)
        return subprocess.CompletedProcess(command(*arguments), code, forked.said, stderr.read())


def run_anew(
    *arguments: object,
    env: dict[str, str],
    cwd: Path,
    timeout_s: float = 50,
    stdin: str | None = None,
    **more: Any,
) -> subprocess.CompletedProcess[str]:
    """The same in an interpreter of its own; `more` is for `subprocess.run`."""
    return subprocess.run(
        command(*arguments), env=env, cwd=cwd, timeout=timeout_s, capture_output=True, text=True, input=stdin, **more
    )


def lines(path: Path) -> list[dict[str, Any]]:
    """Every line of a JSONL file, parsed."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
