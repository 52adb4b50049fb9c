"""Files, pipes and stdin."""

from __future__ import annotations

import gzip
import io
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from fetcher.errors import InputError
from fetcher.ids import open_source
from tests.ids.reading import Pieces, drain, ids, stdin


def read_file(path: Path) -> list[str]:
    """The good IDs of a file."""
    with open_source(str(path), numeric=True) as source:
        return ids(drain(source))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.txt", b"1\n2\n"),
        ("a", b"1\n2\n"),
        ("a.csv", b"id,title\n1,a\n2,b\n"),
        ("a.TSV", b"title\tid\na\t1\nb\t2\n"),
        ("a.jsonl", b'{"id":1}\n{"id":"2"}\n'),
        ("a.ndjson", b"1\n2\n"),
        ("a.json", b'{"id":1}\n{"id":"2"}\n'),
    ],
)
@pytest.mark.parametrize("suffix", ["", ".gz", ".zst"])
def test_the_name_says_what_is_inside(tmp_path: Path, name: str, content: bytes, suffix: str) -> None:
    """Each format, stored plainly or compressed."""
    path = tmp_path / (name + suffix)
    path.write_bytes({"": bytes, ".gz": gzip.compress, ".zst": zstandard.compress}[suffix](content))
    assert read_file(path) == ["1", "2"]


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_compression_is_told_by_the_first_bytes_too(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    """A renamed archive, and one on stdin that comes byte by byte."""
    data = pack(b"1\n2\n")
    path = tmp_path / "ids.txt"
    path.write_bytes(data)
    assert read_file(path) == ["1", "2"]
    assert ids(drain(stdin(data[at : at + 1] for at in range(len(data))))) == ["1", "2"]


def test_what_cannot_be_opened_is_said_in_a_sentence(tmp_path: Path) -> None:
    """Missing, a directory, an impossible path."""
    with pytest.raises(InputError, match=r"no file .*missing\.txt"):
        open_source(str(tmp_path / "missing.txt"), numeric=True)
    with pytest.raises(InputError, match="is a directory"):
        open_source(str(tmp_path), numeric=True)
    with pytest.raises(InputError, match="cannot be read"):
        open_source("a\0b", numeric=True)
    with pytest.raises(InputError, match="no file"):
        open_source("", numeric=True)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_said_in_a_sentence(tmp_path: Path) -> None:
    """Permissions are the user's to change."""
    path = tmp_path / "ids.txt"
    path.write_bytes(b"1\n")
    path.chmod(0)
    with pytest.raises(InputError, match="cannot be read: Permission denied"):
        open_source(str(path), numeric=True)


def test_an_error_while_reading_is_an_input_error() -> None:
    """A disk that fails in the middle is said in a sentence, and the end is not feigned afterwards."""

    class Failing(io.RawIOBase):
        reads = 0

        def read(self, size: int = -1) -> bytes:
            self.reads += 1
            if self.reads == 1:
                return b"1\n2\n"
            raise OSError(5, "Input/output error")

    source = open_source("-", numeric=True, stdin=Failing())  # type: ignore[arg-type]
    assert ids(source.read(10)) == ["1", "2"]
    for _ in range(2):
        with pytest.raises(InputError, match="stdin cannot be read: Input/output error"):
            source.read(10)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
def test_a_fifo_works_and_hands_over_what_it_has(tmp_path: Path) -> None:
    """Two IDs are given out while the writer has not yet written the third."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    more = threading.Event()

    def write() -> None:
        with open(path, "wb", buffering=0) as pipe:
            pipe.write(b"1\n2\n")
            more.wait(10)
            pipe.write(b"3\n")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        with open_source(str(path), numeric=True) as source:
            assert source.is_pipe
            assert (source.total_bytes, source.position_bytes) == (None, None)
            assert ids(source.read(100)) == ["1", "2"]
            more.set()
            assert ids(source.read(100)) == ["3"]
            assert source.read(100) == []
    finally:
        more.set()
        writer.join()


def test_a_pipe_that_is_not_ready_is_waited_for() -> None:
    """A descriptor that somebody made non-blocking says None; that is not the end."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    with open(reading, "rb") as stream, open(writing, "wb", buffering=0) as pipe:

        def write() -> None:
            pipe.write(b"1\n")
            pipe.close()

        writer = threading.Timer(0.02, write)
        writer.start()
        assert ids(drain(open_source("-", numeric=True, stdin=stream))) == ["1"]
        assert not stream.closed
        writer.join()


@pytest.mark.untraced
def test_a_file_that_grows_while_it_is_read_is_read_on(tmp_path: Path) -> None:
    """Lines that come before the end is reached count; once the end was said, it stays."""
    path = tmp_path / "ids.txt"
    path.write_bytes(b"".join(b"%d\n" % number for number in range(1, 100_001)))
    with open_source(str(path), numeric=True) as source:
        assert len(source.read(10)) == 10
        with path.open("ab") as file:
            file.write(b"100001\n")
        assert len(drain(source)) == 99_991
        with path.open("ab") as file:
            file.write(b"100002\n")
        assert source.read(10) == []


def test_position_follows_the_ids_handed_out(tmp_path: Path) -> None:
    """What is read ahead is not progress."""
    path = tmp_path / "ids.txt"
    path.write_bytes(b"".join(b"%d\n" % number for number in range(10_000, 50_000)))
    with open_source(str(path), numeric=True) as source:
        assert (source.total_bytes, source.position_bytes) == (240_000, 0)
        source.read(20_000)
        assert source.position_bytes == pytest.approx(120_000, abs=10)
        drain(source)
        assert source.position_bytes == 240_000


def test_stdin_is_plain_text_unless_it_begins_like_an_object() -> None:
    """The one rule for an input whose name says nothing."""
    assert ids(drain(stdin(b"1\n2\n"))) == ["1", "2"]
    assert ids(drain(stdin(b'\n {"offerId": 7}\n8\n'))) == ["7", "8"]
    assert ids(drain(stdin(b"a;b\nx;7\n", column="b"))) == ["7"]
    assert ids(drain(stdin(b'{"a":{"b":7}}\n', field="a.b"))) == ["7"]


@pytest.mark.parametrize(("name", "options"), [("a.jsonl", {"column": "id"}), ("a.csv", {"field": "id"})])
def test_an_option_of_another_format_is_refused(tmp_path: Path, name: str, options: dict[str, str]) -> None:
    """It would be ignored in silence otherwise."""
    path = tmp_path / name
    path.write_bytes(b"1\n")
    with pytest.raises(InputError, match="is for"):
        open_source(str(path), numeric=True, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("start", [b"PK\x03\x04\x14\x00", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00"])
def test_a_workbook_is_told_from_a_text(tmp_path: Path, start: bytes) -> None:
    """Instead of bad lines without end, a sentence with the remedy."""
    path = tmp_path / "ids.csv"
    path.write_bytes(start + bytes(100))
    with pytest.raises(InputError, match="Excel workbook") as caught:
        open_source(str(path), numeric=True)
    assert "CSV" in caught.value.advice


def test_an_empty_input_is_empty(tmp_path: Path) -> None:
    """No lines, no error."""
    (tmp_path / "ids.csv").write_bytes(b"")
    assert read_file(tmp_path / "ids.csv") == []
    assert stdin([]).read(5) == []
    assert Pieces([]).read() == b""
