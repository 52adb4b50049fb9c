"""The input is cut: files of any format become one list of distinct IDs and runs of its bytes, one a shard.

Duplicates over the whole input are counted once, in bounded memory: the first eight million IDs are kept in an `IdSet`
(17 bytes each). What comes after, and is not among them, goes by its hash into one of 64 files, so that two equal ones
meet in the same; each file is then gone through with a set of its own. The order of the input is kept up to there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, TypeAlias

import msgspec

from fetcher.cluster.records import Shard
from fetcher.ids import Source, SourceCounts
from fetcher.idset import Claim, IdSet, key_of
from fetcher.metrics import LastingDigest
from fetcher.model import Failure, Item

IN_MEMORY: Final = 8_000_000
FILES: Final = 64
LEAST: Final = 1_000
MOST: Final = 5_000
"""IDs of a shard: what a lost node may cost is bounded by the one, what a part costs beside its calls by the other."""
SHARDS_A_WORKER: Final = 8
"""So many for each, where the input has them: none is left waiting long for the last."""
MOST_BYTES: Final = 512 * 1024
"""IDs that are long texts."""
READ: Final = 8192

Opening: TypeAlias = Callable[[IdSet, "int | None"], Source]
"""Opens one input. Takes what claims IDs, and how many new ones are wanted."""


class Found(NamedTuple):
    """What the input holds."""

    shards: list[Shard]
    counts: SourceCounts
    bad: int
    digest: LastingDigest
    warnings: list[str]


class Bounded(IdSet):
    """An `IdSet` that takes no more than so many: what comes after, and is not in it, it calls new each time."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def claim(self, text: str) -> Claim:
        """See `IdSet`."""
        return Claim.NEW if len(self) >= self.most and text not in self else super().claim(text)

    def claim_numbers(self, numbers: Iterable[int]) -> list[Claim]:
        """See `IdSet`."""
        return [self.claim(str(number)) for number in numbers]


class Cutter:
    """Args:
    ids: takes the distinct IDs, one a line.
    bad: takes the distinct bad lines.
    folder: for files in between; they are removed.
    shard_ids: of each shard; None: by the number of IDs and workers.
    in_memory: IDs.
    """

    def __init__(
        self,
        ids: BinaryIO,
        bad: Callable[[list[Failure]], None],
        folder: Path,
        *,
        shard_ids: int | None = None,
        in_memory: int = IN_MEMORY,
    ) -> None:
        self._ids, self._bad, self._folder = ids, bad, folder
        self._shard_ids = shard_ids or LEAST
        self._fixed = shard_ids is not None
        # Half a shard: workers that begin together would else end together, and in between nobody would use the cap.
        self._room = shard_ids or LEAST // 2
        self._seen = Bounded(in_memory)
        self._rest = _Rest(folder)
        self._counts = SourceCounts()
        self._shards: list[Shard] = []
        self._digest, self._part = LastingDigest(), LastingDigest()
        self._start = self._end = 0
        self._bad_count = 0

    def cut(self, inputs: Iterable[tuple[str, Opening]], limit: int | None, workers: int) -> Found:
        """Read all inputs, in their order.

        Args:
            inputs: name and opening; each is opened when the one before is at its end.
            limit: of new IDs.
            workers: how many shards are worked on at a time.

        Raises:
            InputError: one of them cannot be read.
        """
        warnings = list[str]()
        with ExitStack() as stack:
            stack.callback(self._rest.remove)
            for name, opening in inputs:
                left = None if limit is None else limit - self._counts.items
                if left is not None and left <= 0:
                    break
                with opening(self._seen, left) as source:
                    while found := source.read(READ):
                        self._take([_of_file(one, name) for one in found])
                    warnings += (f"{name}: {warning}" for warning in source.warnings)
                    self._counts = _sum(self._counts, source.counts)
            for found in self._rest.lots():
                self._take_rest(found)
        self._close_shard()
        shards = self._shards if self._fixed else joined(self._shards, workers)
        return Found(shards, self._counts, self._bad_count, self._digest, warnings)

    def _take(self, found: list[Item | Failure]) -> None:
        if len(self._seen) >= self._seen.most:
            seen = self._seen
            self._rest.put([one for one in found if one.id not in seen])
            found = [one for one in found if one.id in seen]
        self._keep(found)

    def _take_rest(self, found: list[Item | Failure]) -> None:
        """What was called new each time: it is now known which were the first."""
        repeated = self._rest.repeated
        self._counts.duplicates += len(repeated)
        bad = sum(isinstance(one, Failure) for one in repeated)
        self._counts.bad -= bad
        self._counts.items -= len(repeated) - bad
        self._keep(found)

    def _keep(self, found: list[Item | Failure]) -> None:
        bad = [one for one in found if isinstance(one, Failure)]
        if bad:
            self._bad(bad)
            self._bad_count += len(bad)
            self._digest.add(one.id for one in bad)
        good = [one.id for one in found if isinstance(one, Item)]
        while good:
            room = self._room - self._part.count
            self._add(good[:room])
            good = good[room:]

    def _add(self, ids: list[str]) -> None:
        data = "".join(f"{one}\n" for one in ids).encode()
        self._ids.write(data)
        self._end += len(data)
        self._part.add(ids)
        if self._part.count == self._room or self._end - self._start >= MOST_BYTES:
            self._close_shard()

    def _close_shard(self) -> None:
        part = self._part
        if part.count:
            self._shards.append(Shard(len(self._shards) + 1, self._start, self._end, part.count, str(part)))
            self._digest += part
            self._start, self._part, self._room = self._end, LastingDigest(), self._shard_ids


