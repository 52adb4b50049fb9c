"""Taking in what earlier runs wrote: fast where all is ours, careful where something is not."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher.errors import OutputError, OutputMismatch
from fetcher.idset import IdSet
from fetcher.output import Identity
from fetcher.output.compress import Plain, lines_in, regions_of
from fetcher.output.disk import Disk
from fetcher.output.journal import Held, Journal
from fetcher.output.resume import Scan, enter
from tests.output.files import opened, product, stored

OURS = st.one_of(st.integers(1, 10**19).map(str), st.sampled_from(["0", "007", "sku-7", "a b", "é", "1" * 20]))
LINES = st.one_of(
    OURS.map(lambda one: json.dumps({"id": one, "data": {}}, separators=(",", ":"), ensure_ascii=False).encode()),
    st.sampled_from(
        [b"", b"{}", b'{"id":7}', b'{"id":"', b'{"id":"1"', b'["id"]', b'{"id":"1","data":tru', b'x{"id":"9"}']
    ),
)


@given(st.lists(LINES, max_size=30))
def test_a_region_is_entered_as_its_lines_are(lines: list[bytes]) -> None:
    """The quick way and the careful way find the same IDs and count the same good lines."""
    region, done = b"".join(line + b"\n" for line in lines), IdSet()
    good = enter(region, len(lines), done)
    model = {json.loads(line)["id"] for line in lines if line.startswith(b'{"id":"') and line.endswith(b"}")}
    assert good == len(done) == len(model)
    assert all(one in done for one in model)


@given(
    st.lists(st.binary(max_size=12).map(lambda text: text.replace(b"\n", b"")), max_size=20),
    st.integers(1, 9),
    st.binary(max_size=5),
)
def test_regions_hold_the_whole_lines(lines: list[bytes], block: int, torn: bytes) -> None:
    """However the reads fall, joined they are the file up to its last newline, and the offset says where that is."""
    data = b"".join(line + b"\n" for line in lines)
    file, rest = io.BytesIO(data + torn.replace(b"\n", b"")), b""
    for region, end in regions_of(Plain(), lambda _: file.read(block)):
        rest += region
        assert end == len(rest)
        assert all(b"\n" not in line for line in lines_in(region))
    assert rest == data


def test_zero_bytes_in_the_midst_are_found(tmp_path: Path) -> None:
    """A power cut can leave a hole in a file's middle: the line that it hit is taken out, its neighbours stay."""
    run = opened(tmp_path)
    for number in range(1, 30):
        run.append([product(number)])
    run.close()
    path = tmp_path / "out.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    lines[10] = lines[10][:20] + b"\0" * (len(lines[10]) - 22) + b"}\n"
    path.write_bytes(b"".join(lines))
    again = opened(tmp_path)
    assert "11" not in again.done
    assert again.earlier.fetched == 28
    again.close()
    assert stored(path) == [str(number) for number in range(1, 30) if number != 11]


def test_a_line_that_runs_into_the_next_is_found(tmp_path: Path) -> None:
    """Cut by another program while we went on: it begins and ends like one of ours, and is none."""
    run = opened(tmp_path)
    run.append([product(number) for number in range(1, 30)])
    run.close()
    path = tmp_path / "out.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join((*lines[:10], lines[10][:30], *lines[11:])))
    again = opened(tmp_path)
    assert [number for number in range(1, 30) if str(number) not in again.done] == [11, 12]
    again.close()


def test_a_torn_line_that_was_followed_by_others_is_found_at_the_end(tmp_path: Path) -> None:
    """The last four lines are parsed whole; one that only begins and ends like ours goes."""
    run = opened(tmp_path)
    run.append([product(number) for number in range(1, 9)])
    run.close()
    path = tmp_path / "out.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    lines[5] = b'{"id":"6","data":{"x":}\n'
    path.write_bytes(b"".join(lines))
    again = opened(tmp_path)
    assert [number for number in range(1, 9) if str(number) not in again.done] == [6]
    again.close()


@pytest.mark.untraced
def test_samples_tell_how_many_lines_there_are(tmp_path: Path) -> None:
    """Within a tenth, where the lines are alike; the set then grows once."""
    path = tmp_path / "out.jsonl"
    path.write_bytes(b"".join(b'{"id":"%d","data":{"x":"%b"}}\n' % (k, b"y" * (k % 90)) for k in range(1, 60_001)))
    journal, done = Journal(str(path), Disk()), IdSet()
    assert journal.expected_lines() == pytest.approx(60_000, rel=0.1)
    scan = Scan(journal)
    scan.into(done)
    assert (scan.lines, scan.bad, len(done)) == (60_000, 0, 60_000)
    assert done.size_bytes <= 12 * 60_000


def test_nobody_slips_in_while_a_file_is_rewritten(tmp_path: Path) -> None:
    """The new file is locked before it has the name: at every moment a second opener is turned away."""
    path = str(tmp_path / "out.jsonl")
    turned_away = []

    class Watched(Disk):
        def replace(self, source: str, target: str) -> None:
            self.try_it()
            super().replace(source, target)
            self.try_it()

        def try_it(self) -> None:
            other = Journal(path, Disk())
            with pytest.raises(Held):
                other.open()
            turned_away.append(1)

    journal = Journal(path, Watched())
    journal.open()
    journal.append(b'{"id":"1"}\n{"id":"2"}\n')
    journal.rewrite(lambda line: b"2" in line)
    journal.append(b'{"id":"3"}\n')
    journal.close()
    assert len(turned_away) == 2
    assert stored(Path(path)) == ["2", "3"]


def test_a_mismatch_counts_what_is_on_its_way_too(tmp_path: Path) -> None:
    """Lines of another API beside an OUT that is still empty are as good a reason to refuse."""
    run = opened(tmp_path, "out.jsonl.gz", sync_interval_s=3600.0)
    run.append([product(1)])
    run.let_go()
    with pytest.raises(OutputMismatch, match="another API"):
        opened(tmp_path, "out.jsonl.gz", identity=Identity("1/other/api", "param2", "https://gw.open.1688.com/openapi"))


def test_another_program_that_cuts_the_file_is_noticed(tmp_path: Path) -> None:
    """Going on would write lines behind a hole: the run ends, and what is in the file stands."""
    run = opened(tmp_path)
    run.append([product(1), product(2)])
    path = tmp_path / "out.jsonl"
    path.write_bytes(path.read_bytes()[:30])
    with pytest.raises(OutputError, match="another program"):
        run.append([product(3)])
    run.let_go()
    again = opened(tmp_path)
    assert len(again.done) == 0  # cut within 1, and 3 stands on what is left of it: all are to be done again
    again.close()
    assert (tmp_path / "out.jsonl.bad").exists()
