"""`fetcher login` as a member meets it, and the run that goes on with what it brought."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.holds.runs import SandboxSettings, environment, run, spawn, write_ids

pytestmark = pytest.mark.slow


def start(sandbox: Any, cwd: Path, *words: str) -> subprocess.Popen[str]:
    """The command, begun."""
    return subprocess.Popen(
        [sys.executable, "-m", "fetcher", "login", *words],
        env={**environment(sandbox), "FETCHER_QPS": "50", "PYTHONUNBUFFERED": "1"},
        cwd=cwd,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def address(process: subprocess.Popen[str]) -> str:
    """The address that is printed."""
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.search(r"http://\S+/oauth/authorize\S+", line):
            return found[0]
    raise AssertionError("no address was printed")


def test_a_browser_comes_back_and_the_run_goes_on(tmp_path: Path) -> None:
    """The tokens are in a file of one's own, nowhere else, and the next run uses them."""
    with spawn(SandboxSettings(absent=0.0, require_token=True)) as sandbox:
        process = start(sandbox, tmp_path, "--token-file", "tokens.json")
        url = address(process)
        assert httpx.get(url.split("/oauth")[0] + "/_sandbox/stats").status_code == 200
        back = httpx.get(url + "&authorize=yes", follow_redirects=True)
        assert back.status_code == 200 and "Authorised" in back.text
        out, err = process.communicate(timeout=20)
        assert process.returncode == 0, err
        path = tmp_path / "tokens.json"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600 or os.name != "posix"
        tokens = re.findall(r'"(?:access|refresh)_token": "([^"]+)"', path.read_text())
        assert len(tokens) == 2 and not any(token in out + err + url for token in tokens)
        assert "refresh token  good until" in out
        write_ids(tmp_path / "ids.txt", 5)
        words = ("ids.txt", "-o", "out.jsonl", "--qps", "50", "--token-file", "tokens.json")
        done = run(*words, env=environment(sandbox), cwd=tmp_path)
        assert done.returncode == 0, done.stderr


def test_a_code_is_pasted(tmp_path: Path) -> None:
    """Where the app has registered another address; a member who says no, and a code of another question."""
    with spawn(SandboxSettings(require_token=True)) as sandbox:
        outcomes = []
        for said in ("yes", "no", "other"):
            process = start(sandbox, tmp_path, "--redirect-uri", "https://me.example/back")
            went = httpx.get(address(process) + f"&authorize={'no' if said == 'no' else 'yes'}").headers["location"]
            pasted = re.sub(r"state=[^&]+", "state=other", went) if said == "other" else went
            out, err = process.communicate(pasted + "\n", timeout=20)
            outcomes.append((process.returncode, out + err))
    assert [code for code, _ in outcomes] == [0, 2, 2]
    assert "fetcher-tokens.json" in outcomes[0][1] and (tmp_path / "fetcher-tokens.json").exists()
    assert "refused: access_denied" in outcomes[1][1] and "another question" in outcomes[2][1]
