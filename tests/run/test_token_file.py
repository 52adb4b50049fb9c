"""Tokens on disk: private, whole, shared by several apps and several runs."""

from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path

import pytest

from fetcher.errors import OutputError, UsageError
from fetcher.run.token_file import Kept, TokenFile
from fetcher.secret import Secret

KEPT = Kept("7", Secret("a-1"), Secret("r-1"), 3_000, 2_000, 9_000)
posix_only = pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX's")


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """Each app has its own tokens; one that was never there has none."""
    file = TokenFile(str(tmp_path / "tokens.json"))
    assert file.read("7") == Kept("7")
    other = Kept("8", Secret("a-2"))
    file.write(KEPT)
    file.write(other)
    assert (file.read("7"), file.read("8")) == (KEPT, other)


@posix_only
def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    """0600 from its first byte, nothing left beside it; one that is open to others is refused."""
    path = tmp_path / "tokens.json"
    TokenFile(str(path)).write(KEPT)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["tokens.json"]
    path.chmod(0o644)
    with pytest.raises(UsageError, match="others can read it") as caught:
        TokenFile(str(path)).read("7")
    assert "chmod 600" in caught.value.advice


@pytest.mark.parametrize("text", ["", "[]", "{", '{"7": 1}', "app_secret=x"])
def test_another_file_is_not_overwritten(tmp_path: Path, text: str) -> None:
    """A name that was mistaken costs nothing."""
    path = tmp_path / "fetcher.toml"
    path.write_text(text)
    path.chmod(0o600)
    for act in (lambda file: file.read("7"), lambda file: file.write(KEPT)):
        with pytest.raises(UsageError, match="no token file"):
            act(TokenFile(str(path)))
    assert path.read_text() == text


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    """A missing folder is an output error."""
    file = TokenFile(str(tmp_path / "nowhere" / "tokens.json"))
    with pytest.raises(OutputError, match="cannot be written"):
        file.write(KEPT)


def test_a_link_is_followed(tmp_path: Path) -> None:
    """The file behind it is replaced, not the link."""
    real, link = tmp_path / "real.json", tmp_path / "link.json"
    TokenFile(str(real)).write(Kept("8"))
    link.symlink_to(real)
    TokenFile(str(link)).write(KEPT)
    assert link.is_symlink() and TokenFile(str(real)).read("7") == KEPT


@posix_only
async def test_one_at_a_time(tmp_path: Path) -> None:
    """Whoever comes second waits, and sees what the first has written."""
    path, order = str(tmp_path / "tokens.json"), []

    async def first() -> None:
        async with TokenFile(path).locked():
            order.append("first in")
            await asyncio.sleep(0.15)
            TokenFile(path).write(KEPT)
            order.append("first out")

    async def second() -> None:
        await asyncio.sleep(0.05)
        async with TokenFile(path).locked():
            assert TokenFile(path).read("7") == KEPT
            order.append("second in")

    await asyncio.gather(first(), second())
    assert order == ["first in", "first out", "second in"]
