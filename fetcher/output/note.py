"""The note beside OUT (`.NAME.run`): which run it belongs to, and who holds it. It may be lost without harm."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

import msgspec

from fetcher.errors import OutputMismatch
from fetcher.output.disk import Disk, beside, refused, write_whole


class Identity(msgspec.Struct, frozen=True):
    """Which run OUT belongs to: answers of different APIs do not go into one file."""

    api: str
    protocol: str
    gateway: str


class Note(msgspec.Struct):
    """What the file says."""

    api: str = ""
    protocol: str = ""
    gateway: str = ""
    pid: int = 0
    host: str = ""
    since: str = ""
    skip_fresh_s: float = 0.0
    """What the run passed over as fetched lately: since `fresh_since_ms` (1970 UTC). See `known.fresh_since_ms`."""
    fresh_since_ms: int = 0

    @property
    def holder(self) -> str:
        """Who wrote it, for a person; empty where nobody knows."""
        return f"process {self.pid} on {self.host}, since {self.since}" if self.pid else ""


def read_note(path: str) -> Note:
    """The note of OUT at `path`; an empty one where there is none or it cannot be read."""
    try:
        return msgspec.json.decode(Path(beside(path, "run")).read_bytes(), type=Note)
    except (OSError, msgspec.DecodeError, ValueError):
        return Note()


def check_identity(path: str, identity: Identity) -> None:
    """Raises `OutputMismatch` when the note says that OUT belongs to something else."""
    note = read_note(path)
    if not note.api:
        return
    for what, before, now in (
        ("API", note.api, identity.api),
        ("protocol", note.protocol, identity.protocol),
        ("gateway", _host(note.gateway), _host(identity.gateway)),
    ):
        if before != now:
            raise OutputMismatch(
                f"{path} belongs to another {what}: {before}, not {now}",
                "choose another -o, or --overwrite to start anew",
            )


def _host(gateway: str) -> str:
    """Without the port where it is this machine: an embedded gateway has a new one each time."""
    host = gateway.partition("://")[2].partition("/")[0]
    return "this machine" if host.startswith(("127.", "localhost", "[::1]")) else gateway


def write_note(path: str, identity: Identity, disk: Disk, *, fresh: tuple[float, int] | None = None) -> None:
    """Say whose OUT is, and that we hold it.

    Args:
        path: OUT's.
        identity: whose.
        disk: the operations, for tests.
        fresh: what is passed over, and since when; None: as it was.

    Raises:
        OutputError: it cannot be written.
    """
    before = read_note(path)
    skip_fresh_s, fresh_since_ms = fresh or (before.skip_fresh_s, before.fresh_since_ms)
    note = Note(
        api=identity.api,
        protocol=identity.protocol,
        gateway=identity.gateway,
        pid=os.getpid(),
        host=socket.gethostname(),
        since=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        skip_fresh_s=skip_fresh_s,
        fresh_since_ms=fresh_since_ms,
    )
    path = beside(path, "run")
    try:
        write_whole(disk, path, msgspec.json.encode(note))
    except OSError as error:
        raise refused(path, error) from None
