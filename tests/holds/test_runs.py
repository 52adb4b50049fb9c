"""What only whole runs show: the command, the sandbox, the files, the exit codes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.holds.forked import Forked
from tests.holds.runs import SandboxSettings, command, environment, lines, run, run_anew, spawn, write_ids
from tests.holds.sent_times import sent_times
from tests.pacing.windows import worst_window

pytestmark = pytest.mark.slow
GATEWAY = SandboxSettings(latency_ms=20, jitter_ms=5)


def test_a_file_of_ids_becomes_a_file_of_products(tmp_path: Path, sandbox: Any) -> None:
    """Every ID stands once in OUT or the failed file; absent ones are failures, so the exit code is 1."""
    ids = write_ids(tmp_path / "ids.txt", 300)
    done = run("ids.txt", "-o", "out.jsonl", "--qps", 400, "--summary", "-", env=environment(sandbox), cwd=tmp_path)
    products, failures = lines(tmp_path / "out.jsonl"), lines(tmp_path / "out.failed.jsonl")
    assert done.returncode == 1, done.stderr
    assert sorted(line["id"] for line in [*products, *failures]) == ids
    assert all(list(line)[:2] == ["id", "fetched_at"] for line in [*products, *failures])
    assert {line["error"]["kind"] for line in failures} == {"not_found"}
    assert all(line["data"]["productInfo"]["productID"] == int(line["id"]) for line in products)
    summary = json.loads(done.stdout)
    assert summary["exit_code"] == 1
    assert summary["ids"]["fetched"] == len(products)
    assert summary["books"]["balanced"] and summary["windows"]["holds"]
    assert sandbox.stats()["ids_repeated"] == 0


def test_the_cap_holds_in_a_whole_run(tmp_path: Path) -> None:
    """No second of sent times above the cap, by our own count too, and the fullest is near it.

    When calls arrive is not asserted: a busy machine lets them wait and bunch up. That all of the cap is used where
    nothing is busy is shown in virtual time, `run/test_loop.py::test_the_cap_is_used_and_never_passed`.
    """
    with spawn(SandboxSettings(latency_ms=60, jitter_ms=10, absent=0.0)) as sandbox:
        write_ids(tmp_path / "ids.txt", 500)
        words = ("ids.txt", "-o", "out.jsonl", "--qps", 150, "--summary", "s.json", "--no-progress")
        noted = Forked(*words, env=environment(sandbox), cwd=tmp_path, sent="sent")
        assert noted.wait() == 0, noted.said
        assert sandbox.stats()["calls"] == 500
    windows = json.loads((tmp_path / "s.json").read_text())["windows"]
    sent_s = sorted(sent_times(tmp_path / "sent"))
    assert windows["exact"] and len(sent_s) == 500
    assert 100 <= worst_window(sent_s) == windows["worst_1s"] <= 150


def test_a_finished_job_run_again_does_nothing(tmp_path: Path, sandbox: Any) -> None:
    """No call, the files unchanged to the byte, the same exit code."""
    write_ids(tmp_path / "ids.txt", 60)
    first = run("ids.txt", "-o", "out.jsonl", "--qps", 200, env=environment(sandbox), cwd=tmp_path)
    calls = sandbox.stats()["calls"]
    before = {path.name: path.read_bytes() for path in tmp_path.glob("out*")}
    again = run("ids.txt", "-o", "out.jsonl", "--qps", 200, env=environment(sandbox), cwd=tmp_path)
    assert again.returncode == first.returncode, again.stderr
    assert sandbox.stats()["calls"] == calls
    assert {path.name: path.read_bytes() for path in tmp_path.glob("out*")} == before


def test_an_interrupt_drains_and_says_how_to_go_on(tmp_path: Path, sandbox: Any) -> None:
    """SIGINT: what was in flight is stored, exit 130, the command that goes on is shown."""
    write_ids(tmp_path / "ids.txt", 500)
    process = subprocess.Popen(
        command("ids.txt", "-o", "out.jsonl", "--qps", 100),
        env=environment(sandbox),
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    while sandbox.stats()["calls"] < 20:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 130, said
    stored = len(lines(tmp_path / "out.jsonl")) + len(lines(tmp_path / "out.failed.jsonl"))
    assert stored == sandbox.stats()["calls"]
    assert f"left to be done: {500 - stored} IDs" in said
    assert "fetcher run ids.txt -o out.jsonl --qps 100" in said


def test_a_second_interrupt_ends_at_once(tmp_path: Path) -> None:
    """With answers that take half a minute: exit 130 long before, and what was written is whole."""
    with spawn(SandboxSettings(latency_ms=30_000)) as sandbox:
        write_ids(tmp_path / "ids.txt", 200)
        process = subprocess.Popen(
            command("ids.txt", "-o", "out.jsonl", "--qps", 50),
            env=environment(sandbox),
            cwd=tmp_path,
            stderr=subprocess.PIPE,
            text=True,
        )
        while sandbox.stats()["calls"] < 1:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        time.sleep(0.2)
        asked_s = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
        assert time.monotonic() - asked_s < 10
        os.kill(sandbox.pid, signal.SIGKILL)  # it would answer first
    assert process.returncode == 130
    assert lines(tmp_path / "out.jsonl") == []


def test_a_wrong_secret_costs_one_call(tmp_path: Path, sandbox: Any) -> None:
    """Exit 3, a remedy, no ID marked failed, and the secret nowhere."""
    write_ids(tmp_path / "ids.txt", 1000)
    env = environment(sandbox, FETCHER_APP_SECRET="wr0ng-Secret/42")
    done = run("ids.txt", "-o", "out.jsonl", "--qps", 300, "-v", env=env, cwd=tmp_path)
    assert done.returncode == 3
    assert sandbox.stats()["calls"] <= 5
    assert lines(tmp_path / "out.jsonl") == lines(tmp_path / "out.failed.jsonl") == []
    assert "FETCHER_APP_SECRET" in done.stderr
    everything = done.stdout + done.stderr + "".join(path.read_text() for path in tmp_path.glob("*out*"))
    assert "wr0ng-Secret" not in everything
    assert not re.search(r"_aop_signature=[0-9A-F]{8}", everything)


def test_the_tutorials_scheme_is_spoken_too(tmp_path: Path, sandbox: Any) -> None:
    """`--protocol guide` against a gateway that follows the tutorial."""
    write_ids(tmp_path / "ids.txt", 20)
    done = run(
        "ids.txt", "-o", "out.jsonl.gz", "--qps", 100, "--protocol", "guide", env=environment(sandbox), cwd=tmp_path
    )
    assert done.returncode in (0, 1), done.stderr
    assert sandbox.stats()["ids"] == 20


def test_standard_input_and_output(tmp_path: Path, sandbox: Any) -> None:
    """IDs from a pipe, products to a pipe, nothing else on it."""
    done = run_anew(
        "-", "-o", "-", "--qps", 200, env=environment(sandbox), cwd=tmp_path, stdin="610000000000\n610000000001\n"
    )
    assert done.returncode in (0, 1), done.stderr
    assert all("data" in json.loads(line) for line in done.stdout.splitlines())
    assert done.stdout


def test_a_line_that_is_corrected_is_no_failure_any_more(tmp_path: Path, sandbox: Any) -> None:
    """The next run takes back what was said of it, and all is well."""
    words, env = ("ids.txt", "-o", "out.jsonl"), environment(sandbox)
    first, second = write_ids(tmp_path / "ids.txt", 2)
    (tmp_path / "ids.txt").write_text(f"{first}\n6.1E+11\n")
    assert run(*words, env=env, cwd=tmp_path).returncode == 1
    (tmp_path / "ids.txt").write_text(f"{first}\n{second}\n")
    done = run(*words, env=env, cwd=tmp_path)
    assert done.returncode == 0 and "1 damaged line of the input was corrected since" in done.stderr
    assert (tmp_path / "out.failed.jsonl").read_bytes() == b""
    assert run(*words, env=env, cwd=tmp_path).returncode == 0


def test_a_dry_run_sends_and_writes_nothing(tmp_path: Path, sandbox: Any) -> None:
    """Counts and time, exit 0."""
    (tmp_path / "ids.txt").write_text("610000000000\n\n610000000000\n1.2E+11\n610000000001\n")
    done = run("ids.txt", "-o", "out.jsonl", "--dry-run", env=environment(sandbox), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "calls to send: 2" in done.stderr
    assert sandbox.stats()["calls"] == 0
    assert [path.name for path in tmp_path.iterdir()] == ["ids.txt"]


@pytest.mark.parametrize(
    ("ids", "said"), [("missing.txt", "no file missing.txt"), (".", "directory"), ("ids.csv", "no column")]
)
def test_an_input_that_cannot_be_read_leaves_nothing_behind(tmp_path: Path, sandbox: Any, ids: str, said: str) -> None:
    """Exit 2, a sentence, no OUT."""
    (tmp_path / "ids.csv").write_text("name\n1\n")
    done = run(ids, "-o", "out.jsonl", "--id-column", "offer", env=environment(sandbox), cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert not (tmp_path / "out.jsonl").exists()


def test_an_input_that_is_the_output_is_refused(tmp_path: Path, sandbox: Any) -> None:
    """A file of IDs looks like a finished OUT: it must not be taken for one, let alone be written to."""
    (tmp_path / "ids.jsonl").write_text('{"id":"610000000001"}\n')
    done = run("ids.jsonl", "-o", "./ids.jsonl", env=environment(sandbox), cwd=tmp_path)
    assert done.returncode == 2 and "read and written at once" in done.stderr
    done = run("ids.jsonl", "-o", "out.jsonl", "--failed", "ids.jsonl", env=environment(sandbox), cwd=tmp_path)
    assert done.returncode == 2 and not (tmp_path / "out.jsonl").exists()
    assert (tmp_path / "ids.jsonl").read_text() == '{"id":"610000000001"}\n'


def test_the_httpx_lane_does_the_same_job(tmp_path: Path, sandbox: Any) -> None:
    """`--transport httpx`: the same lines, one call each."""
    ids = write_ids(tmp_path / "ids.txt", 60)
    done = run(
        "ids.txt", "-o", "out.jsonl", "--qps", 120, "--transport", "httpx", env=environment(sandbox), cwd=tmp_path
    )
    assert done.returncode in (0, 1), done.stderr
    stored = [line["id"] for name in ("out.jsonl", "out.failed.jsonl") for line in lines(tmp_path / name)]
    assert sorted(stored) == ids
    assert sandbox.stats()["calls"] == 60


def test_a_reader_that_leaves_ends_the_run_cleanly(tmp_path: Path, sandbox: Any) -> None:
    """`| head -1`: no traceback, a word about it, nothing hangs."""
    write_ids(tmp_path / "ids.txt", 500)
    process = subprocess.Popen(
        command("ids.txt", "-o", "-", "--qps", 300),
        env=environment(sandbox),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None and process.stderr is not None
    assert b'"data"' in process.stdout.readline()
    process.stdout.close()
    said = process.stderr.read().decode()
    process.stderr.close()
    assert process.wait(timeout=20) == 6
    assert "nobody reads standard output" in said
    assert "Traceback" not in said


def test_an_empty_input_is_done(tmp_path: Path, sandbox: Any) -> None:
    """Exit 0 with a word about it."""
    (tmp_path / "ids.txt").write_text("\n# nothing yet\n")
    done = run("ids.txt", "-o", "out.jsonl", env=environment(sandbox), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "the input holds no IDs" in done.stderr


def test_faults_of_the_gateway_are_survived(tmp_path: Path) -> None:
    """A tenth of the calls fail in one way or another: every ID is fetched in the end."""
    faults = SandboxSettings(
        latency_ms=10, jitter_ms=5, absent=0.0, error_rate=0.04, reset_rate=0.03, malformed_rate=0.03
    )
    with spawn(faults) as sandbox:
        ids = write_ids(tmp_path / "ids.txt", 300)
        done = run("ids.txt", "-o", "out.jsonl.zst", "--qps", 300, env=environment(sandbox), cwd=tmp_path)
        stats = sandbox.stats()
    assert done.returncode == 0, done.stderr
    assert stats["calls"] <= 1.3 * len(ids)
