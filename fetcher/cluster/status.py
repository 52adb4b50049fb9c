"""How a job stands, from what lies at its place: whoever may read there can ask, whether a driver runs or not."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from fetcher.cluster import records
from fetcher.cluster.merging import damaged, place_beside, split
from fetcher.cluster.progress import FRESH_S, Progress, read_progress
from fetcher.cluster.records import Commit, Cut, Manifest
from fetcher.cluster.store import Store, open_store, shown
from fetcher.errors import UsageError
from fetcher.report import clock_time, duration, number, percent, rate


class Standing:
    """What lies at `place`: a folder or URI of parts, or an OUT that parts were joined into.

    Raises:
        UsageError: no job of ours.
    """

    def __init__(self, place: str, now_ms: int) -> None:
        self._now_ms = now_ms
        self._store = _found(place)
        self.cut = records.read(Cut, self._store.read(records.CUT), f"{self._store.place}/{records.CUT}")
        names = [name for name in self._store.names(records.COMMITS) if not name.startswith(".")]
        self.commits = [
            records.read(Commit, self._store.read(f"{records.COMMITS}/{name}"), f"{self._store.place}/{name}")
            for name in names
        ]
        self.progress = read_progress(self._store)
        self.manifest: Manifest | None = None
        if self._store.has(records.MANIFEST):
            self.manifest = records.read(Manifest, self._store.read(records.MANIFEST), self._store.place)

    @property
    def complete(self) -> bool:
        """Every ID stands in a committed part."""
        return sum(commit.ids for commit in self.commits) == self.cut.ids

    def lines(self) -> Iterator[str]:
        """For a person."""
        cut = self.cut
        fetched, failed = sum(one.fetched for one in self.commits), sum(one.failed for one in self.commits)
        done = sum(one.shard != records.BAD for one in self.commits)
        shards = f"{number(len(cut.shards))} shards of {', '.join(cut.inputs)}"
        fresh = f", {number(passed)} passed over as fresh" if (passed := cut.counts.get("fresh", 0)) else ""
        yield f"{self._store.place}: {number(cut.ids)} IDs in {shards}{fresh}"
        part = f" ({percent(fetched + failed, cut.ids)})" if cut.ids else ""
        yield (
            f"committed: {number(done)} shards, {number(fetched)} fetched, {number(failed)} failed{part}; "
            f"{number(cut.ids - fetched - failed)} IDs in shards that are not"
        )
        if failed:
            kinds = records.kinds_of(self.commits)
            yield "failed: " + ", ".join(f"{number(count)} {kind}" for kind, count in sorted(kinds.items()))
        if self.progress is not None:
            yield from self._driver(self.progress)
        if self.manifest is not None and self.manifest.merged:
            yield "joined into: " + ", ".join(
                f"{file.name} ({number(file.lines)} lines, sha256 {file.sha256[:12]}…)" for file in self.manifest.merged
            )

    def _driver(self, note: Progress) -> Iterator[str]:
        age_s = (self._now_ms - note.at_ms) / 1000
        who = f"process {note.pid} on {note.host}"
        if note.state == "ended":
            why, when = f": {note.reason}" if note.reason else "", clock_time(note.at_ms, self._now_ms)
            yield f"driver: ended with exit code {note.exit_code} at {when} ({who}){why}"
        elif age_s > FRESH_S:
            yield f"driver: silent for {duration(age_s)}, so it has gone ({who}); the same command goes on"
        else:
            snapshot = note.snapshot
            yield (
                f"driver: at work for {duration((note.at_ms - note.started_ms) / 1000)} ({who}), "
                f"{rate(snapshot.rate_per_s)} of {rate(snapshot.cap_per_s)}, {number(snapshot.done)} of "
                f"{number(cut_total(note))} IDs"
            )
            for one in note.at:
                yield f"  shard {one.shard}, try {one.attempt}: process {one.pid} on node {one.node[:12]}"

    def damage(self) -> list[str]:
        """Parts, or what they were joined into, that are not what was committed. Reads all of them."""
        if self.manifest is None or not self.manifest.merged:
            return damaged(self._store, [file for commit in self.commits for file in commit.files])
        found = []
        for file in self.manifest.merged:
            folder, name = split(place_beside(self._store.place.removesuffix(".parts"), file.name))
            found += damaged(open_store(folder), [msgspec.structs.replace(file, name=name)])
        return found


def cut_total(note: Progress) -> int:
    """IDs of the whole job."""
    return note.snapshot.total or 0


def _found(place: str) -> Store:
    for each in (place, f"{place}.parts"):
        store = open_store(each)
        if store.has(records.CUT):
            return store
    raise UsageError(f"there is no job at {shown(place)}", "DIR is what `fetcher cluster run` was given with -o")
