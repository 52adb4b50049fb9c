"""OUT and the failed file together: opened, resumed, appended to, closed. Two files, one lock, no other memory.

An ID stands in one of them, once. OUT wins over the failed file. What is to be tried again leaves the failed file at
the start, before any call: from then on it is simply still to be done, whatever happens.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Final

import msgspec

from fetcher.errors import OutputBusy, OutputError, UsageError
from fetcher.idset import IdSet
from fetcher.model import Outcome
from fetcher.output.attempts import AttemptLog, attempt_files, read_attempts
from fetcher.output.disk import Disk, refused, write_all
from fetcher.output.journal import Held, Journal
from fetcher.output.line import Encoded, encode_all, held_back
from fetcher.output.note import Identity, check_identity, read_note, write_note
from fetcher.output.resume import Earlier, Reopening, Scan, Sorting, fresh, sort_failed, take_in

STDOUT_FAILED: Final = "stdout.failed.jsonl"
_ENDINGS: Final = (".jsonl.gz", ".jsonl.zst", ".jsonl", ".ndjson")
_AS_IT_WAS: Final = Reopening()


def failed_path_of(out: str) -> str:
    """`products.jsonl` → `products.failed.jsonl`, compressed alike."""
    if out == "-":
        return STDOUT_FAILED
    for ending in _ENDINGS:
        if out.endswith(ending):
            return f"{out.removesuffix(ending)}.failed{ending}"
    return f"{out}.failed.jsonl"


class Gone(msgspec.Struct):
    """IDs whose lines were appended since the last sync."""

    fetched: list[str] = []
    failed: list[str] = []


class Output:
    """Made by `open_output`. Not safe for more than one thread at a time."""

    def __init__(
        self, out: Journal | None, failed: Journal, failed_path: str, sync_interval_s: float, disk: Disk
    ) -> None:
        self._out, self._failed, self._disk = out, failed, disk
        self._sync_interval_s = sync_interval_s
        self._synced_at_s = time.monotonic()
        self._since_sync = Gone()
        self._closed = False
        self.failed_path = failed_path
        self.done = IdSet()
        """IDs that need no call: fetched, or failed and not to be tried again."""
        self.earlier = Earlier()
        self.doubts: list[str] = []
        """IDs that an earlier run called and whose answer was not stored: each call may have been charged."""
        self.taken_back = Gone()
        """What was appended and is not in the files, because the disk failed to make it durable: to be done again."""
        self.notes: list[str] = []
        """What was mended, for a person."""

    @property
    def is_stdout(self) -> bool:
        """Products go to standard output, and nothing is remembered."""
        return self._out is None

    @property
    def synced(self) -> bool:
        """All that was appended would survive a power cut."""
        return not any(journal is not None and journal.unsynced for journal in (self._out, self._failed))

    def append(self, outcomes: list[Outcome]) -> None:
        """Write the lines of `outcomes`, in order. Raises what `append_encoded` raises."""
        self.append_encoded(encode_all(outcomes))

    def append_encoded(self, encoded: Encoded) -> None:
        """Write lines that somebody else has made.

        Raises:
            OutputError: the disk refuses, or nobody reads stdout any more. What is in the files is whole lines.
        """
        if encoded.products:
            self._append_products(encoded.products)
        if encoded.failures:
            if not self._failed.is_open:
                _hold(self._failed)
            self._failed.append(encoded.failures)
        if not self.sync_if_due():  # whose failure is this caller's to see: these outcomes were never taken
            self._since_sync.fetched += encoded.fetched
            self._since_sync.failed += encoded.failed

    def _append_products(self, data: bytes) -> None:
        if self._out is not None:
            self._out.append(data)
            return
        try:
            write_all(self._disk, sys.stdout.fileno(), data)
        except BrokenPipeError:
            raise OutputError(
                "nobody reads standard output any more", "give -o a file: then nothing that was paid for is lost"
            ) from None
        except (OSError, ValueError, AttributeError) as error:  # closed: no file, or no descriptor
            why = error if isinstance(error, OSError) else OSError(9, "it is closed")
            raise refused("standard output", why) from None

    def hold(self, wall_ms: int) -> None:
        """Give each doubt a line of the failed file instead of another call. Raises `OutputError`."""
        if self.doubts:
            self.append([held_back(one, wall_ms) for one in self.doubts])
            self.sync()
            for one in self.doubts:
                self.done.add(one)
            self.earlier.failed += len(self.doubts)
            self.earlier.held += len(self.doubts)
            self._forget_attempts()

    @property
    def path(self) -> str | None:
        """Of OUT, links followed; None for standard output."""
        return None if self._out is None else self._out.path

    def open_attempts(self) -> AttemptLog | None:
        """Begin to note calls; None where there is nothing to remember them by. Raises `OutputError`."""
        if self._out is None:
            return None
        log = AttemptLog(self._out.path, self._disk, [one for one in self.doubts if one not in self.done])
        log.start()
        return log

    def _forget_attempts(self) -> None:
        if self._out is not None:
            try:
                for path in attempt_files(self._out.path):
                    self._disk.remove(path)
            except OSError as error:
                raise refused(self._out.path, error) from None

    def sync_if_due(self) -> bool:
        """Sync when something has waited for the interval. True: it was due. Raises `OutputError`."""
        now_s = time.monotonic()
        if now_s - self._synced_at_s < self._sync_interval_s:
            return False
        self.sync()
        self._synced_at_s = now_s
        return True

    def sync(self) -> None:
        """Make everything durable. Raises `OutputError`."""
        for journal in (self._out, self._failed):
            if journal is not None and journal.is_open and journal.unsynced:
                try:
                    journal.sync()
                finally:
                    if journal.cut_back_to_sync and journal is self._out:
                        self.taken_back.fetched = self._since_sync.fetched
                    elif journal.cut_back_to_sync:
                        self.taken_back.failed = self._since_sync.failed
        self._since_sync = Gone()

    def close(self) -> None:
        """Sync and let go. Raises `OutputError`; a second call does nothing."""
        if self._closed:
            return
        self._closed = True
        try:
            self.sync()
            for journal in (self._out, self._failed):
                if journal is not None and journal.is_packed and journal.is_open:
                    journal.pending.remove()
        except OSError as error:
            raise refused(self.failed_path, error) from None
        finally:
            self.let_go()

    def leave(self) -> None:
        """Do nothing more with the files, not even close them: a thread that hangs may still have them in its hands.

        The end of the process lets go of them.
        """
        self._closed = True

    def let_go(self) -> None:
        """Release files and locks and write nothing more: what is in the files stands."""
        self._closed = True
        for journal in (self._out, self._failed):
            if journal is not None:
                journal.close()


def open_output(
    out: str,
    failed: str | None,
    reopening: Reopening = _AS_IT_WAS,
    *,
    identity: Identity,
    sync_interval_s: float = 1.0,
    disk: Disk | None = None,
) -> Output:
    """Open, lock, mend and take in both files, before any call is made.

    Args:
        out: OUT, or `-` for standard output.
        failed: the failed file; None: by OUT's name.
        reopening: what becomes of what earlier runs have left.
        identity: whose OUT this is.
        sync_interval_s: longest time until an appended line is durable.
        disk: for tests.

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
    output = Output(journal, failures, failed, sync_interval_s, disk)
    try:
        if journal is not None:
            _hold(journal)
            _take_in_out(journal, output, reopening, identity)
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


