"""`fetcher check` as a whole: what a person reads, what a script reads, the exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fetcher.sandbox import AppSettings
from tests.holds.runs import SandboxSettings, environment, spawn

pytestmark = pytest.mark.slow


def check(sandbox: Any, cwd: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run it."""
    env = environment(sandbox, FETCHER_QPS="50", **variables)
    command = [sys.executable, "-m", "fetcher", "check", *words]
    done = subprocess.run(command, env=env, cwd=cwd, capture_output=True, text=True, timeout=40)
    assert "Traceback" not in done.stderr
    return done


def test_what_is_right_and_what_is_wrong(tmp_path: Path) -> None:
    """A line for each step; exit 0, 3 and 2; secrets nowhere; nothing is sent without a secret."""
    with spawn(SandboxSettings(absent=0.0)) as sandbox:
        well = check(sandbox, tmp_path)
        wrong = check(sandbox, tmp_path, "--json", FETCHER_APP_SECRET="wr0ng-Secret/42")
        calls = sandbox.stats()["calls"]
        none = check(sandbox, tmp_path, FETCHER_APP_SECRET="")
        assert sandbox.stats()["calls"] == calls
    assert well.returncode == 0 and well.stderr == ""
    assert "ok     credentials  the gateway took the app key, the secret and the signature\n" in well.stdout
    assert well.stdout.endswith("ready to run; 2 calls made\n")
    document = json.loads(wrong.stdout)
    assert (wrong.returncode, document["exit_code"], document["ready"]) == (3, 3, False)
    assert [each["state"] for each in document["findings"]] == ["ok", "wrong"]
    assert "wr0ng-Secret" not in wrong.stdout + wrong.stderr
    assert none.returncode == 2 and "FETCHER_APP_SECRET" in none.stderr and none.stdout == ""


def test_each_key_of_a_pool_is_asked_about(tmp_path: Path) -> None:
    """Under its name; one that is wrong decides the exit code."""
    tables = [("shop a", "1000000", "sandbox-secret"), ("shop b", "7770002", "not-the-secret-of-b")]
    (tmp_path / "fetcher.toml").write_text(
        "".join(
            f'[[keys]]\nname = "{name}"\napp_key = "{key}"\napp_secret = "{secret}"\n' for name, key, secret in tables
        )
    )
    (tmp_path / "fetcher.toml").chmod(0o600)
    with spawn(SandboxSettings(absent=0.0, apps=(AppSettings(app_key="7770002"),))) as sandbox:
        none = {"FETCHER_APP_KEY": "", "FETCHER_APP_SECRET": ""}
        said = check(sandbox, tmp_path, **none)
        document = json.loads(check(sandbox, tmp_path, "--json", **none).stdout)
    first, second = said.stdout.split("key shop b\n")
    assert first.startswith("key shop a\n") and "ok     permission" in first
    assert "wrong  credentials  gw.SignatureInvalid" in second and said.returncode == 3
    assert second.endswith("not ready (exit 3); 3 calls made\n") and "not-the-secret" not in said.stdout
    assert [each["key"] for each in document["findings"] if each["state"] == "wrong"] == ["shop b"]
