"""`fetcher config show`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fetcher.settings import FIELDS, GROUPS
from tests.cli.conftest import CommandLine


@pytest.fixture(autouse=True)
def _sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "fetcher.toml").write_text('qps = 20\napp_key = "123"\nretries = 2\n')
    (tmp_path / "fetcher.toml").chmod(0o600)
    (tmp_path / ".env").write_text("FETCHER_RETRIES=3\nFETCHER_PROXY=http://me:pa55word@proxy:1\n")
    (tmp_path / ".env").chmod(0o600)
    monkeypatch.setenv("FETCHER_APP_SECRET", "s3cret-of-app")


def test_every_setting_has_a_value_and_an_origin(fetcher: CommandLine) -> None:
    """As a run with these options would have it, under the headings of the help; no secret, no proxy's password."""
    ended = fetcher("config", "show", "--origin", "--timeout", "7")
    assert ended.code == 0 and ended.err == ""
    lines = {line.split(" = ")[0].strip(): line.split(" = ", 1)[1] for line in ended.out.splitlines() if " = " in line}
    assert list(lines) == [row.key or row.name for row in FIELDS]
    assert lines["qps"].split("  # ") == ["20", "fetcher.toml"]
    assert lines["retries"].split("  # ") == ["3", ".env FETCHER_RETRIES"]
    assert lines["timeout"].split("  # ") == ["7", "flag --timeout"]
    assert lines["app_secret"].split("  # ") == ["***", "environment FETCHER_APP_SECRET"]
    assert lines["access_token"].split("  # ") == ["unset", "default"]
    assert lines["proxy"].startswith("***")
    assert [line[2:] for line in ended.out.splitlines() if line.startswith("# ")] == list(GROUPS)
    assert "s3cret" not in ended.out and "pa55word" not in ended.out


def test_without_origin_it_is_names_and_values(fetcher: CommandLine) -> None:
    """Nothing else."""
    assert "fetcher.toml" not in fetcher("config", "show").out


def test_as_json(fetcher: CommandLine) -> None:
    """Plain values; a text that is hidden is stars, one that is not there null."""
    found = json.loads(fetcher("config", "show", "--json", "--known", "a", "--known", "b").out)
    assert set(found) == {row.key or row.name for row in FIELDS}
    assert found["qps"] == {"value": 20.0, "origin": "fetcher.toml"}
    assert found["app_secret"]["value"] == "***" and found["refresh_token"]["value"] is None
    assert found["known"] == {"value": ["a", "b"], "origin": "flag --known"}


def test_what_a_run_would_refuse_is_refused(fetcher: CommandLine, tmp_path: Path) -> None:
    """With the place of the mistake."""
    (tmp_path / "fetcher.toml").write_text("qpss = 20\n")
    ended = fetcher("config", "show")
    assert ended.code == 2 and "fetcher.toml line 1" in ended.err
