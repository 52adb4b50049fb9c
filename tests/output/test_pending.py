"""Compressed output: what was on its way into a member survives a kill, stands once, and is gone at the end."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from fetcher.errors import OutputError
from fetcher.output import Reopening, inspect_output
from fetcher.output.disk import Disk
from fetcher.output.pending import Pending
from tests.output.files import failure, opened, product, stored

PACKED = pytest.mark.parametrize("name", ["out.jsonl.gz", "out.jsonl.zst"])
LONG_S = 3600.0


@PACKED
def test_a_kill_costs_nothing_that_was_appended(tmp_path: Path, name: str) -> None:
    """No member was closed; the next run takes the lines in, and says so."""
    killed = opened(tmp_path, name, sync_interval_s=LONG_S)
    killed.append([product(1), failure(2)])
    killed.append([product(3)])
    killed.let_go()
    assert stored(tmp_path / name) == []
    _, earlier = inspect_output(str(tmp_path / name), None)
    assert (earlier.fetched, earlier.failed) == (2, 1)
    again = opened(tmp_path, name)
    assert (again.earlier.fetched, again.earlier.failed) == (2, 1)
    assert "not yet compressed" in again.notes[0]
    again.close()
    assert stored(tmp_path / name) == ["1", "3"]
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".pending")] == []


@PACKED
def test_a_kill_between_member_and_emptying_repeats_no_line(tmp_path: Path, name: str) -> None:
    """What stands in the file already is not taken in a second time, in either file."""

    class NeverEmptied(Disk):
        def truncate(self, descriptor: int, size_bytes: int) -> None:
            if size_bytes:
                super().truncate(descriptor, size_bytes)

    killed = opened(tmp_path, name, disk=NeverEmptied())
    killed.append([product(1), product(2), failure(3)])
    killed.append([product(4)])
    killed.let_go()
    again = opened(tmp_path, name)
    again.append([product(5)])
    again.close()
    assert stored(tmp_path / name) == ["1", "2", "4", "5"]
    assert stored(tmp_path / f"out.failed{name.removeprefix('out')}") == ["3"]


@PACKED
def test_a_torn_pending_line_is_left_out(tmp_path: Path, name: str) -> None:
    """Its ID is simply to be done again."""
    killed = opened(tmp_path, name, sync_interval_s=LONG_S)
    killed.append([product(1), product(2)])
    killed.let_go()
    pending = tmp_path / f".{name}.pending"
    pending.write_bytes(pending.read_bytes()[:-5])
    again = opened(tmp_path, name)
    assert ("1" in again.done, "2" in again.done) == (True, False)
    again.close()


@PACKED
def test_starting_anew_forgets_it(tmp_path: Path, name: str) -> None:
    """`--overwrite` means all of it."""
    killed = opened(tmp_path, name, sync_interval_s=LONG_S)
    killed.append([product(1)])
    killed.let_go()
    opened(tmp_path, name, overwrite=True).close()
    assert stored(tmp_path / name) == []
    assert inspect_output(str(tmp_path / name), None, Reopening())[1].fetched == 0


@PACKED
def test_a_sync_that_fails_takes_nothing_back(tmp_path: Path, name: str) -> None:
    """The members are cut off, but their lines still stand beside the file: the next run has them."""

    class BadSync(Disk):
        def sync(self, descriptor: int) -> None:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    run = opened(tmp_path, name, disk=BadSync())
    with pytest.raises(OutputError):
        run.append([product(1), product(2)])
    assert run.taken_back.fetched == []
    run.let_go()
    again = opened(tmp_path, name)
    assert again.earlier.fetched == 2
    again.close()


def test_a_plain_sync_that_fails_tells_what_is_gone(tmp_path: Path) -> None:
    """The file ends where it was last known to be safe; whoever counted the rest as stored must take it back."""

    class SecondSyncFails(Disk):
        syncs = 0

        def sync(self, descriptor: int) -> None:
            self.syncs += 1
            if self.syncs == 2:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            super().sync(descriptor)

    run = opened(tmp_path, disk=SecondSyncFails())
    run.append([product(1)])
    run._sync_interval_s = LONG_S
    run.append([product(2), product(3)])
    run._sync_interval_s = 0.0
    with pytest.raises(OutputError):
        run.append([product(4)])
    assert run.taken_back.fetched == ["2", "3"]
    assert stored(tmp_path / "out.jsonl") == ["1"]
    run.let_go()


def test_a_full_disk_leaves_whole_lines_beside_the_file(tmp_path: Path) -> None:
    """The batch that did not fit is gone as a whole; the one before stands."""

    class Full(Disk):
        room = 100

        def write(self, descriptor: int, data: bytes | memoryview) -> int:
            if not self.room:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            written = super().write(descriptor, data[: self.room])
            self.room -= written
            return written

    pending = Pending(str(tmp_path / "out.jsonl.gz"), Full())
    pending.append(b"a" * 50 + b"\n")
    with pytest.raises(OSError, match="No space"):
        pending.append(b"b" * 50 + b"\n")
    pending.close()
    assert list(pending.lines()) == [[b"a" * 50]]
