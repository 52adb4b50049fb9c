"""OUT and the failed file together: opened, resumed, appended to, closed. Two files, one lock, no other memory.

An ID stands in one of them, once. OUT wins over the failed file. What is to be tried again leaves the failed file at
the start, before any call: from then on it is simply still to be done, whatever happens.
"""

from __future__ import annotations

import sys
import time

import msgspec

from fetcher.errors import OutputBusy, OutputError
from fetcher.idset import IdSet
from fetcher.model import Kind, Outcome
from fetcher.output.attempts import AttemptLog, attempt_files
from fetcher.output.compress import lines_in
from fetcher.output.disk import Disk, refused, write_all
from fetcher.output.journal import Held, Journal
from fetcher.output.line import Encoded, encode_all, head_id, held_back, kind_of
from fetcher.output.note import Identity, read_note, write_note
from fetcher.output.resume import Earlier
from fetcher.output.treatment import Treatment


class Gone(msgspec.Struct):
    """IDs whose lines were appended since the last sync."""

    fetched: list[str] = []
    failed: list[str] = []
    unchanged: list[str] = []
    """Fetched, and the same as before: a slim line."""


class Output:
    """Made by `open_output`. Not safe for more than one thread at a time."""

    def __init__(
        self,
        out: Journal | None,
        failed: Journal,
        unchanged: Journal | None,
        failed_path: str,
        sync_interval_s: float,
        disk: Disk,
        treatment: Treatment | None = None,
    ) -> None:
        self._out, self._failed, self._unchanged, self._disk = out, failed, unchanged, disk
        self._treatment = treatment
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
        return not any(journal.unsynced for journal in self._journals())

    def _journals(self) -> list[Journal]:
        return [journal for journal in (self._unchanged, self._out, self._failed) if journal is not None]

    def append(self, outcomes: list[Outcome]) -> None:
        """Write the lines of `outcomes`, in order. Raises what `append_encoded` raises."""
        self.append_encoded(encode_all(outcomes))

    def append_encoded(self, encoded: Encoded) -> None:
        """Write lines that somebody else has made.

        Raises:
            OutputError: the disk refuses, or nobody reads stdout any more. What is in the files is whole lines.
            InputError, Defect: see `Treatment.treat`.
        """
        products, same_ids = encoded.products, frozenset[str]()
        if products and self._treatment is not None:
            sorting = self._treatment.treat(products, encoded.sizes_bytes)
            products, same_ids = sorting.out, sorting.same_ids
            if sorting.unchanged and self._unchanged is not None:
                _append(self._unchanged, sorting.unchanged)
        if products:
            self._append_products(products)
        if encoded.failures:
            _append(self._failed, encoded.failures)
        if not self.sync_if_due():  # whose failure is this caller's to see: these outcomes were never taken
            self._since_sync.fetched += [one for one in encoded.fetched if one not in same_ids]
            self._since_sync.unchanged += same_ids
            self._since_sync.failed += encoded.failed

    def _append_products(self, data: bytes | memoryview) -> None:
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

    def forget_corrected(self, bad_ids: IdSet) -> int:
        """Take out what an earlier run has said of lines of the input that have been corrected since.

        They are kept aside in `PATH.corrected`. Call it when the whole input was read and this is closed.

        Args:
            bad_ids: what is no ID in the input as it is now.

        Returns:
            How many they are.

        Raises:
            OutputError: the disk refuses, or another run has begun meanwhile.
        """
        if not self.earlier.bad:
            return 0
        gone: list[bytes] = []

        def stays(line: bytes) -> bool:
            return kind_of(line) != Kind.BAD_ID or (found := head_id(line)) is None or found in bad_ids

        for region, _ in self._failed.regions():
            gone += [line + b"\n" for line in lines_in(region) if not stays(line)]
        if gone:
            hold_journal(self._failed)
            try:
                self._failed.rewrite(stays, lambda: self._failed.keep_aside("corrected", b"".join(gone)))
            finally:
                self._failed.close()
            self.earlier.failed -= len(gone)
        return len(gone)

    def remember_fresh(self, identity: Identity, skip_fresh_s: float, since_ms: int) -> None:
        """Note what this run passes over as fetched lately, for when it goes on. Raises `OutputError`."""
        if self._out is not None:
            write_note(self._out.path, identity, self._disk, fresh=(skip_fresh_s, since_ms))

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
        for journal in self._journals():
            if journal.is_open and journal.unsynced:
                try:
                    journal.sync()
                finally:
                    if journal.cut_back_to_sync:
                        self._take_back(journal)
        self._since_sync = Gone()

    def _take_back(self, journal: Journal) -> None:
        gone, back = self._since_sync, self.taken_back
        if journal is self._failed:
            back.failed = gone.failed
        elif journal is self._out:
            back.fetched = gone.fetched
        else:
            back.unchanged = gone.unchanged

    def close(self) -> None:
        """Sync and let go. Raises `OutputError`; a second call does nothing."""
        if self._closed:
            return
        self._closed = True
        try:
            self.sync()
            for journal in self._journals():
                if journal.is_packed and journal.is_open:
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
        for journal in self._journals():
            journal.close()


def _append(journal: Journal, data: bytes) -> None:
    """To a file that is made when it is first needed."""
    if not journal.is_open:
        hold_journal(journal)
    journal.append(data)


def hold_journal(journal: Journal) -> None:
    """Create and lock it. Raises `OutputBusy` when another run has it, else what `Journal.open` raises."""
    try:
        journal.open()
    except Held:
        by = read_note(journal.path).holder
        raise OutputBusy(
            f"another run holds {journal.path}{by and f' ({by})'}", "wait for it, or give this run another -o"
        ) from None
