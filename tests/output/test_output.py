"""Both files together: resume, mending, refusals of the disk, and a kill at every operation."""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fetcher.errors import OutputBusy, OutputError, OutputMismatch, UsageError
from fetcher.idset import IdSet
from fetcher.model import ErrorInfo, Failure, Kind, Outcome
from fetcher.output import Identity, Reopening, failed_path_of, inspect_output, open_output, verify_output
from fetcher.output.disk import Disk
from tests.output.files import IDENTITY, NAMES, failure, opened, product, stored


@pytest.mark.parametrize(
    ("out", "failed"),
    [
        ("products.jsonl", "products.failed.jsonl"),
        ("a/p.jsonl.gz", "a/p.failed.jsonl.gz"),
        ("p.jsonl.zst", "p.failed.jsonl.zst"),
        ("p.txt", "p.txt.failed.jsonl"),
    ],
)
def test_where_failures_go(out: str, failed: str) -> None:
    """By the name of OUT."""
    assert failed_path_of(out) == failed


@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.gz", "out.jsonl.zst"])
def test_a_second_run_finds_what_the_first_has_done(tmp_path: Path, name: str) -> None:
    """Products and lasting failures are done; passing failures leave the file and are to be done again."""
    first = opened(tmp_path, name)
    first.append([product(1), failure(2), product(3), failure(4, permanent=False)])
    first.append([product(5)])
    first.close()
    second = opened(tmp_path, name)
    assert [number for number in range(1, 7) if str(number) in second.done] == [1, 2, 3, 5]
    assert (second.earlier.fetched, second.earlier.failed, second.earlier.to_retry) == (3, 1, 1)
    second.append([product(4), product(6)])
    second.close()
    assert stored(tmp_path / name) == ["1", "3", "5", "4", "6"]
    assert stored(Path(failed_path_of(str(tmp_path / name)))) == ["2"]


@pytest.mark.parametrize(("retry", "done"), [("transient", {"2"}), ("all", set()), ("none", {"2", "4"})])
def test_which_failures_are_tried_again(tmp_path: Path, retry: str, done: set[str]) -> None:
    """`--retry-failed`; a look without opening finds the same and changes nothing."""
    first = opened(tmp_path)
    first.append([failure(2), failure(4, permanent=False)])
    first.close()
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    seen, earlier = inspect_output(str(tmp_path / "out.jsonl"), None, Reopening(retry_failed=retry))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    second = opened(tmp_path, retry_failed=retry)
    assert {each for each in ("2", "4") if each in second.done} == done
    assert {each for each in ("2", "4") if each in seen} == done
    assert earlier == second.earlier
    second.close()


@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.gz", "out.jsonl.zst"])
def test_a_torn_first_record_is_cut_too(tmp_path: Path, name: str) -> None:
    """Killed within the very first write: the file is still ours."""
    run = opened(tmp_path, name)
    run.append([product(1)])
    run.close()
    path = tmp_path / name
    data = path.read_bytes()
    for length in (1, 5, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:length])
        opened(tmp_path, name).close()
        assert path.read_bytes() == b""


