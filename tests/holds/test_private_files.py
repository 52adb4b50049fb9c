"""Who may read what a run needs and leaves: modes of settings, outputs and what was cut, with whole runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.holds.far import Answer, Asked, gateway, product
from tests.holds.runs import environment, lines, run_anew, write_ids
from tests.spellings import found_in

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")]

SECRET = "App-Secret/+%&=1"


def test_files_that_may_hold_secrets_are_private(tmp_path: Path) -> None:
    """`fetcher init` writes 0600 whatever the umask; an open secrets file is refused, other files are warned of."""
    write_ids(tmp_path / "ids.txt", 1)
    env = {key: value for key, value in os.environ.items() if not key.startswith("FETCHER_")}
    made = subprocess.run(
        [sys.executable, "-m", "fetcher", "init"], cwd=tmp_path, env=env, capture_output=True, text=True, umask=0
    )
    assert made.returncode == 0, made.stderr
    assert mode_of(tmp_path / "fetcher.toml") == 0o600
    (tmp_path / "fetcher.toml").write_text('app_key = "1"\n')

    secrets = tmp_path / "my.secrets"
    secrets.write_text(f"app_secret='{SECRET}'\n")
    secrets.chmod(0o640)
    dry = ("ids.txt", "-o", "out.jsonl", "--dry-run", "--secrets", "my.secrets")
    refused = run_anew(*dry, env=env, cwd=tmp_path)
    assert refused.returncode == 2
    assert "others can read it" in refused.stderr and "chmod 600 my.secrets" in refused.stderr
    assert run_anew(*dry, env=env | {"FETCHER_ALLOW_OPEN_SECRETS": "1"}, cwd=tmp_path).returncode == 0
    secrets.chmod(0o600)
    assert run_anew(*dry, env=env, cwd=tmp_path).returncode == 0

    for name, text in (
        ("fetcher.toml", 'app_key = "1"\naccess_token = "12345678"\n'),
        (".env", "FETCHER_APP_SECRET=12345678\n"),
    ):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o644)
    warned = run_anew(*dry, env=env, cwd=tmp_path)
    assert warned.returncode == 0, warned.stderr
    assert "chmod 600 fetcher.toml" in warned.stderr and "chmod 600 .env" in warned.stderr
    assert found_in(refused.stderr + warned.stderr, {"secret": SECRET}) == []


def half(asked: Asked) -> Answer:
    """Every other product is there."""
    return product(asked) if int(asked.id) % 2 else (200, b'{"productInfo":null,"errMsg":"gone"}')


def test_the_umask_is_respected(tmp_path: Path) -> None:
    """OUT and the failed file are for the owner alone where the umask says so."""
    write_ids(tmp_path / "ids.txt", 2)
    with gateway(half) as far:
        done = run_anew("ids.txt", "-o", "out.jsonl", env=environment(far), cwd=tmp_path, umask=0o077)
    assert done.returncode == 1, done.stderr
    assert {mode_of(tmp_path / name) for name in ("out.jsonl", "out.failed.jsonl")} == {0o600}


def test_a_repair_keeps_modes_and_links_and_puts_aside_in_private(tmp_path: Path) -> None:
    """Mended under another umask, the files keep their modes; what was cut off is 0600; OUT stays a link."""
    ids = write_ids(tmp_path / "ids.txt", 6)
    (tmp_path / "disk").mkdir()
    out, real, failed = tmp_path / "out.jsonl", tmp_path / "disk/real.jsonl", tmp_path / "out.failed.jsonl"
    out.symlink_to("disk/real.jsonl")
    with gateway(half) as far:
        words = ("ids.txt", "-o", "out.jsonl", "--qps", 200, "--retry-failed", "all")
        done = run_anew(*words, env=environment(far), cwd=tmp_path, umask=0o022)
        assert done.returncode == 1, done.stderr
        first, *others = real.read_bytes().splitlines(keepends=True)
        real.write_bytes(first + b"not a line\n" + b"".join(others) + b'{"id":"61000')
        done = run_anew(*words, env=environment(far), cwd=tmp_path, umask=0)
        assert done.returncode == 1, done.stderr
    assert sorted(line["id"] for path in (real, failed) for line in lines(path)) == ids
    assert out.is_symlink() and os.readlink(out) == "disk/real.jsonl"
    assert (mode_of(real), mode_of(failed)) == (0o644, 0o644)
    aside = [path for path in real.parent.iterdir() if path.suffix in (".torn", ".bad")]
    assert len(aside) == 2
    assert {mode_of(path) for path in aside} == {0o600}


def mode_of(path: Path) -> int:
    """The permission bits."""
    return path.stat().st_mode & 0o777
