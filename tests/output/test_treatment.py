"""Products on their way into OUT: thinned, watched, compared, in this order."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fetcher.errors import Defect
from fetcher.metrics import SchemaWatch
from fetcher.model import Product
from fetcher.output import Comparison, Treatment
from fetcher.output.line import encode
from fetcher.policy import FieldFilter
from tests.output.files import NAMES, opened, stored
from tests.output.test_known import a_file

PERSON = FieldFilter(drop=[("buyer",)])


def a_line(number: int, data: bytes) -> bytes:
    return encode(Product(str(number), 0, 1, 1.0, data))


@pytest.mark.parametrize("name", NAMES)
def test_nothing_that_is_left_out_reaches_the_disk(tmp_path: Path, name: str) -> None:
    """Neither OUT nor what lies beside it while it is written; what is stored is compared."""
    old = a_file(tmp_path / "old.jsonl", a_line(1, b'{"price":1.50}'))
    comparison = Comparison([old])
    output = opened(tmp_path, name, treatment=Treatment(PERSON, None, comparison), sync_interval_s=60.0)
    output.append([Product(str(n), 0, 1, 1.0, b'{"buyer":"Zhang San","price":1.50}') for n in (1, 2)])
    beside = [path for path in tmp_path.iterdir() if path.is_file()]
    assert not any(b"Zhang" in path.read_bytes() for path in beside)
    output.close()
    comparison.close()
    assert stored(tmp_path / name) == ["1", "2"]
    assert comparison.counts == {"new": 1, "changed": 0, "same": 1}


def test_an_answer_that_cannot_be_thinned_is_not_stored(tmp_path: Path) -> None:
    """Rather stop than store what was to be left out."""
    output = opened(tmp_path, treatment=Treatment(PERSON))
    with pytest.raises(Defect, match="could not be stored"):
        output.append([Product("1", 0, 1, 1.0, b'{"buyer":')])
    output.close()
    assert stored(tmp_path / "out.jsonl") == []


def test_what_vanishes_is_noticed_in_lots_of_any_size() -> None:
    """The watch counts products, not calls of `treat`."""
    good, empty = a_line(1, b'{"info":{"subject":"x"}}'), a_line(1, b'{"info":null}')
    for lot in (1, 7, 500):
        treatment = Treatment(None, SchemaWatch())
        for kind in (good, empty):
            for _ in range(0, 500, lot):
                treatment.treat(kind * lot, [len(kind)] * lot)
        assert treatment.vanished == ["info"]


def test_a_run_that_goes_on_learns_from_out(tmp_path: Path) -> None:
    """Begun again after the change, it still knows what products look like."""
    lines = [a_line(n, json.dumps({"info": n}).encode()) for n in range(1, 80)]
    treatment = Treatment(None, SchemaWatch())
    treatment.learn(a_file(tmp_path / "out.jsonl", *lines))
    for n in range(30):
        treatment.treat(line := a_line(n, b"{}"), [len(line)])
    assert treatment.vanished == ["info"]
    for out in ("-", str(tmp_path / "none.jsonl")):
        Treatment(None, SchemaWatch()).learn(out)