def joined(shards: list[Shard], workers: int) -> list[Shard]:
    """Neighbours put together, where there are more shards than keep the workers evenly busy."""
    total = sum(shard.ids for shard in shards)
    wanted = min(MOST, max(LEAST, total // (workers * SHARDS_A_WORKER)))
    out = list[Shard]()
    lot = list[Shard]()
    for shard in (*shards, None):
        if lot and (
            shard is None
            or sum(one.ids for one in lot) + shard.ids > wanted
            or shard.end_bytes - lot[0].start_bytes > MOST_BYTES
        ):
            digest = LastingDigest()
            for one in lot:
                digest += LastingDigest.read(one.digest)
            out.append(Shard(len(out) + 1, lot[0].start_bytes, lot[-1].end_bytes, digest.count, str(digest)))
            lot = []
        if shard is not None:
            lot.append(shard)
    return out


def _of_file(one: Item | Failure, name: str) -> Item | Failure:
    """A bad line's number says nothing without its file."""
    if isinstance(one, Item):
        return one
    error = msgspec.structs.replace(one.error, message=f"{name}, {one.error.message}")
    return msgspec.structs.replace(one, error=error)


def _sum(here: SourceCounts, there: SourceCounts) -> SourceCounts:
    added = {name: getattr(here, name) + getattr(there, name) for name in here.__struct_fields__ if name != "repaired"}
    repaired = dict(here.repaired)
    for name, count in there.repaired.items():
        repaired[name] = repaired.get(name, 0) + count
    return SourceCounts(**added, repaired=repaired)


class _Rest:
    """What did not fit into memory, by hash, in files."""

    def __init__(self, folder: Path) -> None:
        self._paths = [folder / f"rest-{number:02d}" for number in range(FILES)]
        self._used = False
        self.repeated: list[Item | Failure] = []
        """Of the lot that was read last: those that came before."""

    def put(self, found: list[Item | Failure]) -> None:
        self._used = self._used or bool(found)
        lots: dict[int, list[bytes]] = {}
        for one in found:
            record = one.id if isinstance(one, Item) else one
            lots.setdefault(key_of(one.id) * 0x9E3779B1 % 2**32 * FILES >> 32, []).append(msgspec.json.encode(record))
        for number, records in lots.items():
            with self._paths[number].open("ab") as file:
                file.write(b"\n".join(records) + b"\n")

    def lots(self) -> Iterator[list[Item | Failure]]:
        """All that is new, some at a time."""
        for path in self._paths if self._used else ():
            if path.exists():
                seen = IdSet()
                with path.open("rb") as file:
                    while lines := file.readlines(1 << 20):
                        yield self._new_ones(lines, seen)
                path.unlink()

    def _new_ones(self, lines: list[bytes], seen: IdSet) -> list[Item | Failure]:
        new: list[Item | Failure] = []
        self.repeated = []
        for line in lines:
            record = msgspec.json.decode(line, type=str | Failure)
            one = Item(record, 0) if isinstance(record, str) else record
            (new if seen.claim(one.id) is Claim.NEW else self.repeated).append(one)
        return new

    def remove(self) -> None:
        for path in self._paths:
            path.unlink(missing_ok=True)
