"""The place of a job's files behaves alike wherever it is."""

from __future__ import annotations

import io
from pathlib import Path
from uuid import uuid4

import pytest

from fetcher.cluster.store import Store, is_uri, open_store, shown
from fetcher.errors import OutputError, UsageError


@pytest.fixture(params=["folder", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """A folder, and what fsspec keeps in memory."""
    if request.param == "folder":
        return open_store(str(tmp_path / "job"))
    pytest.importorskip("fsspec", reason="needs the extra remote")
    return open_store(f"memory://{uuid4().hex}/job")


def test_names_come_and_go(store: Store, tmp_path: Path) -> None:
    """Written whole, read in part, moved in and out, removed; what is not there is told as such."""
    assert store.names("") == []
    assert not store.has("a")
    store.write("a", b"0123456789")
    store.write("deep/down/b", b"")
    assert store.read("a", 2, 5) == b"234"
    assert store.read("a", 8) == b"89"
    assert store.read("deep/down/b") == b""
    assert [name for name in store.names("") if name != "deep"] == ["a"]
    here = tmp_path / "here"
    here.write_bytes(b"put")
    store.put(str(here), "deep/c")
    there = tmp_path / "x" / "there"
    assert store.get("deep/c", str(there))
    assert there.read_bytes() == b"put"
    assert not store.get("nothing", str(there))
    out = io.BytesIO()
    assert store.copy_to("a", out) == 10
    with store.writing("a") as file:
        file.write(b"anew")
    assert store.read("a") == b"anew"
    store.remove("a", "never/was")
    assert not store.has("a")
    with pytest.raises(FileNotFoundError):
        store.read("a")


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    """Whole or not at all."""
    store = open_store(str(tmp_path))
    store.write("a", b"before")
    with pytest.raises(RuntimeError), store.writing("a") as file:
        file.write(b"half")
        raise RuntimeError
    assert store.read("a") == b"before"
    assert store.names("") == ["a"]


def test_a_place_that_refuses_is_told_in_a_sentence(tmp_path: Path) -> None:
    """A file where a folder should be; a kind of URI that nobody knows."""
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="Not a directory"):
        open_store(str(tmp_path / "file" / "x")).write("a", b"")
    pytest.importorskip("fsspec", reason="needs the extra remote")
    with pytest.raises(UsageError, match="cannot be used"):
        open_store("nosuch://bucket/x")


def test_what_is_a_uri_and_what_of_it_is_shown() -> None:
    """Paths with odd names are paths; a password in a URI is not repeated."""
    assert is_uri("s3://bucket/x")
    assert not is_uri("/data/a:b")
    assert not is_uri("file:///data")
    assert shown("ftp://me:pw@host/x") == "ftp://host/x"
