"""The job's beginning: made anew from its input, or found where an earlier driver left it."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from fetcher.cluster import records
from fetcher.cluster.cutting import Cutter, Found
from fetcher.cluster.inputs import openings, reading_of, resolved, stamp
from fetcher.cluster.part import Part
from fetcher.cluster.records import Commit, Cut, Manifest, Shard
from fetcher.cluster.store import Store, shown
from fetcher.errors import OutputMismatch, UsageError
from fetcher.gateway import Api, chosen_api
from fetcher.metrics import LastingDigest
from fetcher.model import Failure
from fetcher.output import Identity, open_output
from fetcher.report import iso_time
from fetcher.settings import CommandSettings, is_loopback

ANEW: Final = "give another -o, or --overwrite to start anew"


class Wanted(NamedTuple):
    """What the user asks for."""

    places: Sequence[str]
    """The inputs."""
    store: Store
    ending: str
    shard_ids: int | None
    workers: int


class Begun(NamedTuple):
    """A job that can be worked on."""

    cut: Cut
    commits: list[Commit]
    """Of shards that are done."""
    reopened: list[Commit]
    """Of shards that were done, and have failures to be tried again."""
    resumed: bool
    manifest: Manifest | None
    warnings: list[str]

    @property
    def left(self) -> list[Shard]:
        """Shards to be done."""
        done = {commit.shard for commit in self.commits}
        return [shard for shard in self.cut.shards if shard.number not in done]


def begin(wanted: Wanted, settings: CommandSettings, wall_ms: Callable[[], int]) -> Begun:
    """Find the job, or make it. Sends nothing.

    Raises:
        InputError: the input cannot be read.
        OutputMismatch: the place holds something else, or the input has changed since it was cut.
        OutputError: the place refuses.
        UsageError: caps over longer times, which only a run of one process can hold to.
    """
    if settings.caps:
        raise UsageError(
            "caps over longer times (--cap) go with a run of one process: several would each count for themselves",
            "choose a --qps that keeps to them",
        )
    api, store = chosen_api(settings), wanted.store
    places = resolved(wanted.places)
    if settings.overwrite:
        clear(store)
    if not store.has(records.CUT):
        cut, warnings = _make(wanted, places, settings, api, wall_ms)
        return Begun(cut, _commits(store, cut), [], False, None, warnings)
    cut = records.read(Cut, store.read(records.CUT), f"{store.place}/{records.CUT}")
    _check(cut, wanted, places, settings, api)
    manifest = None
    if store.has(records.MANIFEST):
        manifest = records.read(Manifest, store.read(records.MANIFEST), f"{store.place}/{records.MANIFEST}")
    kept, there = _commits(store, cut), set(store.names(""))
    whole = [commit for commit in kept if {file.name for file in commit.files} <= there]
    reopened = [commit for commit in whole if _to_retry(commit, settings)]
    if manifest is not None and manifest.merged and len(whole) < len(kept):
        warnings = []
        if any(_to_retry(commit, settings) for commit in kept):
            warnings = ["failures are not tried again: the parts were removed when they were joined (--keep-parts)"]
        return Begun(cut, kept, [], True, manifest, warnings)
    return Begun(cut, [one for one in whole if one not in reopened], reopened, True, manifest, [])


def _to_retry(commit: Commit, settings: CommandSettings) -> bool:
    if commit.shard == records.BAD or settings.retry_failed == "none":
        return False
    return bool(commit.failed if settings.retry_failed == "all" else commit.retriable)


def _commits(store: Store, cut: Cut) -> list[Commit]:
    found = []
    for name in store.names(records.COMMITS):
        if name.endswith(".json") and not name.startswith("."):
            path = f"{records.COMMITS}/{name}"
            found.append(records.read(Commit, store.read(path), f"{store.place}/{path}"))
    return [commit for commit in found if commit.shard <= len(cut.shards)]


def clear(store: Store) -> None:
    """Forget all that a job of ours has left here; nothing else is touched."""
    store.remove(records.CUT, records.MANIFEST)  # first: half a job is none
    store.remove(*(name for name in store.names("") if name.startswith("part-")))
    for folder in (records.COMMITS, records.OPEN):
        store.remove(*(f"{folder}/{name}" for name in store.names(folder)))


def _make(
    wanted: Wanted, places: list[str], settings: CommandSettings, api: Api, wall_ms: Callable[[], int]
) -> tuple[Cut, list[str]]:
    store = wanted.store
    if foreign := [name for name in store.names("") if name != records.JOB and not name.startswith(".")]:
        raise OutputMismatch(f"{store.place} is not empty and holds no job of ours: {foreign[0]}", ANEW)
    inputs = {shown(place): stamp(place) for place in places}
    job = secrets.token_hex(8)
    clear(store)  # what a driver that was killed while it cut has left
    with tempfile.TemporaryDirectory(prefix="fetcher-cut-") as folder:
        ids = Path(folder, "ids")
        bad = _Bad(store, job, wanted.ending, _identity(settings, api))
        try:
            with ids.open("wb") as file:
                cutter = Cutter(file, bad.put, Path(folder), shard_ids=wanted.shard_ids)
                each = openings(places, settings, api, wall_ms, Path(folder))
                found = cutter.cut(each, settings.limit, wanted.workers)
        finally:
            bad.close()
        bad.publish(iso_time(wall_ms()))
        store.put(str(ids), records.IDS)
    cut = _cut_of(found, job, inputs, wanted, settings, api)
    store.write(records.CUT, records.written(cut))
    return cut, found.warnings


def _cut_of(found: Found, job: str, inputs: dict[str, str], wanted: Wanted, settings: CommandSettings, api: Api) -> Cut:
    return Cut(
        job=job,
        api=api.identity,
        protocol=settings.protocol,
        gateway=gateway_name(settings),
        reading=reading_of(settings),
        ending=wanted.ending,
        inputs=inputs,
        counts=msgspec.to_builtins(found.counts),
        shards=found.shards,
        bad=found.bad,
        digest=str(found.digest),
    )


class _Bad:
    """Bad lines, as a part of their own: no call is made for them."""

    def __init__(self, store: Store, job: str, ending: str, identity: Identity) -> None:
        self._store, self._job, self._ending, self._identity = store, job, ending, identity
        self._part = Part(store, job, Shard(records.BAD, 0, 0, 0, ""), ending)
        self._output: Any = None
        self._digest = LastingDigest()

    def put(self, failures: list[Failure]) -> None:
        """Keep them."""
        if self._output is None:
            self._part.take_up(look=False)
            self._output = open_output(self._part.out, self._part.failed, identity=self._identity)
        self._output.append(failures)
        self._digest.add(one.id for one in failures)

    def close(self) -> None:
        """No more of them."""
        if self._output is not None:
            self._output.close()

    def publish(self, now: str) -> None:
        """As any other part."""
        if self._digest.count:
            self._part.shard = Shard(records.BAD, 0, 0, self._digest.count, str(self._digest))
            self._part.commit(self._part.contents(), now)


def _identity(settings: CommandSettings, api: Api) -> Identity:
    return Identity(api=api.identity, protocol=settings.protocol, gateway=settings.gateway)


def gateway_name(settings: CommandSettings) -> str:
    """Without the port where it is this machine: an embedded gateway has a new one each time."""
    return "this machine" if is_loopback(settings.gateway) else settings.gateway


def _check(cut: Cut, wanted: Wanted, places: list[str], settings: CommandSettings, api: Api) -> None:
    """Raises `OutputMismatch` unless this is the job that was cut."""
    where = wanted.store.place
    for what, before, now in (
        ("API", cut.api, api.identity),
        ("protocol", cut.protocol, settings.protocol),
        ("gateway", cut.gateway, gateway_name(settings)),
        ("kind of parts", cut.ending, wanted.ending),
        ("way to read IDS", cut.reading, reading_of(settings)),
        ("input", sorted(cut.inputs), sorted(map(shown, places))),
    ):
        if before != now:
            raise OutputMismatch(f"{where} belongs to another {what}: {before}, not {now}", ANEW)
    for place in places:
        if cut.inputs[shown(place)] != stamp(place):
            raise OutputMismatch(
                f"{shown(place)} has changed since this job was begun",
                "fetch what is new into another -o, or --overwrite to start anew",
            )


def ending_of(place: str) -> str:
    """`jsonl`, `jsonl.gz` or `jsonl.zst` of an OUT's name; empty: a folder. Raises `UsageError` for other files."""
    name = place.rstrip("/").rpartition("/")[2]
    found = next(
        (ending for ending in sorted(records.ENDINGS, key=len, reverse=True) if name.endswith(f".{ending}")), ""
    )
    if not found and name.endswith((".json", ".csv", ".ndjson", ".gz", ".zst", ".parquet")):
        raise UsageError(
            f"-o {shown(place)} is neither a folder nor a .jsonl, .jsonl.gz or .jsonl.zst file",
            "a folder takes the parts as a data set, a file takes all of them joined",
        )
    return found