@pytest.mark.untraced
@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.gz", "out.jsonl.zst"])
def test_a_torn_tail_is_cut_wherever_it_tears(tmp_path: Path, name: str) -> None:
    """At every byte of the last three records: what is whole stays, the rest is kept aside, nothing is lost."""
    run = opened(tmp_path, name)
    run.append([product(1), product(2)])
    for number in (3, 4, 5):
        run.append([product(number)])
    run.close()
    path = tmp_path / name
    data = path.read_bytes()
    for length in range(len(data) - (len(data) * 3 // 5), len(data)):
        path.write_bytes(data[:length])
        again = opened(tmp_path, name)
        again.append([product(number) for number in range(1, 6) if str(number) not in again.done])
        again.close()
        assert sorted(stored(path)) == ["1", "2", "3", "4", "5"]
        assert data.startswith(path.read_bytes()[: min(length, 40)])
    assert stat.S_IMODE((tmp_path / f"{name}.torn").stat().st_mode) == 0o600


def test_bad_lines_in_the_middle_are_taken_out_and_kept_aside(tmp_path: Path) -> None:
    """Never silently: a note names the file in which they are."""
    run = opened(tmp_path)
    run.append([product(1), product(2)])
    run.close()
    path = tmp_path / "out.jsonl"
    first, second = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first + b"garbage\n" + second + first)
    again = opened(tmp_path)
    again.close()
    assert path.read_bytes() == first + second
    assert (tmp_path / "out.jsonl.bad").read_bytes() == b"garbage\n" + first
    assert "out.jsonl.bad" in again.notes[0]


def test_out_wins_over_the_failed_file(tmp_path: Path) -> None:
    """An ID that stands in both is fetched."""
    run = opened(tmp_path)
    run.append([product(1), failure(1), failure(2)])
    run.close()
    opened(tmp_path).close()
    assert stored(tmp_path / "out.failed.jsonl") == ["2"]


def test_a_finished_job_opened_again_changes_no_byte(tmp_path: Path) -> None:
    """Neither OUT nor the failed file, nor their times of change."""
    run = opened(tmp_path)
    run.append([product(1), failure(2)])
    run.close()
    files = [tmp_path / "out.jsonl", tmp_path / "out.failed.jsonl"]
    before = [(path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino) for path in files]
    opened(tmp_path).close()
    assert [(path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino) for path in files] == before


def test_another_run_is_named(tmp_path: Path) -> None:
    """Who holds it: process, host, since when; a holder that is gone is no obstacle."""
    holder = opened(tmp_path)
    with pytest.raises(OutputBusy, match=str(os.getpid())):
        opened(tmp_path)
    holder.close()
    opened(tmp_path).close()


@pytest.mark.parametrize(
    "other",
    [
        Identity("1/other/api", IDENTITY.protocol, IDENTITY.gateway),
        Identity(IDENTITY.api, "guide", IDENTITY.gateway),
        Identity(IDENTITY.api, IDENTITY.protocol, "https://elsewhere/openapi"),
    ],
)
def test_out_of_another_run_is_refused(tmp_path: Path, other: Identity) -> None:
    """Answers of different APIs do not go into one file, unless it is begun anew."""
    run = opened(tmp_path)
    run.append([product(1)])
    run.close()
    with pytest.raises(OutputMismatch):
        opened(tmp_path, identity=other)
    opened(tmp_path, identity=other, overwrite=True).close()
    assert stored(tmp_path / "out.jsonl") == []


def test_losing_the_note_costs_nothing(tmp_path: Path) -> None:
    """The file beside OUT may vanish."""
    run = opened(tmp_path)
    run.append([product(1)])
    run.close()
    (tmp_path / ".out.jsonl.run").unlink()
    again = opened(tmp_path)
    assert "1" in again.done
    again.close()


def test_what_is_not_ours_is_refused(tmp_path: Path) -> None:
    """A file without one line of ours is not touched."""
    path = tmp_path / "out.jsonl"
    path.write_text("dear diary\n")
    with pytest.raises(OutputMismatch):
        opened(tmp_path)
    assert path.read_text() == "dear diary\n"


def test_paths_that_make_no_sense(tmp_path: Path) -> None:
    """A folder, a missing folder, twice the same file: a sentence before anything is sent."""
    (tmp_path / "folder").mkdir()
    with pytest.raises(UsageError):
        opened(tmp_path, "folder")
    with pytest.raises(UsageError, match="no folder"):
        opened(tmp_path, "missing/out.jsonl")
    with pytest.raises(UsageError, match="same file"):
        open_output(str(tmp_path / "a"), str(tmp_path / "a"), identity=IDENTITY)


def test_a_link_is_followed(tmp_path: Path) -> None:
    """OUT stays a link, and its target is written."""
    target = tmp_path / "real.jsonl"
    (tmp_path / "out.jsonl").symlink_to(target)
    run = opened(tmp_path)
    run.append([product(1), failure(2, permanent=False)])
    run.close()
    opened(tmp_path).close()
    assert (tmp_path / "out.jsonl").is_symlink()
    assert stored(target) == ["1"]


class Faulty(Disk):
    """A disk whose k-th operation goes wrong in the way that the test says."""

    def __init__(self, at: int, fault: Callable[[str], BaseException], *, short: bool = False) -> None:
        self._left, self._fault, self._short = at, fault, short

    def _count(self, what: str) -> None:
        self._left -= 1
        if self._left == 0:
            raise self._fault(what)

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        self._left -= 1
        if self._left == 0:
            super().write(descriptor, data[: len(data) // 2])
            raise self._fault("write")
        return super().write(descriptor, data[: max(1, len(data) // 3)] if self._short else data)

    def open(self, path: str, flags: int, mode: int = 0o666) -> int:
        self._count("open")
        return super().open(path, flags, mode)

    def sync(self, descriptor: int) -> None:
        self._count("sync")
        super().sync(descriptor)

    def truncate(self, descriptor: int, size_bytes: int) -> None:
        self._count("truncate")
        super().truncate(descriptor, size_bytes)

    def replace(self, source: str, target: str) -> None:
        self._count("replace")
        super().replace(source, target)

    def remove(self, path: str) -> None:
        self._count("remove")
        super().remove(path)


class Killed(BaseException):
    """As if by `kill -9`: nothing after it is carried out."""


def work(folder: Path, name: str, disk: Disk, outcomes: list[Outcome]) -> None:
    """A run that does what is still to be done, a batch at a time."""
    run = opened(folder, name, disk=disk)
    try:
        todo = [one for one in outcomes if one.id not in run.done]
        for start in range(0, len(todo), 3):
            run.append(todo[start : start + 3])
        run.close()
    finally:
        for journal in (run._out, run._failed):  # a dead process holds no lock
            if journal is not None:
                journal.close()


@pytest.mark.untraced
@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.gz", "out.jsonl.zst"])
def test_killed_at_every_operation_every_id_stands_once(tmp_path: Path, name: str) -> None:
    """Open, write, sync, truncate, rename, in the first run and while mending: the next run gets there."""
    first: list[Outcome] = [product(k) if k % 3 else failure(k, permanent=k % 2 == 0) for k in range(1, 13)]
    better: list[Outcome] = [product(k) if k % 6 else failure(k) for k in range(1, 13)]
    for at in range(1, 40):
        folder = tmp_path / f"{name}-{at}"
        folder.mkdir()
        for outcomes, kill_at in ((first, at), (better, at), (better, at // 2 + 1)):
            with suppress(Killed):
                work(folder, name, Faulty(kill_at, lambda _: Killed()), outcomes)
        work(folder, name, Disk(), better)
        both = stored(folder / name) + stored(Path(failed_path_of(str(folder / name))))
        assert sorted(both, key=int) == [str(k) for k in range(1, 13)], at
        assert verify_output(str(folder / name), None, [str(k) for k in range(1, 13)]).ok


@pytest.mark.untraced
@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO, errno.EFBIG, errno.EDQUOT])
@pytest.mark.parametrize("at", range(1, 14))
def test_a_disk_that_refuses_loses_nothing_silently(tmp_path: Path, error: int, at: int) -> None:
    """Whichever operation fails: an `OutputError`, a file that ends on a record, and a resume that completes."""
    outcomes: list[Outcome] = [product(k) if k % 4 else failure(k) for k in range(1, 10)]
    try:
        work(tmp_path, "out.jsonl", Faulty(at, lambda _: OSError(error, os.strerror(error))), outcomes)
    except OutputError as raised:
        assert raised.exit_code == 6
        assert raised.advice
    for path in (tmp_path / "out.jsonl", tmp_path / "out.failed.jsonl"):
        assert not path.exists() or path.read_bytes()[-1:] in (b"", b"\n")
    work(tmp_path, "out.jsonl", Disk(), outcomes)
    assert verify_output(str(tmp_path / "out.jsonl"), None, [str(k) for k in range(1, 10)]).ok


def test_after_a_refusal_nothing_more_is_written(tmp_path: Path) -> None:
    """The kernel may have dropped pages: a second attempt would build on sand."""
    run = opened(tmp_path, disk=Faulty(7, lambda _: OSError(errno.EIO, "no")))
    with pytest.raises(OutputError):
        for number in range(1, 9):
            run.append([product(number)])
    with pytest.raises(OutputError):
        run.append([product(100)])
    assert "100" not in stored(tmp_path / "out.jsonl")
    run.close()


def test_short_writes_lose_nothing(tmp_path: Path) -> None:
    """A system call may write a third of what it is given."""
    work(tmp_path, "out.jsonl", Faulty(-1, lambda _: Killed(), short=True), [product(k) for k in range(1, 20)])
    assert stored(tmp_path / "out.jsonl") == [str(k) for k in range(1, 20)]


def test_an_output_that_is_replaced_meanwhile_is_noticed(tmp_path: Path) -> None:
    """Writing on into a file that nobody can find would be lost work."""
    run = opened(tmp_path)
    run.append([product(1)])
    (tmp_path / "out.jsonl").unlink()
    with pytest.raises(OutputError, match="replaced or removed"):
        run.append([product(2)])


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 30), st.sampled_from(["ok", "lasting", "passing"]), st.booleans()), max_size=40)
)
def test_resume_against_a_model(tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, str, bool]]) -> None:
    """Any mixture of outcomes and restarts: the files hold what a dictionary would."""
    folder = tmp_path_factory.mktemp("model")
    model: dict[str, str] = {}
    run = opened(folder)
    for number, what, restart in steps:
        if str(number) not in run.done and str(number) not in model:
            run.append([product(number) if what == "ok" else failure(number, permanent=what == "lasting")])
            model[str(number)] = what
        if restart:
            run.close()
            run = opened(folder)
            model = {each: was for each, was in model.items() if was != "passing"}
            assert all(each in run.done for each in model)
            assert len(run.done) == len(model)
    run.close()
    assert sorted(stored(folder / "out.jsonl")) == sorted(each for each, was in model.items() if was == "ok")
    assert sorted(stored(folder / "out.failed.jsonl")) == sorted(each for each, was in model.items() if was != "ok")


