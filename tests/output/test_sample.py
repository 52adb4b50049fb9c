"""What the files of earlier runs tell of the next one."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from fetcher.output import Sample, sample_of


def line(number: int, **more: object) -> str:
    """A line as OUT has them."""
    return json.dumps({"id": str(number), "fetched_at": "", "attempts": 1 + number % 2, "latency_ms": 50.0, **more})


def test_means_of_the_last_lines(tmp_path: Path) -> None:
    """Bytes a product, attempts, latency; failures by kind. A torn line at the end is passed over."""
    out, failed = tmp_path / "out.jsonl", tmp_path / "out.failed.jsonl"
    out.write_text("".join(f"{line(k, data={})}\n" for k in range(101)) + '{"id":"1')
    failed.write_text("".join(f"{line(k, error={'kind': 'timeout' if k else 'not_found'})}\n" for k in range(3)))
    sample = sample_of(str(out), str(failed), 101)
    assert sample.line_bytes == pytest.approx(out.stat().st_size / 101)
    assert sample.attempts == pytest.approx(1.5, abs=0.01)
    assert sample.latency_s == pytest.approx(0.05)
    assert sample.failed_by_kind == {"timeout": 2, "not_found": 1}


def test_compressed_files_tell_their_size(tmp_path: Path) -> None:
    """As they lie on the disk; the rest stays unknown."""
    out = tmp_path / "out.jsonl.gz"
    out.write_bytes(gzip.compress(f"{line(1)}\n".encode()))
    sample = sample_of(str(out), str(tmp_path / "none"), 1)
    assert sample == Sample(line_bytes=float(out.stat().st_size))


def test_nothing_there_tells_nothing(tmp_path: Path) -> None:
    """No OUT, an empty one, standard output, a folder."""
    (tmp_path / "empty.jsonl").touch()
    for out in ("none.jsonl", "empty.jsonl", "-", "."):
        assert sample_of(str(tmp_path / out) if out != "-" else out, str(tmp_path / "none"), 0) == Sample()
