"""Several keys in a whole run: the sandbox holds each to its own cap, one of them is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fetcher.sandbox import AppSettings
from tests.holds.books import check
from tests.holds.runs import SandboxSettings, environment, run, spawn, write_ids

pytestmark = pytest.mark.slow

KEYS = """
[[keys]]
name = "one"
app_key = "{key}"
app_secret = "{secret}"
qps = 40
[[keys]]
name = "two"
app_key = "7770002"
app_secret = "another-secret-of-the-second"
qps = 80
[[keys]]
name = "wrong"
app_key = "7770003"
app_secret = "no-such-app"
"""


@pytest.mark.parametrize("processes", [1, 2])
def test_a_pool_of_three_of_which_one_is_unknown(tmp_path: Path, processes: int) -> None:
    """Each at its own cap, no call refused for the rate, the unknown one out with a word, no ID failed for it."""
    # A tenth above: the proof of the sent times is exact, but a busy machine may let calls arrive bunched.
    second = AppSettings(app_key="7770002", app_secret="another-secret-of-the-second", qps=88)
    with spawn(SandboxSettings(absent=0.0, latency_ms=5, qps=44, apps=(second,))) as sandbox:
        ids, out = write_ids(tmp_path / "ids.txt", 240), tmp_path / "out.jsonl"
        toml = tmp_path / "fetcher.toml"
        toml.write_text(KEYS.format(key=sandbox.app_key, secret=sandbox.app_secret.reveal()))
        toml.chmod(0o600)
        env = {name: text for name, text in environment(sandbox).items() if not name.startswith("FETCHER_APP_")}
        ended = run(
            "ids.txt", "-o", "out.jsonl", "--summary", "s.json", "--processes", processes, env=env, cwd=tmp_path
        )
    assert ended.returncode == 0, ended.stderr
    check(out, ids)
    summary = json.loads((tmp_path / "s.json").read_text())
    keys = {key["name"]: key for key in summary["keys"]}
    assert keys["wrong"]["calls"] <= processes and "AppKeyNotFound" in keys["wrong"]["left_pool"]
    assert all(key["holds"] for key in keys.values())
    assert keys["one"]["calls"] + keys["two"]["calls"] == 240
    assert keys["two"]["calls"] > 1.4 * keys["one"]["calls"]
    assert summary["calls"]["throttles"] == 0
    assert "key wrong is out of the pool" in ended.stderr and "key two: " in ended.stderr
    assert "secret" not in ended.stderr.replace("app secret", "")