def _hold(journal: Journal) -> None:
    try:
        journal.open()
    except Held:
        by = read_note(journal.path).holder
        raise OutputBusy(
            f"another run holds {journal.path}{by and f' ({by})'}", "wait for it, or give this run another -o"
        ) from None


def _take_in_out(journal: Journal, output: Output, reopening: Reopening, identity: Identity) -> None:
    if reopening.overwrite:
        journal.clear()
    elif not journal.is_empty:
        check_identity(journal.path, identity)
    noted = bool(read_note(journal.path).api)
    output.earlier.fetched = take_in(journal, output.done, output.notes, noted=noted)


def _take_in_failed(failures: Journal, output: Output, reopening: Reopening, *, anew: bool) -> None:
    if not Path(failures.path).exists():
        return
    _hold(failures)
    if anew:
        failures.clear()
        return
    sorting, good_bytes = sort_failed(failures, output.done, reopening)
    failures.cut(good_bytes)
    if failures.recover(lambda line: True):  # what stands there twice or torn, the sorting drops
        sorting, _ = sort_failed(failures, output.done, reopening)
    if sorting.retried or sorting.dropped:
        failures.rewrite(Sorting(output.done, reopening).stays)
    _enter_sorted(sorting, output.done, output.earlier)


def _enter_sorted(sorting: Sorting, done: IdSet, earlier: Earlier) -> None:
    done.update(sorting.seen)
    earlier.failed, earlier.to_retry, earlier.held = len(sorting.seen), sorting.retried, sorting.held


def inspect_output(out: str, failed: str | None, reopening: Reopening = _AS_IT_WAS) -> tuple[IdSet, Earlier]:
    """What `open_output` would find, changing nothing and taking no lock."""
    done, earlier = IdSet(), Earlier()
    if out == "-":
        return done, earlier
    if Path(out).is_file():
        journal = Journal(out, Disk())
        scan = Scan(journal)
        scan.into(done)
        earlier.fetched = scan.lines - scan.bad
        if journal.is_packed:
            is_fresh = fresh(done)
            earlier.fetched += sum(is_fresh(line) for lines in journal.pending.lines() for line in lines)
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
