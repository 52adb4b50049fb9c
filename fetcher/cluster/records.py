"""What a job writes down of itself: how its input was cut, what each shard has left, the manifest of the whole.

Words and their JSON only: no file is opened here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, TypeVar

import msgspec

from fetcher.errors import UsageError
from fetcher.metrics import LastingDigest

SCHEMA: Final = 1
"""Grows when a key changes its meaning or goes away; new keys may come at any time."""

JOB: Final = "_job"
"""Folder of what is not data. Readers of data sets (Spark, Arrow, DuckDB's globs) pass over names that begin so."""
IDS: Final = f"{JOB}/ids.txt"
"""The distinct good IDs of the input, one a line, in its order; a shard is a run of its bytes."""
CUT: Final = f"{JOB}/cut.json"
PROGRESS: Final = f"{JOB}/progress.json"
COMMITS: Final = f"{JOB}/commits"
OPEN: Final = f"{JOB}/open"
"""Parts that are not finished."""
MANIFEST: Final = "manifest.json"
BAD: Final = 0
"""Number of the part that holds the bad lines of the input: failures that no call was made for."""

ENDINGS: Final = ("jsonl", "jsonl.gz", "jsonl.zst")


class Shard(msgspec.Struct, frozen=True, gc=False):
    """A run of the input's IDs."""

    number: int
    """From 1."""
    start_bytes: int
    end_bytes: int
    """Of `ids.txt`, behind the last one's newline."""
    ids: int
    digest: str
    """A `LastingDigest`."""


class Cut(msgspec.Struct, frozen=True, kw_only=True):
    """How the input was cut. Written when all of it was read, so half a cut is none."""

    schema: int = SCHEMA
    job: str
    """A random name: folders of the nodes are told apart by it."""
    api: str
    protocol: str
    gateway: str
    reading: dict[str, Any]
    """The options that say how the input is read."""
    ending: str
    """Of parts: `jsonl`, `jsonl.gz`, `jsonl.zst`."""
    inputs: dict[str, str]
    """Path or URI of each → what tells whether it has changed."""
    counts: dict[str, Any]
    """Lines of the input by what they were."""
    shards: list[Shard]
    bad: int
    """Distinct bad lines."""
    digest: str
    """Of all distinct IDs, bad ones included as the failed file names them."""

    @property
    def ids(self) -> int:
        """Distinct IDs, bad ones included."""
        return sum(shard.ids for shard in self.shards) + self.bad


class File(msgspec.Struct, frozen=True):
    """A published file."""

    name: str
    lines: int
    bytes: int
    sha256: str


class Commit(msgspec.Struct, frozen=True, kw_only=True):
    """A shard that is done: written after its files, so what it names is there."""

    shard: int
    ids: int
    fetched: int
    failed: int
    permanent: int
    """Failures that no further try can help."""
    by_kind: dict[str, int]
    fetched_digest: str
    failed_digest: str
    files: list[File]
    """The part and its failed file; what would be empty is left out."""
    committed_at: str

    @property
    def digest(self) -> LastingDigest:
        """Of all its IDs, as they stand in its files."""
        return LastingDigest.read(self.fetched_digest) + LastingDigest.read(self.failed_digest)

    @property
    def retriable(self) -> int:
        """Failures that another try may help."""
        return self.failed - self.permanent


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """What one start of the job has sent, over all machines."""

    started_at: str
    calls: int
    """Whose times are known."""
    worst_1s: int
    """Calls in the fullest window of one second."""
    worst_100ms: int
    cap_per_s: float
    clock_error_ms: float
    """By how much the clocks of the machines may disagree."""
    exact: bool
    """False: a worker or the driver was lost, and what was sent in its last moments is not known."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The data set, for whoever reads it. `complete`: every ID of the input stands in it exactly once."""

    schema: int = SCHEMA
    written_at: str
    fetcher: str
    api: str
    protocol: str
    gateway: str
    complete: bool
    ids: int
    fresh: int = 0
    """Of the input, and passed over, since other files hold them (`--known`): none of `ids`."""
    fetched: int
    failed: int
    failed_by_kind: dict[str, int]
    left: int
    digest: str
    """Of the input's distinct IDs: their count, and the sum and exclusive or of BLAKE2b-64 of each, in hex."""
    fetched_digest: str
    failed_digest: str
    starts: list[Start] = []
    """Of this job that sent anything, the earliest first."""
    merged: list[File] = []
    """OUT and its failed file, where the parts were joined."""
    parts: list[Commit] = []


Record = TypeVar("Record", Cut, Commit, Manifest)


def written(record: Cut | Commit | Manifest) -> bytes:
    """As it stands in its file."""
    return msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n"


def read(kind: type[Record], data: bytes, place: str) -> Record:
    """What `written` wrote.

    Raises:
        UsageError: it is not ours, or a later version's.
    """
    try:
        record = msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, ValueError) as error:
        raise UsageError(f"{place} cannot be read: {error}", "--overwrite starts anew") from None
    if isinstance(record, Cut | Manifest) and record.schema > SCHEMA:
        raise UsageError(f"{place} was written by a later version of fetcher", "update fetcher, or --overwrite it")
    return record


def part_name(number: int, ending: str) -> str:
    """`part-00012.jsonl.gz`; names sort by number up to ten million shards."""
    return f"part-{number:07d}.{ending}"


def failed_name(number: int, ending: str) -> str:
    """The same part's failures."""
    return f"part-{number:07d}.failed.{ending}"


def commit_name(number: int) -> str:
    """Where the shard's commit stands."""
    return f"{COMMITS}/{number:07d}.json"


def added(digests: Iterable[str]) -> LastingDigest:
    """The sum of written digests."""
    total = LastingDigest()
    for each in digests:
        total += LastingDigest.read(each)
    return total


def kinds_of(commits: Iterable[Commit]) -> dict[str, int]:
    """Failures of all, by kind."""
    counted: dict[str, int] = {}
    for commit in commits:
        for kind, count in commit.by_kind.items():
            counted[kind] = counted.get(kind, 0) + count
    return counted