def test_verify_names_what_is_wrong(tmp_path: Path) -> None:
    """Missing, twice, foreign, torn."""
    run = opened(tmp_path)
    run.append([product(1), product(2), failure(2), failure(3), product(9)])
    run.close()
    with open(tmp_path / "out.jsonl", "ab") as file:
        file.write(b'{"id":"5"')
    proof = verify_output(str(tmp_path / "out.jsonl"), None, ["1", "2", "3", "4", "1"])
    assert (proof.ids, proof.missing, proof.twice, proof.foreign, proof.torn) == (4, 1, 1, 1, 1)
    assert (proof.some_missing, proof.some_twice) == (["4"], ["2"])
    assert not proof.ok


@pytest.mark.parametrize("name", NAMES)
def test_what_was_said_of_lines_that_have_been_corrected_goes(tmp_path: Path, name: str) -> None:
    """Aside, once the input has been read whole; lines that are as bad as before stay, to the byte."""
    bad = [Failure(one, 0, 0, 0.0, ErrorInfo(Kind.BAD_ID, "not_digits", "no", None, True)) for one in ("abc", "xyz")]
    with closing(opened(tmp_path, name)) as output:
        output.append([product(1), *bad, failure(2)])
    failed = Path(failed_path_of(str(tmp_path / name)))
    before = failed.read_bytes()
    for now_bad, left in ((("abc", "xyz"), ["abc", "xyz", "2"]), (("xyz",), ["xyz", "2"]), ((), ["2"])):
        output, ids = opened(tmp_path, name), IdSet()
        for one in now_bad:
            ids.add(one)
        output.close()
        assert output.forget_corrected(ids) == (0 if len(now_bad) == 2 else 1)
        assert stored(failed) == left and output.earlier.failed == len(left)
        if len(now_bad) == 2:
            assert failed.read_bytes() == before
    aside = Path(f"{failed}.corrected").read_bytes().splitlines()
    assert [json.loads(line)["id"] for line in aside] == ["abc", "xyz"]
