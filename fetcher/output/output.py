"""OUT and the failed file together: opened, resumed, appended to, closed. Two files, one lock, no other memory.

An ID stands in one of them, once. OUT wins over the failed file. What is to be tried again leaves the failed file at
the start, before any call: from then on it is simply still to be done, whatever happens.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from pathlib import Path
from typing import Final

import msgspec

from fetcher.errors import OutputBusy, OutputError, OutputMismatch, UsageError
from fetcher.idset import IdSet
from fetcher.model import Outcome, Product
from fetcher.output.disk import Disk, write_all
from fetcher.output.journal import Held, Journal, refused
from fetcher.output.line import encode
from fetcher.output.resume import Earlier, Sorting, sort_failed, take_in

STDOUT_FAILED: Final = "stdout.failed.jsonl"
_ENDINGS: Final = (".jsonl.gz", ".jsonl.zst", ".jsonl", ".ndjson")


class Identity(msgspec.Struct, frozen=True):
    """Which run OUT belongs to: answers of different APIs do not go into one file."""

    api: str
    protocol: str
    gateway: str


class _Note(msgspec.Struct):
    """The file beside OUT: whose it is and who holds it. It may be lost without harm."""

    api: str = ""
    protocol: str = ""
    gateway: str = ""
    pid: int = 0
    host: str = ""
    since: str = ""


def failed_path_of(out: str) -> str:
    """`products.jsonl` → `products.failed.jsonl`, compressed alike."""
    if out == "-":
        return STDOUT_FAILED
    for ending in _ENDINGS:
        if out.endswith(ending):
            return f"{out.removesuffix(ending)}.failed{ending}"
    return f"{out}.failed.jsonl"


class Output:
    """Made by `open_output`. Not safe for more than one thread at a time."""

    def __init__(
        self, out: Journal | None, failed: Journal, failed_path: str, sync_interval_s: float, disk: Disk
    ) -> None:
        self._out, self._failed, self._disk = out, failed, disk
        self._sync_interval_s = sync_interval_s
        self._synced_at_s = time.monotonic()
        self._closed = False
        self.failed_path = failed_path
        self.done = IdSet()
        """IDs that need no call: fetched, or failed and not to be tried again."""
        self.earlier = Earlier()
        self.notes: list[str] = []
        """What was mended, for a person."""

    def append(self, outcomes: list[Outcome]) -> None:
        """Write the lines of `outcomes`, in order.

        Raises:
            OutputError: the disk refuses, or nobody reads stdout any more. What is in the files is whole lines.
        """
        products = b"".join([encode(one) for one in outcomes if isinstance(one, Product)])
        failures = b"".join([encode(one) for one in outcomes if not isinstance(one, Product)])
        if products:
            self._append_products(products)
        if failures:
            if not self._failed.is_open:
                self._failed.open()
            self._failed.append(failures)
        self.sync_if_due()

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
        except OSError as error:
            raise refused("standard output", error) from None

    def sync_if_due(self) -> None:
        """Sync when something has waited for the interval."""
        now_s = time.monotonic()
        if now_s - self._synced_at_s >= self._sync_interval_s:
            self.sync()
            self._synced_at_s = now_s

    def sync(self) -> None:
        """Make everything durable. Raises `OutputError`."""
        for journal in (self._out, self._failed):
            if journal is not None and journal.is_open and journal.unsynced:
                journal.sync()

    def close(self) -> None:
        """Sync and let go. Raises `OutputError`; a second call does nothing."""
        if self._closed:
            return
        self._closed = True
        try:
            self.sync()
        finally:
            for journal in (self._out, self._failed):
                if journal is not None:
                    journal.close()


def open_output(
    out: str,
    failed: str | None,
    *,
    overwrite: bool = False,
    retry_failed: str = "transient",
    identity: Identity,
    sync_interval_s: float = 1.0,
    disk: Disk | None = None,
) -> Output:
    """Open, lock, mend and take in both files, before any call is made.

    Args:
        out: OUT, or `-` for standard output.
        failed: the failed file; None: by OUT's name.
        overwrite: start anew.
        retry_failed: `transient`, `all` or `none`: which earlier failures go back to be done.
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
            _check_identity(journal, identity, overwrite)
            if overwrite:
                journal.clear()
            output.earlier.fetched = take_in(
                journal, output.done, output.notes, noted=bool(_read_note(journal.path).api)
            )
        _take_in_failed(failures, output, retry_failed, anew=overwrite or journal is None)
        if journal is not None:
            _write_note(journal, identity, disk)
    except BaseException:
        for each in (journal, failures):
            if each is not None:
                each.close()
        raise
    return output


