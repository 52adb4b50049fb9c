"""`fetcher init`."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from fetcher.settings import field_named, load, template
from tests.cli.conftest import CommandLine


def test_it_writes_the_template_for_its_owner_alone(fetcher: CommandLine, tmp_path: Path) -> None:
    """The file is the template, nobody else can read it, and stdout stays empty."""
    ended = fetcher("init")
    path = tmp_path / "fetcher.toml"
    assert ended.code == 0 and ended.out == ""
    assert ended.err.startswith("wrote fetcher.toml")
    assert path.read_text(encoding="utf-8") == template()
    if os.name == "posix":
        assert path.stat().st_mode & 0o777 == 0o600


def test_it_replaces_nothing_unless_told(fetcher: CommandLine, tmp_path: Path) -> None:
    """A file that is there stays, until --force."""
    path = tmp_path / "fetcher.toml"
    path.write_text("qps = 20\n")
    path.chmod(0o644)
    ended = fetcher("init")
    assert ended.code == 2
    assert "already there" in ended.err and "--force" in ended.err
    assert path.read_text() == "qps = 20\n"
    assert fetcher("init", "--force").code == 0
    assert path.read_text(encoding="utf-8") == template()
    if os.name == "posix":
        assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_is_not_followed(fetcher: CommandLine, tmp_path: Path) -> None:
    """Another program's file behind a link is not overwritten, with or without --force."""
    other = tmp_path / "other"
    other.write_text("kept")
    (tmp_path / "fetcher.toml").symlink_to(other)
    assert fetcher("init").code == 2
    assert fetcher("init", "--force").code == 0
    assert other.read_text() == "kept"


def test_a_folder_that_cannot_be_written_is_exit_6(
    fetcher: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system's reason is passed on."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    ended = fetcher("init")
    assert ended.code == 6
    assert ended.err.startswith("error: fetcher.toml could not be written: ")


def test_nothing_half_written_stays(fetcher: CommandLine, tmp_path: Path) -> None:
    """When the new file cannot take its place, it is removed again."""
    folder = tmp_path / "fetcher.toml"
    folder.mkdir()
    ended = fetcher("init", "--force")
    assert ended.code == 6
    assert list(tmp_path.iterdir()) == [folder]


def on_a_terminal(folder: Path, answers: list[str], *words: str) -> tuple[int, str]:
    """`fetcher init` with these answers typed in. Returns the exit code and what was shown."""
    pty = pytest.importorskip("pty")
    near, far = pty.openpty()
    env = {name: value for name, value in os.environ.items() if not name.startswith("FETCHER_")} | {"TERM": "dumb"}
    line = [sys.executable, "-m", "fetcher", "init", *words]
    process = subprocess.Popen(line, cwd=folder, env=env, stdin=far, stdout=far, stderr=far, start_new_session=True)
    os.close(far)
    shown, typed = b"", iter(answers)
    with suppress(OSError):  # Linux says so where the other end is closed
        while more := os.read(near, 4096):
            shown += more
            if shown.endswith(b": ") and (answer := next(typed, None)) is not None:  # what is typed ahead may be lost
                os.write(near, f"{answer}\n".encode())
    os.close(near)
    return process.wait(20), shown.decode("utf-8", "replace")


@pytest.mark.parametrize("place", ["env", "toml", "none"])
def test_on_a_terminal_it_asks(tmp_path: Path, place: str) -> None:
    """A wrong answer is asked again, an empty one keeps the default; the secret is not shown, and is found by a run."""
    code, shown = on_a_terminal(tmp_path, ["4711", "prodcut", "order-buyer", "0", "12.5", "", "s3'cr$t", "", place])
    assert code == 0, shown
    assert "s3'cr" not in shown
    assert "product" in shown and "must be a number above 0" in shown
    settings = load(environ={}, folder=tmp_path).settings
    assert (settings.app_key, settings.api, settings.qps) == ("4711", "order-buyer", 12.5)
    assert settings.gateway == field_named("gateway").default
    assert (settings.app_secret is None) == (place == "none")
    if settings.app_secret is not None:
        assert settings.app_secret.reveal() == "s3'cr$t" and settings.access_token is None
        assert load(environ={}, folder=tmp_path).warnings == ()
    assert (tmp_path / ".env").exists() == (place == "env")
    text = (tmp_path / "fetcher.toml").read_text(encoding="utf-8")
    assert ("app_secret = " in text.replace("#app_secret", "")) == (place == "toml")


def test_an_env_file_that_is_there_keeps_what_it_says(tmp_path: Path) -> None:
    """Lines are added to it; a secret that it has already is not doubled, and then nothing is written at all."""
    env = tmp_path / ".env"
    env.write_text("OTHER=1")
    env.chmod(0o600)
    answers = ["1", "", "", "", "s3cret", "", "env"]
    assert on_a_terminal(tmp_path, answers)[0] == 0
    assert env.read_text() == "OTHER=1\nFETCHER_APP_SECRET='s3cret'\n"
    before = (tmp_path / "fetcher.toml").read_bytes()
    code, shown = on_a_terminal(tmp_path, ["2", *answers[1:]], "--force")
    assert code == 2 and "already says FETCHER_APP_SECRET" in shown
    assert (tmp_path / "fetcher.toml").read_bytes() == before


def test_no_input_asks_nothing(tmp_path: Path) -> None:
    """Also on a terminal."""
    assert on_a_terminal(tmp_path, [], "--no-input")[0] == 0
    assert (tmp_path / "fetcher.toml").read_text(encoding="utf-8") == template()
