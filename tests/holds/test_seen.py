"""What people and machines see of whole runs: documents by their schemas, the page, the question before money goes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.holds.runs import SandboxSettings, command, environment, lines, run, write_ids

pytestmark = pytest.mark.slow
DOCS = Path(__file__).parents[2] / "docs"
GATEWAY = SandboxSettings(latency_ms=10, jitter_ms=5, absent=0.05, error_rate=0.1)


def schema(name: str) -> Any:
    """A published schema."""
    return json.loads((DOCS / f"{name}.schema.json").read_text(encoding="utf-8"))


def test_every_document_of_a_run_is_as_published(tmp_path: Path, sandbox: Any) -> None:
    """Summary, progress, page and Prometheus of one run with retries and failures: all there, and they agree."""
    pytest.importorskip("prometheus_client", reason="the extra prometheus is not installed")
    write_ids(tmp_path / "ids.txt", 300)
    done = run(
        *("ids.txt", "-o", "out.jsonl", "--qps", 150, "--price", 0.01, "--summary", "run.json", "--report", "run.html"),
        *("--progress", "json", "--prometheus-file", "run.prom"),
        env=environment(sandbox),
        cwd=tmp_path,
    )
    assert done.returncode == 1, done.stderr
    summary = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    jsonschema.validate(summary, schema("summary"))
    told = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    for line in told:
        jsonschema.validate(line, schema("progress"))
    assert len(told) >= 2 and told[-1]["over"]
    assert told[-1]["fetched"] == summary["ids"]["fetched"] == len(lines(tmp_path / "out.jsonl"))
    assert told[-1]["cost"] == summary["cost"]["total"] == pytest.approx(summary["calls"]["sent"] * 0.01)
    assert summary["calls"]["sent"] == sandbox.stats()["calls"]
    assert summary["calls"]["stored_nothing"] == summary["calls"]["results"]["retry"] > 0
    assert "plan: 300 calls; about 3.03 at 0.01 a call" in done.stderr
    assert (
        f'fetcher_ids_total{{outcome="fetched"}} {summary["ids"]["fetched"]}.0' in (tmp_path / "run.prom").read_text()
    )
    page = (tmp_path / "run.html").read_text(encoding="utf-8")
    assert "Proof of the cap" in page and "<script" not in page
    assert environment(sandbox)["FETCHER_APP_SECRET"] not in page


def test_the_course_of_several_processes_is_one(tmp_path: Path, sandbox: Any) -> None:
    """`--processes 2`: one course, percentiles and examples of both, the same schema."""
    write_ids(tmp_path / "ids.txt", 200)
    done = run(
        *("ids.txt", "-o", "out.jsonl", "--qps", 150, "--processes", 2, "--summary", "-", "-q"),
        env=environment(sandbox),
        cwd=tmp_path,
    )
    summary = json.loads(done.stdout)
    jsonschema.validate(summary, schema("summary"))
    assert len(summary["course"]["elapsed_s"]) >= 3
    assert max(summary["course"]["fullest_1s"]) <= summary["windows"]["worst_1s"] <= 150
    assert summary["percentiles"]["service"][-1]["share"] == 1.0
    assert sum(trouble["count"] for trouble in summary["examples"]["failures"]) == summary["ids"]["failed"]


def test_with_json_logs_every_line_is_json(tmp_path: Path, sandbox: Any) -> None:
    """Warnings, progress, the plan before and the words after the run: a program reads them all."""
    write_ids(tmp_path / "ids.txt", 40)
    done = run(
        *("ids.txt", "-o", "out.jsonl", "--qps", 100, "--price", 1, "--max-calls", 20, "--progress", "json"),
        *("--log-format", "json"),
        env=environment(sandbox),
        cwd=tmp_path,
    )
    told = [json.loads(line) for line in done.stderr.splitlines()]
    words = [line["message"] for line in told if "message" in line]
    assert done.returncode == 4
    assert words[0].startswith("plan: 20 calls") and any("left to be done" in line for line in words)


def at_a_terminal(tmp_path: Path, sandbox: Any, answer: bytes, *more: str) -> tuple[int, str]:
    """Run with a terminal for stdin and stderr, and type the answer. Returns the exit code and what was shown."""
    pty = pytest.importorskip("pty", reason="no pseudo-terminals here")
    near, far = pty.openpty()
    words = command("ids.txt", "-o", "out.jsonl", "--qps", 100, "--price", "0.5", "--progress", "none", *more)
    process = subprocess.Popen(words, env=environment(sandbox), cwd=tmp_path, stdin=far, stderr=far)
    os.close(far)
    os.write(near, answer)
    shown = b""
    while True:
        try:
            data = os.read(near, 4096)
        except OSError:  # Linux: the other end is closed
            break
        if not data:
            break
        shown += data
    os.close(near)
    return process.wait(timeout=20), shown.decode()


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
def test_a_person_is_asked_before_money_is_spent(tmp_path: Path, sandbox: Any) -> None:
    """What it will cost, and whether to start: no is no call, and leaves no OUT; yes, or --yes, starts it."""
    write_ids(tmp_path / "ids.txt", 4)
    code, shown = at_a_terminal(tmp_path, sandbox, b"n\n")
    assert code == 2 and "not started, nothing was sent" in shown
    assert "plan: 4 calls; about 2.00 at 0.50 a call" in shown and "start it? [y/N]" in shown
    assert sandbox.stats()["calls"] == 0
    assert not (tmp_path / "out.jsonl").exists()
    code, _ = at_a_terminal(tmp_path, sandbox, b"y\n", "--limit", "2")
    assert code in (0, 1) and sandbox.stats()["ids"] == 2
    code, shown = at_a_terminal(tmp_path, sandbox, b"", "--yes")
    assert code in (0, 1) and "start it?" not in shown
    assert sandbox.stats()["ids"] == 4