def _hold(journal: Journal) -> None:
    try:
        journal.open()
    except Held:
        note = _read_note(journal.path)
        by = f" (process {note.pid} on {note.host}, since {note.since})" if note.pid else ""
        raise OutputBusy(f"another run holds {journal.path}{by}", "wait for it, or give this run another -o") from None


def _take_in_failed(failures: Journal, output: Output, retry_failed: str, *, anew: bool) -> None:
    if not Path(failures.path).exists():
        return
    _hold(failures)
    if anew:
        failures.clear()
        return
    sorting, good_bytes = sort_failed(failures, output.done, retry_failed)
    failures.cut(good_bytes)
    if sorting.retried or sorting.dropped:
        again = Sorting(output.done, retry_failed)
        failures.rewrite(again.stays)
    for each in sorting.kept:
        output.done.add(each)
    output.earlier.failed, output.earlier.to_retry = len(sorting.kept), sorting.retried


def inspect_output(out: str, failed: str | None, *, retry_failed: str = "transient") -> tuple[IdSet, Earlier]:
    """What `open_output` would find, changing nothing and taking no lock."""
    done, earlier = IdSet(), Earlier()
    if out == "-":
        return done, earlier
    for path, is_failed in ((out, False), (failed or failed_path_of(out), True)):
        if not Path(path).is_file():
            continue
        journal = Journal(path, Disk())
        if is_failed:
            sorting, _ = sort_failed(journal, done, retry_failed)
            for each in sorting.kept:
                done.add(each)
            earlier.failed, earlier.to_retry = len(sorting.kept), sorting.retried
        else:
            from fetcher.output.resume import Scan

            scan = Scan(journal)
            scan.into(done)
            earlier.fetched = scan.lines - scan.bad
    return done, earlier


def _note_path(path: str) -> str:
    folder, name = os.path.split(path)
    return str(Path(folder) / f".{name}.run")


def _read_note(path: str) -> _Note:
    try:
        return msgspec.json.decode(Path(_note_path(path)).read_bytes(), type=_Note)
    except (OSError, msgspec.DecodeError, ValueError):
        return _Note()


def _check_identity(journal: Journal, identity: Identity, overwrite: bool) -> None:
    note = _read_note(journal.path)
    if overwrite or journal.is_empty or not note.api:
        return
    was = Identity(note.api, note.protocol, note.gateway)
    for what, before, now in (
        ("API", was.api, identity.api),
        ("protocol", was.protocol, identity.protocol),
        ("gateway", _host(was.gateway), _host(identity.gateway)),
    ):
        if before != now:
            raise OutputMismatch(
                f"{journal.path} belongs to another {what}: {before}, not {now}",
                "choose another -o, or --overwrite to start anew",
            )


def _host(gateway: str) -> str:
    """Without the port where it is this machine: an embedded gateway has a new one each time."""
    host = gateway.partition("://")[2].partition("/")[0]
    return "this machine" if host.startswith(("127.", "localhost", "[::1]")) else gateway


def _write_note(journal: Journal, identity: Identity, disk: Disk) -> None:
    note = _Note(
        api=identity.api,
        protocol=identity.protocol,
        gateway=identity.gateway,
        pid=os.getpid(),
        host=socket.gethostname(),
        since=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    )
    path = _note_path(journal.path)
    try:
        descriptor = disk.open(f"{path}.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        try:
            write_all(disk, descriptor, msgspec.json.encode(note))
        finally:
            os.close(descriptor)
        disk.replace(f"{path}.new", path)
    except OSError as error:
        raise refused(path, error) from None
