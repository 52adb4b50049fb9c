"""One shard on one node: its IDs in, its part of the data set out. It is `fetcher run` on a few thousand IDs.

    _job/ids.txt [start, end) ─▶ a whole run ─▶ open part, the journal ─▶ published part, then its commit

The open part is a run's OUT with all its promises: killed at any moment, the next try goes on where it stands. Where
the job's place is a folder, it lies there, under `_job/open`, for any node to take up. Where it is a URI, it lies on
the node's own disk until the shard is done or stopped in order; what a lost node had on its disk is fetched again.

It knows nothing of Ray: whom it reports to, and who allows the commit, is handed in.
"""

from __future__ import annotations

import dataclasses
import getpass
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from fetcher.cluster import records
from fetcher.cluster.records import Commit, File, Shard
from fetcher.cluster.store import LocalStore, Store
from fetcher.errors import Defect, FetcherError
from fetcher.metrics import LastingDigest, Snapshot
from fetcher.output import Contents, contents_of, sha256_of
from fetcher.run import Done, Job
from fetcher.settings import CommandSettings

SCRATCH: Final = "FETCHER_SCRATCH"
"""Variable of a node: where parts lie until they are put to a URI; unset: its folder for temporary files."""


class Told(msgspec.Struct, frozen=True):
    """An error as it crosses from process to process."""

    exit_code: int
    message: str
    advice: str = ""

    @classmethod
    def of(cls, error: FetcherError) -> Told:
        """What it says."""
        return cls(error.exit_code, str(error), error.advice)


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """How one try at a shard ended."""

    shard: int
    commit: Commit | None = None
    """It is done. None: it is not."""
    error: Told | None = None
    """Why not. None without a commit: another try has it now."""
    snapshot: Snapshot = Snapshot()
    left: int = 0
    keys_out: dict[str, str] = {}
    """Keys of several that have left the pool, and why."""


class Part:
    """A shard's files.

    Args:
        store: the job's place.
        job: its random name.
        shard: which.
        ending: of the part's name.
    """

    def __init__(self, store: Store, job: str, shard: Shard, ending: str) -> None:
        self._store, self.shard = store, shard
        self.names = (records.part_name(shard.number, ending), records.failed_name(shard.number, ending))
        if isinstance(store, LocalStore):
            self.folder = store.path(records.OPEN).absolute()
        else:
            self.folder = scratch_folder(job)
        self.out, self.failed = (str(self.folder / name) for name in self.names)

    def take_up(self, *, look: bool) -> None:
        """Have the open part here, as far as there is one. `look`: this is not the job's first start.

        A published part is opened again: its commit goes first, so that it is never said to be what it is no more.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o777 if self._store.is_local else 0o700)
        if not look:
            return
        self._store.remove(records.commit_name(self.shard.number))
        for name in self.names:
            here = str(self.folder / name)
            if not Path(here).exists() and (
                self._store.is_local or not self._store.get(f"{records.OPEN}/{name}", here)
            ):
                self._store.get(name, here)

    def ids(self) -> tuple[str, ...]:
        """Of the shard. Raises `Defect` where they are not those that were cut."""
        data = self._store.read(records.IDS, self.shard.start_bytes, self.shard.end_bytes)
        found = tuple(data.decode().split("\n")[:-1])
        digest = LastingDigest()
        digest.add(found)
        if str(digest) != self.shard.digest:
            raise Defect(f"{self._store.place}/{records.IDS} is not what was cut", "--overwrite starts anew")
        return found

    def contents(self) -> Contents:
        """What stands in the open part."""
        return contents_of(self.out, self.failed)

    def commit(self, found: Contents, committed_at: str) -> Commit:
        """Publish both files, then the commit that says what they are."""
        fetched, failed = LastingDigest(), LastingDigest()
        fetched.add(found.fetched)
        failed.add(found.failed)
        both = fetched + failed
        if str(both) != self.shard.digest:
            raise Defect(
                f"the books of shard {self.shard.number} do not balance: {self.shard.ids} IDs, "
                f"{fetched.count} fetched, {failed.count} failed",
                "what was written stands; please report this",
            )
        files = []
        for name, path, count in (
            (self.names[1], self.failed, failed.count),  # first: a part without its failures would look whole
            (self.names[0], self.out, fetched.count),
        ):
            if count:
                files.append(File(name, count, Path(path).stat().st_size, sha256_of(path)))
                self._store.put(path, name)
        commit = Commit(
            shard=self.shard.number,
            ids=self.shard.ids,
            fetched=fetched.count,
            failed=failed.count,
            permanent=found.permanent,
            by_kind=found.by_kind,
            fetched_digest=str(fetched),
            failed_digest=str(failed),
            files=files[::-1],
            committed_at=committed_at,
        )
        self._store.write(records.commit_name(self.shard.number), records.written(commit))
        self._forget(carried=not self._store.is_local)
        return commit

    def carry(self) -> None:
        """Stopped in order: a part on this node's own disk is put where any node can take it up."""
        if not self._store.is_local:
            for name in self.names:
                if (path := self.folder / name).exists():
                    self._store.put(str(path), f"{records.OPEN}/{name}")

    def _forget(self, *, carried: bool) -> None:
        """What lay beside the part, and an empty part itself."""
        for name in self.names:
            (self.folder / name).unlink(missing_ok=True)
            for beside in self.folder.glob(f".{name}.*"):
                beside.unlink(missing_ok=True)
        if carried:
            with suppress(OSError):  # other shards' parts lie there
                self.folder.rmdir()
            self._store.remove(*(f"{records.OPEN}/{name}" for name in self.names))


def scratch_folder(job: str) -> Path:
    """This user's alone: answers may be worth money, and names in a shared folder can be traps."""
    base = os.environ.get(SCRATCH) or tempfile.gettempdir()
    folder = Path(base) / f"fetcher-{getpass.getuser()}"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    status = folder.lstat()
    if folder.is_symlink() or (hasattr(os, "getuid") and status.st_uid != os.getuid()):
        raise Defect(f"{folder} belongs to somebody else", f"set {SCRATCH} on the nodes to a folder of yours")
    return folder / job


def settings_of_shard(settings: CommandSettings) -> CommandSettings:
    """Of the job's settings, what a shard needs: the rest is the driver's affair."""
    return dataclasses.replace(
        settings,
        failed=None,
        overwrite=False,
        limit=None,
        known=(),
        skip_fresh_s=None,
        summary=None,
        sandbox=False,
        no_progress=True,
    )


def do_shard(
    part: Part,
    settings: CommandSettings,
    run: Callable[[Job], Done],
    may_commit: Callable[[], bool],
    now: Callable[[], str],
) -> Result:
    """Fetch what is still to be fetched, publish the part, commit.

    Args:
        part: taken up.
        settings: `settings_of_shard`.
        run: does a run; `on_node` has whoever is shown its figures in it.
        may_commit: whether this is still the try that counts.
        now: UTC, as it is written down.
    """
    job = Job(settings=settings, ids=part.ids(), out=part.out)
    done = run(job)
    snapshot, error = done.ended.snapshot, done.ended.error
    out = {key.name: key.left_pool for key in done.ended.keys if key.left_pool}
    if error is not None:
        part.carry()
        return Result(shard=part.shard.number, error=Told.of(error), snapshot=snapshot, left=done.left, keys_out=out)
    found = part.contents()
    commit = part.commit(found, now()) if may_commit() else None
    return Result(shard=part.shard.number, commit=commit, snapshot=snapshot, keys_out=out)
