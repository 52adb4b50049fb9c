"""What two finished files hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from fetcher.errors import OutputError
from fetcher.model import ErrorInfo, Failure, Kind, Product
from fetcher.output import contents_of, encode_all, sha256_of


def a_failure(product_id: str, kind: Kind, *, permanent: bool) -> Failure:
    """A line of the failed file."""
    return Failure(product_id, 0, 1, 1.0, ErrorInfo(kind, None, "", 200, permanent=permanent))


def test_ids_kinds_and_permanence_are_read_back(tmp_path: Path) -> None:
    """In the order of the lines; a file that is not there is empty."""
    out, failed = str(tmp_path / "a.jsonl"), str(tmp_path / "a.failed.jsonl")
    lines = encode_all(
        [
            Product("2", 0, 1, 1.0, b"{}"),
            Product("1", 0, 1, 1.0, b"{}"),
            a_failure("3", Kind.NOT_FOUND, permanent=True),
            a_failure("4", Kind.TIMEOUT, permanent=False),
        ]
    )
    Path(out).write_bytes(lines.products)
    assert contents_of(out, failed).failed == []
    Path(failed).write_bytes(lines.failures)
    found = contents_of(out, failed)
    assert (found.fetched, found.failed) == (["2", "1"], ["3", "4"])
    assert (found.permanent, found.by_kind) == (1, {"not_found": 1, "timeout": 1})
    assert len(sha256_of(out)) == 64


@pytest.mark.parametrize(("text", "what"), [(b'{"id":"1"', "ends within"), (b"hello\n", "none of ours")])
def test_a_torn_or_foreign_line_is_refused(tmp_path: Path, text: bytes, what: str) -> None:
    """A part with one is not fit to be published."""
    out = tmp_path / "a.jsonl"
    out.write_bytes(encode_all([Product("2", 0, 1, 1.0, b"{}")]).products + text)
    with pytest.raises(OutputError, match=what):
        contents_of(str(out), str(tmp_path / "none"))
