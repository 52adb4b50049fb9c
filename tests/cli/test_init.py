"""`fetcher init`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fetcher.settings import template
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
