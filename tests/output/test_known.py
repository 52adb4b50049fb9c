"""Which IDs other files hold, and since when."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
import zstandard

from fetcher.errors import UsageError
from fetcher.model import Product
from fetcher.output import fresh_since_ms, read_known
from fetcher.output.line import encode
from tests.output.files import IDENTITY, failure, opened, product

DAY_MS = 86_400_000


def a_file(path: Path, *lines: bytes) -> str:
    """Written as its name says."""
    data = b"".join(lines)
    packed = {".gz": gzip.compress, ".zst": zstandard.ZstdCompressor().compress}.get(path.suffix, bytes)
    path.write_bytes(packed(data))
    return str(path)


@pytest.mark.parametrize("name", ["old.jsonl", "old.jsonl.gz", "old.jsonl.zst"])
def test_only_what_was_fetched_since_then(tmp_path: Path, name: str) -> None:
    """To the millisecond; a failure is not fetched, whenever it was; an ID may be any text."""
    lines = [encode(Product(str(day), day * DAY_MS, 1, 1.0, b"{}")) for day in range(1, 6)]
    plain = a_file(tmp_path / f"plain.{name}", *lines)
    mixed = a_file(tmp_path / name, *lines, encode(failure(9)), encode(Product('a"b', 9 * DAY_MS, 1, 1.0, b"{}")))
    for path, more in ((plain, 0), (mixed, 1)):
        assert len(read_known([path], "")) == 5 + more
        found = read_known([path], "1970-01-04T00:00:00.000Z")
        assert len(found) == 3 + more and "3" in found and "2" not in found and "9" not in found
        assert len(read_known([path], "1970-01-04T00:00:00.001Z")) == 2 + more


def test_the_list_of_what_was_the_same_is_known_too(tmp_path: Path) -> None:
    """Its slim lines say when."""
    path = a_file(
        tmp_path / "a.unchanged.jsonl",
        b'{"id":"7","fetched_at":"2026-11-23T18:00:00.123Z","attempts":1,"latency_ms":1.0,"change":"same"}\n',
    )
    assert "7" in read_known([path], "2026-11-23T18:00:00.000Z")


def test_a_file_that_is_missing_or_not_ours_is_refused(tmp_path: Path) -> None:
    """A list of IDs is not an OUT; an empty OUT is one."""
    with pytest.raises(UsageError, match="there is no file"):
        read_known([str(tmp_path / "none")], "")
    with pytest.raises(UsageError, match="no product of ours"):
        read_known([a_file(tmp_path / "ids.txt", b"1\n2\n")], "")
    assert len(read_known([a_file(tmp_path / "empty.jsonl")], "")) == 0


def test_a_run_that_goes_on_keeps_to_the_time_that_its_beginning_said(tmp_path: Path) -> None:
    """Until its OUT is gone, begun anew, or asked for another age."""
    out = str(tmp_path / "out.jsonl")
    since_ms = fresh_since_ms(out, 7 * 86_400.0, 10 * DAY_MS, overwrite=False)
    assert since_ms == 3 * DAY_MS
    run = opened(tmp_path)
    run.remember_fresh(IDENTITY, 7 * 86_400.0, since_ms)
    run.append([product(1)])
    run.close()
    opened(tmp_path).close()  # a run without the option leaves it alone
    assert fresh_since_ms(out, 7 * 86_400.0, 12 * DAY_MS, overwrite=False) == since_ms
    assert fresh_since_ms(out, 6 * 86_400.0, 12 * DAY_MS, overwrite=False) == 6 * DAY_MS
    assert fresh_since_ms(out, 7 * 86_400.0, 12 * DAY_MS, overwrite=True) == 5 * DAY_MS
    Path(out).unlink()
    assert fresh_since_ms(out, 7 * 86_400.0, 12 * DAY_MS, overwrite=False) == 5 * DAY_MS
