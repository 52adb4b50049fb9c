"""Every distinct ID of the input stands in one shard, once, whatever memory there is."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fetcher.cluster.cutting import LEAST, MOST, Cutter, Found, joined
from fetcher.cluster.records import Shard
from fetcher.ids import source_of
from fetcher.metrics import LastingDigest
from fetcher.model import Failure


def cut(
    inputs: Iterable[list[str]], limit: int | None = None, workers: int = 2, **options: int
) -> tuple[Found, list[str], list[str]]:
    """Cut these. Returns what was found, the good IDs as they stand in the file, the bad ones."""
    ids, bad = io.BytesIO(), list[Failure]()
    with tempfile.TemporaryDirectory() as folder:
        cutter = Cutter(ids, bad.extend, Path(folder), **options)  # type: ignore[arg-type]
        openings = [
            (f"file{k}", lambda known, n, lines=lines: source_of(lines, numeric=True, known=known, limit=n))
            for k, lines in enumerate(inputs)
        ]
        found = cutter.cut(openings, limit, workers)
        assert not list(Path(folder).iterdir())
    for shard in found.shards:
        part = ids.getvalue()[shard.start_bytes : shard.end_bytes].decode().split()
        digest = LastingDigest()
        digest.add(part)
        assert (len(part), str(digest)) == (shard.ids, shard.digest)
    assert [shard.number for shard in found.shards] == list(range(1, len(found.shards) + 1))
    return found, ids.getvalue().decode().split(), [one.id for one in bad]


few = st.lists(st.sampled_from([*"123456789", "10", "11", "12", "bad", "worse", ""]), max_size=60)


@settings(max_examples=60)
@given(st.lists(few, max_size=3), st.integers(1, 20), st.integers(1, 7))
def test_duplicates_are_counted_once_in_any_memory(inputs: list[list[str]], memory: int, shard_ids: int) -> None:
    """Against a set of all of it: near and far duplicates, over several files, good and bad ones."""
    found, good, bad = cut(inputs, shard_ids=shard_ids, in_memory=memory)
    lines = [line for one in inputs for line in one if line]
    assert sorted(good) == sorted({line for line in lines if line.isdigit()})
    assert sorted(bad) == sorted({line for line in lines if not line.isdigit()})
    counts = found.counts
    assert counts.items == len(good)
    assert counts.bad == found.bad == len(bad)
    assert (
        counts.lines == counts.blank + counts.comments + counts.header + counts.duplicates + counts.bad + counts.items
    )
    whole = LastingDigest()
    whole.add(good + bad)
    assert found.digest == whole
    assert all(shard.ids <= shard_ids for shard in found.shards)


@pytest.mark.parametrize(("total", "workers"), [(6_000, 2), (20_000, 1), (20_000, 2), (45_000, 2)])
def test_not_all_shards_end_at_one_moment(total: int, workers: int) -> None:
    """The first differs from the others by half a thousand; of one's own size, all are as they were asked for."""
    ids = [str(10_000_000 + k) for k in range(total)]
    first, *others = (shard.ids for shard in cut([ids], workers=workers)[0].shards)
    assert {abs(first - other) % 1000 for other in others[:-1]} == {500}
    assert [shard.ids for shard in cut([ids[:90]], shard_ids=40)[0].shards] == [40, 40, 10]


def test_the_order_of_the_input_is_kept_as_far_as_memory_reaches() -> None:
    """The first ID is in the first shard."""
    ids = [str(1000 + k) for k in range(500)]
    found, good, _ = cut([ids], shard_ids=100)
    assert good == ids
    assert [shard.ids for shard in found.shards] == [100] * 5


def test_a_limit_holds_over_all_files() -> None:
    """The second file is not opened when the first has brought enough."""
    found, good, _ = cut([["1", "2", "3"], ["4", "5"], ["6"]], limit=4, shard_ids=10)
    assert good == ["1", "2", "3", "4"]
    assert found.counts.items == 4


def test_a_bad_line_names_its_file() -> None:
    """A line's number says nothing without it."""
    ids, bad = io.BytesIO(), list[Failure]()
    with tempfile.TemporaryDirectory() as folder:
        Cutter(ids, bad.extend, Path(folder)).cut(
            [("b.txt", lambda known, n: source_of(["1", "x"], numeric=True, known=known, limit=n))], None, 1
        )
    assert bad[0].error.message.startswith("b.txt, line 2: ")


@pytest.mark.parametrize(
    ("total", "workers", "least", "most"), [(900, 4, 1, 1), (40_000, 4, 32, 40), (10**6, 4, 200, 200)]
)
def test_shards_are_as_large_as_keeps_the_workers_busy(total: int, workers: int, least: int, most: int) -> None:
    """A thousand IDs at least, five thousand at the most."""
    small = [
        Shard(
            k + 1,
            k * 1000 * 13,
            (k + 1) * 1000 * 13,
            min(1000, total - k * 1000),
            f"{min(1000, total - k * 1000)}-{k}-0",
        )
        for k in range(-(-total // 1000))
    ]
    out = joined(small, workers)
    assert least <= len(out) <= most
    assert sum(shard.ids for shard in out) == total
    assert all(shard.ids <= MOST for shard in out)
    assert all(shard.ids >= LEAST for shard in out[:-1])
    assert out[0].start_bytes == 0
    assert out[-1].end_bytes == small[-1].end_bytes
