"""The attempt journal: what was called and has no stored answer is known after any end."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fetcher.errors import OutputError
from fetcher.output import Reopening
from fetcher.output.attempts import LONGEST_BYTES, AttemptLog, read_attempts
from fetcher.output.disk import Disk
from tests.output.files import failure, opened, product, stored


def started(folder: Path, *doubtful: str, disk: Disk | None = None) -> AttemptLog:
    log = AttemptLog(str(folder / "out.jsonl"), disk or Disk(), doubtful)
    log.start()
    return log


def left(folder: Path) -> list[str]:
    return read_attempts(str(folder / "out.jsonl"))


def test_what_was_called_and_not_answered_is_found(tmp_path: Path) -> None:
    """Noted before the call; an answer that is not stored takes the note back with the next one."""
    log = started(tmp_path)
    log.calls(["1", "2", "3"])
    assert left(tmp_path) == ["1", "2", "3"]
    log.answered("2")
    log.calls(["4"])
    assert left(tmp_path) == ["1", "3", "4"]


def test_an_id_that_is_called_again_is_open_again(tmp_path: Path) -> None:
    """Over the rate, then called once more."""
    log = started(tmp_path)
    log.calls(["1"])
    log.answered("1")
    log.calls(["1"])
    assert left(tmp_path) == ["1"]


def test_when_all_is_stored_the_file_goes(tmp_path: Path) -> None:
    """And stays, with what is open, when something is."""
    log = started(tmp_path)
    log.calls(["1", "2"])
    log.stored(["1"])
    log.close()
    assert left(tmp_path) == ["2"]
    log = started(tmp_path, "2")
    log.calls(["2"])
    log.stored(["2"])
    log.close()
    assert list(tmp_path.iterdir()) == []


def test_a_torn_note_is_none(tmp_path: Path) -> None:
    """Killed within the write: none of its calls had left."""
    log = started(tmp_path)
    log.calls(["610000000001", "610000000002"])
    path = tmp_path / ".out.jsonl.attempts"
    for cut in range(1, 14):
        path.write_bytes(path.read_bytes()[:-1])
        assert left(tmp_path) == ["610000000001"], cut


def test_it_holds_what_is_open_not_the_history(tmp_path: Path) -> None:
    """After many calls the file is no longer than its limit and a note."""
    log = started(tmp_path)
    for start in range(0, 300_000, 1000):
        ids = [str(610_000_000_000 + k) for k in range(start, start + 1000)]
        log.calls(ids)
        log.stored(ids[:-1] if start == 5000 else ids)
    assert (tmp_path / ".out.jsonl.attempts").stat().st_size < LONGEST_BYTES + 20_000
    assert "610000005999" in left(tmp_path)
    assert log.open == {"610000005999"}


def test_a_disk_that_refuses_forbids_the_calls(tmp_path: Path) -> None:
    """What cannot be noted must not be called."""

    class Full(Disk):
        full = False

        def write(self, descriptor: int, data: bytes | memoryview) -> int:
            if self.full:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return super().write(descriptor, data)

    disk = Full()
    log = started(tmp_path, disk=disk)
    log.calls(["1"])
    disk.full = True
    with pytest.raises(OutputError, match="No space"):
        log.calls(["2"])
    log.close()
    assert left(tmp_path) == ["1"]


def test_doubts_are_what_stands_in_neither_file(tmp_path: Path) -> None:
    """A killed run's notes less what it stored."""
    run = opened(tmp_path)
    log = run.open_attempts()
    assert log is not None
    log.calls(["1", "2", "3"])
    run.append([product(1), failure(2)])
    run.let_go()
    again = opened(tmp_path)
    assert again.doubts == ["3"]
    assert "3" not in again.done
    again.close()


def test_held_doubts_are_failures_until_they_are_let_go(tmp_path: Path) -> None:
    """`hold` writes them down instead of calling them again; it lasts until `retry`, and leaves no other trace."""
    run = opened(tmp_path)
    log = run.open_attempts()
    assert log is not None
    log.calls(["7"])
    run.let_go()
    for time in (1, 2):
        holding = opened(tmp_path, reopening=Reopening(hold_doubts=True))
        assert holding.doubts == (["7"] if time == 1 else [])
        holding.hold(0)
        assert "7" in holding.done and holding.earlier.held == 1
        holding.close()
    assert stored(tmp_path / "out.failed.jsonl") == ["7"]
    assert not (tmp_path / ".out.jsonl.attempts").exists()
    retrying = opened(tmp_path)
    assert "7" not in retrying.done and retrying.earlier.to_retry == 1
    retrying.close()
    assert stored(tmp_path / "out.failed.jsonl") == []


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["calls", "answered", "stored", "kill"]), st.sets(st.integers(1, 12), max_size=4)),
        max_size=30,
    )
)
def test_against_a_model(tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, set[int]]]) -> None:
    """After any steps and any kill, what is open is found: nothing is forgotten but what was answered or stored."""
    folder = tmp_path_factory.mktemp("notes")
    log, model, stored_ids = started(folder), set[str](), set[str]()
    for what, numbers in steps:
        ids = {str(number) for number in numbers}
        if what == "calls":
            log.calls(sorted(ids))
            model |= ids
            stored_ids -= ids
        elif what == "answered":
            for one in ids:
                log.answered(one)
            model -= ids
        elif what == "stored":
            log.stored(ids)
            stored_ids |= ids & model
            model -= ids
        else:
            found = set(left(folder)) - stored_ids
            assert model <= found
            log = started(folder, *found)
            model = found
    assert log.open == model
