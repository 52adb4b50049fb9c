"""Every exit code that a run may have, one by one, from the command itself."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.holds.runs import SandboxSettings, command, environment, run, spawn, write_ids

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Any]:
    with spawn(SandboxSettings(latency_ms=5, absent=0.05)) as handle:
        yield handle


@pytest.mark.parametrize(
    ("code", "arguments", "environ"),
    [
        (0, ["--limit", 2], {}),
        (1, ["--limit", 80], {}),
        (2, ["--max-cost", 5], {}),
        (2, ["--id-column", "none"], {}),
        (3, [], {"FETCHER_APP_SECRET": "not-the-secret"}),
        (3, [], {"FETCHER_APP_KEY": "7654321"}),
        (4, ["--max-calls", 3], {}),
        (4, ["--max-cost", 0.35, "--price", 0.1], {}),
        (5, ["--max-errors", 1], {}),
    ],
)
def test_the_exit_code(tmp_path: Path, sandbox: Any, code: int, arguments: list[Any], environ: dict[str, str]) -> None:
    """And stderr says what to do, unless all went well."""
    name = "ids.csv" if "--id-column" in arguments else "ids.txt"
    write_ids(tmp_path / name, 100)
    env = environment(sandbox, **environ)
    done = run(name, "-o", "out.jsonl", "--qps", 200, *arguments, env=env, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert code == 0 or any(word in done.stderr for word in ("what to do:", "hint:"))


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_an_output_that_cannot_be_written(tmp_path: Path, sandbox: Any) -> None:
    """6, and what it was."""
    write_ids(tmp_path / "ids.txt", 5)
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            command("ids.txt", "-o", "-"), env=environment(sandbox), cwd=tmp_path, stdout=full, stderr=subprocess.PIPE
        )
    assert done.returncode == 6, done.stderr
    assert b"the output could not be written" in done.stderr
