"""New, changed or the same: as lines, as files, and over resumed runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fetcher.errors import InputError, OutputError, UsageError
from fetcher.idset import IdSet
from fetcher.model import Product
from fetcher.output import Comparison, Disk, Output, Treatment, inspect_output, unchanged_path_of, verify_output
from fetcher.output.line import encode
from tests.output.files import NAMES, failure, opened, stored
from tests.output.test_known import a_file


def a_product(number: int, payload: bytes) -> Product:
    """One that was fetched."""
    return Product(str(number), 1000 * number, 1, 1.0, payload)


def earlier(path: Path) -> str:
    """Products 1 to 3, the second with room between its members."""
    texts = (b'{"a":1,"b":2}', b'{ "a": 1, "b": 2.50 }', b'{"a":3}')
    return a_file(path, *(encode(a_product(number, text)) for number, text in enumerate(texts, 1)))


NOW = [
    a_product(1, b'{"b":2,"a":1}'),  # turned round: the same
    a_product(2, b'{"a":1,"b":2.5}'),  # a number written otherwise: changed
    a_product(3, b'{"a":3}'),
    a_product(4, b"{}"),
]


def run(folder: Path, name: str, comparison: Comparison, outcomes: list[Any], **options: Any) -> Output:
    """A run that stores these."""
    output = opened(folder, name, treatment=Treatment(comparison=comparison), **options)
    output.append(outcomes)
    output.close()
    comparison.close()
    return output


@pytest.mark.parametrize("name", NAMES)
def test_each_line_says_what_has_become_of_it(tmp_path: Path, name: str) -> None:
    """In a field behind the documented head; the rest of the line stays as it would have been."""
    comparison = Comparison([earlier(tmp_path / f"old.{name}")])
    products = comparison.sort(b"".join(map(encode, NOW))).out.splitlines()
    found = [json.loads(line) for line in products]
    assert [line["change"] for line in found] == ["same", "changed", "same", "new"]
    assert list(found[0]) == ["id", "fetched_at", "attempts", "latency_ms", "change", "data"]
    assert products[1].replace(b'"change":"changed",', b"") + b"\n" == encode(NOW[1])
    assert comparison.counts == {"new": 1, "changed": 1, "same": 2}
    comparison.close()


@pytest.mark.parametrize("name", NAMES)
def test_only_what_changed(tmp_path: Path, name: str) -> None:
    """OUT has what is new or changed, a list beside it the rest: together every ID once, also when it goes on."""
    old = earlier(tmp_path / "old.jsonl")
    output = run(tmp_path, name, Comparison([old], only_changed=True), [*NOW[:3], failure(9)])
    out, unchanged = tmp_path / name, Path(unchanged_path_of(str(tmp_path / name)))
    assert (stored(out), stored(unchanged)) == (["2"], ["1", "3"])
    assert verify_output(str(out), None, ["1", "2", "3", "9"]).ok
    comparison = Comparison([old], only_changed=True)
    again = opened(tmp_path, name, treatment=Treatment(comparison=comparison))
    assert [each in again.done for each in "1234"] == [True, True, True, False]
    assert (again.earlier.fetched, again.earlier.unchanged, again.earlier.failed) == (1, 2, 1)
    again.append(NOW[3:])
    again.close()
    comparison.close()
    proof = verify_output(str(out), None, ["1", "2", "3", "4", "9"])
    assert proof.ok and (proof.fetched, proof.unchanged, proof.failed, proof.foreign) == (2, 2, 1, 0)
    done, seen = inspect_output(str(out), None)
    assert len(done) == 5 and seen.unchanged == 2
    assert output.taken_back.unchanged == []
    opened(tmp_path, name, overwrite=True).close()
    assert stored(unchanged) == []


def test_what_other_files_hold_counts_in_the_proof(tmp_path: Path) -> None:
    """Passed over is an outcome; what is neither there nor here is missing."""
    run(tmp_path, "out.jsonl", Comparison([earlier(tmp_path / "old.jsonl")]), NOW[:1])
    proof = verify_output(str(tmp_path / "out.jsonl"), None, ["1", "2", "3"], IdSet(["2", "1"]))
    assert not proof.ok and (proof.known, proof.missing, proof.foreign) == (1, 1, 0)


def test_of_several_files_the_last_named_counts(tmp_path: Path) -> None:
    """As a chain of what changed week by week has it; lists of what was the same say nothing."""
    later = a_file(tmp_path / "later.jsonl.gz", encode(a_product(1, b'{"a":9}')))
    comparison = Comparison([earlier(tmp_path / "old.jsonl"), later])
    assert [comparison.change("1", text) for text in (b'{"a":9}', b'{"a":1,"b":2}')] == ["same", "changed"]
    assert comparison.change("3", b'{"a":3}') == "same" and len(comparison) == 3
    comparison.close()


def test_a_file_that_changes_under_our_hands_is_noticed(tmp_path: Path) -> None:
    """Rather than compare with the wrong line."""
    path = earlier(tmp_path / "old.jsonl")
    comparison = Comparison([path])
    Path(path).write_bytes(b"x" * 10)
    with pytest.raises(InputError, match="was changed"):
        comparison.change("2", b"{}")
    comparison.close()


def test_out_is_not_compared_with_itself(tmp_path: Path) -> None:
    """It would grow while it is read; a file that is missing or not ours is refused too."""
    comparison = Comparison([earlier(tmp_path / "out.jsonl")])
    with pytest.raises(UsageError, match="compared with itself"):
        opened(tmp_path, treatment=Treatment(comparison=comparison))
    comparison.close()
    for path in (tmp_path / "none", Path(a_file(tmp_path / "ids.txt", b"1\n"))):
        with pytest.raises(UsageError, match=r"no file|no product"):
            Comparison([str(path)])


class NoSync(Disk):
    """A disk that fails to make anything durable."""

    def sync(self, descriptor: int) -> None:
        raise OSError(5, "Input/output error")


def test_a_list_that_the_disk_loses_is_taken_back(tmp_path: Path) -> None:
    """What was cut away with a failed sync counts as left, slim lines too."""
    comparison = Comparison([earlier(tmp_path / "old.jsonl")], only_changed=True)
    output = opened(tmp_path, treatment=Treatment(comparison=comparison), sync_interval_s=60.0, disk=NoSync())
    output.append(NOW[:1])
    with pytest.raises(OutputError):
        output.sync()
    assert output.taken_back.unchanged == ["1"] and output.taken_back.fetched == []
    output.let_go()
    comparison.close()
