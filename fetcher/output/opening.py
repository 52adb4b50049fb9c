"""OUT and the files beside it opened: paths, locks, what earlier runs have left. What is then done is `Output`'s."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from fetcher.errors import UsageError
from fetcher.idset import IdSet
from fetcher.output.attempts import read_attempts
from fetcher.output.disk import Disk
from fetcher.output.journal import Journal
from fetcher.output.note import Identity, check_identity, read_note, write_note
from fetcher.output.output import Output, hold_journal
from fetcher.output.resume import Earlier, Reopening, Scan, Sorting, fresh, sort_failed, take_in
from fetcher.output.treatment import Treatment

STDOUT_FAILED: Final = "stdout.failed.jsonl"
_ENDINGS: Final = (".jsonl.gz", ".jsonl.zst", ".jsonl", ".ndjson")
_AS_IT_WAS: Final = Reopening()


def failed_path_of(out: str) -> str:
    """`products.jsonl` → `products.failed.jsonl`, compressed alike."""
    return STDOUT_FAILED if out == "-" else _sibling(out, "failed")


def unchanged_path_of(out: str) -> str:
    """`products.jsonl` → `products.unchanged.jsonl`, compressed alike."""
    return _sibling(out, "unchanged")


def _sibling(out: str, what: str) -> str:
    for ending in _ENDINGS:
        if out.endswith(ending):
            return f"{out.removesuffix(ending)}.{what}{ending}"
    return f"{out}.{what}.jsonl"


def open_output(
    out: str,
    failed: str | None,
    reopening: Reopening = _AS_IT_WAS,
    *,
    identity: Identity,
    sync_interval_s: float = 1.0,
    disk: Disk | None = None,
    treatment: Treatment | None = None,
) -> Output:
    """Open, lock, mend and take in the files, before any call is made.

    Args:
        out: OUT, or `-` for standard output.
        failed: the failed file; None: by OUT's name.
        reopening: what becomes of what earlier runs have left.
        identity: whose OUT this is.
        sync_interval_s: longest time until an appended line is durable.
        disk: for tests.
        treatment: what becomes of products on their way.

    Raises:
        UsageError: a path makes no sense. OutputMismatch: OUT belongs to something else.
        OutputBusy: another run holds it. OutputError: it cannot be written.
    """
    disk = disk or Disk()
    failed = failed or failed_path_of(out)
    if out != "-" and os.path.realpath(out) == os.path.realpath(failed):
        raise UsageError("OUT and the failed file are the same file", "choose another --failed")
    journal = None if out == "-" else Journal(out, disk)
    failures = Journal(failed, disk)
    unchanged = None if out == "-" else Journal(unchanged_path_of(out), disk)
    output = Output(journal, failures, unchanged, failed, sync_interval_s, disk, treatment)
    try:
        if journal is not None:
            _not_compared_with_itself(journal.path, treatment)
            hold_journal(journal)
            _take_in_out(journal, output, reopening, identity)
        if unchanged is not None:
            _take_in_unchanged(unchanged, output, reopening)
        _take_in_failed(failures, output, reopening, anew=reopening.overwrite or journal is None)
        if journal is not None:
            if not reopening.overwrite:
                output.doubts = [one for one in read_attempts(journal.path) if one not in output.done]
            if not output.doubts:
                output._forget_attempts()
            write_note(journal.path, identity, disk)
    except BaseException:
        output.let_go()
        raise
    return output


def _take_in_out(journal: Journal, output: Output, reopening: Reopening, identity: Identity) -> None:
    if reopening.overwrite:
        journal.clear()
    elif not journal.is_empty:
        check_identity(journal.path, identity)
    noted = bool(read_note(journal.path).api)
    output.earlier.fetched = take_in(journal, output.done, output.notes, noted=noted)


def _not_compared_with_itself(path: str, treatment: Treatment | None) -> None:
    comparison = None if treatment is None else treatment.comparison
    if comparison is not None and path in map(os.path.realpath, comparison.paths):
        raise UsageError(f"{path} is to be compared with itself", "give the new products another file with -o")


def _take_in_unchanged(journal: Journal, output: Output, reopening: Reopening) -> None:
    """What an earlier run found the same is done, whatever this one is asked to write."""
    if not Path(journal.path).exists():
        return
    hold_journal(journal)
    if reopening.overwrite:
        journal.clear()
        return
    ids = IdSet()
    output.earlier.unchanged = take_in(journal, ids, output.notes, noted=True)
    output.done.update(ids)


def _take_in_failed(failures: Journal, output: Output, reopening: Reopening, *, anew: bool) -> None:
    if not Path(failures.path).exists():
        return
    hold_journal(failures)
    if anew:
        failures.clear()
        return
    sorting, good_bytes = sort_failed(failures, output.done, reopening)
    failures.cut(good_bytes)
    failures.recover(sorting.stays)
    if sorting.retried or sorting.dropped:
        failures.rewrite(Sorting(output.done, reopening).stays)
    _enter_sorted(sorting, output.done, output.earlier)


def _enter_sorted(sorting: Sorting, done: IdSet, earlier: Earlier) -> None:
    done.update(sorting.seen)
    earlier.failed, earlier.to_retry = len(sorting.seen), sorting.retried
    earlier.held, earlier.bad = sorting.held, sorting.bad


def _count_pending(journal: Journal, done: IdSet) -> int:
    """Enter what a killed run left on its way into a member. Returns how many IDs."""
    if not journal.is_packed:
        return 0
    is_fresh = fresh(done)
    return sum(is_fresh(line) for lines in journal.pending.lines() for line in lines)


def inspect_output(out: str, failed: str | None, reopening: Reopening = _AS_IT_WAS) -> tuple[IdSet, Earlier]:
    """What `open_output` would find, changing nothing and taking no lock."""
    done, earlier = IdSet(), Earlier()
    if out == "-":
        return done, earlier
    if Path(out).is_file():
        journal = Journal(out, Disk())
        scan = Scan(journal)
        scan.into(done)
        earlier.fetched = scan.lines - scan.bad + _count_pending(journal, done)
    if Path(unchanged_path_of(out)).is_file():
        journal = Journal(unchanged_path_of(out), Disk())
        before = len(done)
        Scan(journal).into(done)
        _count_pending(journal, done)
        earlier.unchanged = len(done) - before
    path = failed or failed_path_of(out)
    if Path(path).is_file():
        journal = Journal(path, Disk())
        sorting, _ = sort_failed(journal, done, reopening)
        if journal.is_packed:
            for lines in journal.pending.lines():
                for line in lines:
                    sorting.stays(line)
        _enter_sorted(sorting, done, earlier)
    return done, earlier
