"""The reader: duplicates, resumption, limits, warnings, and the law of its counts."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from fetcher.errors import InputError
from fetcher.ids import SourceCounts, source_of
from fetcher.idset import IdSet
from fetcher.model import Failure, Item
from tests.ids.reading import balanced, codes, cut, drain, ids, stdin


def test_duplicates_are_dropped_near_and_far() -> None:
    """In any spelling, bad ones too."""
    source = stdin(b'1\n1\n2\n01\nx\n"1"\nx \n1\n')
    found = drain(source)
    assert (ids(found), codes(found)) == (["1", "2"], ["not_digits"])
    assert source.counts == SourceCounts(
        lines=8, duplicates=5, bad=1, items=2, repaired={"leading_zeros": 1, "quotes": 1}
    )


def test_what_an_earlier_run_has_done_is_known_once() -> None:
    """A second mention of it is a duplicate; a bad line that was reported is not reported again."""
    text = b"1\n2\n1\n\x1b[31m\n2\n"
    first = drain(stdin(text))
    known = IdSet()
    for outcome in first[:1] + first[2:]:
        known.add(outcome.id)
    source = stdin(text, known=known)
    assert ids(drain(source)) == ["2"]
    assert source.counts == SourceCounts(lines=5, duplicates=2, known=2, items=1)


def test_read_gives_at_most_n_and_nothing_only_at_the_end() -> None:
    """Lots of lines that hold nothing new do not look like the end."""
    source = stdin([b"1\n2\n3\n", b"1\n" * 5000, b"\n" * 5000, b"4\n", b"1\n"])
    assert [ids(source.read(2)) for _ in range(4)] == [["1", "2"], ["3"], ["4"], []]
    assert source.counts.lines == 10_005


def test_counts_tell_of_handed_out_lines_only() -> None:
    """Reading ahead is not progress."""
    source = stdin(b"\n1\n\n2\n3\n")
    assert source.counts.lines == 1
    source.read(1)
    assert source.counts == SourceCounts(lines=2, blank=1, items=1)


def test_limit_counts_new_good_ids() -> None:
    """Bad, known and repeated ones are free; nothing after the last one is read."""
    known = IdSet()
    known.add("1")
    source = stdin(b"1\nx\n2\n2\n3\n4\n5\n", limit=2, known=known)
    found = drain(source)
    assert (ids(found), codes(found)) == (["2", "3"], ["not_digits"])
    assert source.counts.lines == 5
    assert balanced(source.counts)


def test_failures_carry_line_and_time() -> None:
    """A bad line names its number."""
    (failure,) = stdin(b"\n\n12x\n").read(5)
    assert isinstance(failure, Failure)
    assert (failure.id, failure.error.line, failure.fetched_at_ms) == ("12x", 3, 1_700_000_000_000)


def test_mostly_undecodable_text_is_a_wrong_encoding() -> None:
    """The sentence says which line and what to try; a bad line among good ones is only a bad line."""
    names = "".join(f"红色{at}\n" for at in range(9)).encode("gb18030")
    with pytest.raises(InputError, match="line 1 of stdin is not utf-8 text") as caught:
        drain(stdin(names, numeric=False))
    assert "--encoding gb18030" in caught.value.advice
    assert len(ids(drain(stdin(names, numeric=False, encoding="gb18030")))) == 9
    found = drain(stdin(b"1\n2\n3\n\xff\xff\n\xfe\n4\n"))
    assert (ids(found), codes(found)) == (["1", "2", "3", "4"], ["undecodable", "undecodable"])


def test_a_single_undecodable_line_is_an_encoding_error() -> None:
    """More than half of one line is that line."""
    with pytest.raises(InputError, match="line 1"):
        drain(stdin("红".encode("gb18030")))


def test_rounded_ids_are_warned_of() -> None:
    """Most of twenty long IDs end in 000; one in a thousand would be usual."""
    rounded = b"".join(b"6109475%02d000\n" % at for at in range(20))
    usual = b"".join(b"6109475723%02d\n" % at for at in range(19))
    source = stdin(rounded + usual)
    drain(source, 7)
    assert len(source.warnings) == 1
    assert "rounded" in source.warnings[0]


@pytest.mark.parametrize(
    "text",
    [
        b"".join(b"6109475%02d000\n" % at for at in range(19)),
        b"".join(b"6109475723%02d\n6109475%02d000\n" % (at, at) for at in range(50)),
        b"".join(b"%d000\n" % at for at in range(1, 50)),
    ],
)
def test_usual_ids_are_not_warned_of(text: bytes) -> None:
    """Few IDs, half of them, or short ones prove nothing."""
    source = stdin(text)
    drain(source)
    assert source.warnings == []


def test_ids_at_hand_are_read_like_a_file() -> None:
    """Checked and counted; but a text is a text: no comments, no headings."""
    source = source_of(["id", " 1 ", "1", "#2", "3"], numeric=False, wall_ms=lambda: 0)
    assert ids(drain(source)) == ["id", "1", "#2", "3"]
    assert balanced(source.counts)
    assert (source.is_pipe, source.total_bytes, source.position_bytes) == (False, None, None)


def test_a_stream_is_never_read_ahead_of_its_reader() -> None:
    """A generator of endless IDs is asked for one block at a time."""
    asked = 0

    def endless() -> Iterator[bytes]:
        nonlocal asked
        while True:
            asked += 1
            yield b"".join(b"%d\n" % (asked * 1000 + at) for at in range(1000))

    source = stdin(endless())
    for _ in range(50):
        assert len(source.read(100)) == 100
    assert asked <= 6


GOOD = st.integers(1, 40).map(str)
SPELT = st.tuples(GOOD, st.sampled_from(["{}", " {}", "00{}", '="{}"', "'{}", "{}.0"])).map(lambda t: t[1].format(t[0]))
BAD = st.sampled_from(["1x", "0", "-1", "１", "6.1E11", "1\x002", "\x1b[0m3", "a\u2028b\u0085", "9" * 20, "7" * 66_000])
ASIDE = st.sampled_from(["", "  ", "\u3000"])


@st.composite
def inputs(draw: st.DrawFn) -> tuple[list[str], str]:
    """Lines of one format, and their text with mixed line ends, the last one perhaps without."""
    kind = draw(st.sampled_from(["txt", "csv", "jsonl"]))
    lines = draw(st.lists(GOOD | SPELT | BAD | ASIDE, max_size=25))
    if kind == "txt":
        lines = [draw(st.sampled_from(["1", "#", "id", "# 中"])), *lines]
    elif kind == "csv":
        garnish = st.sampled_from(["{},x", '{},"x, y"', "{}", '{},"x', '"{}",', "{},中\u2028;"])
        lines = ["id,title", *(draw(garnish).format(line) for line in lines)]
    else:
        garnish = st.sampled_from(["{}", '{{"id":"{}"}}', '{{"id":{}}}', '{{"x":"{}"}}'])
        lines = ['{"id":1}', *(draw(garnish).format(line) for line in lines)]
    ends = [draw(st.sampled_from(["\n", "\r\n"])) for _ in lines]
    if draw(st.booleans()):
        ends = ["\r"] * len(lines)
    if lines[-1] and draw(st.booleans()):
        ends[-1] = ""
    return lines, "".join(map(str.__add__, lines, ends))


@pytest.mark.untraced
@settings(deadline=None)
@given(
    inputs(),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "gb18030"]),
    st.sampled_from([bytes, gzip.compress, zstandard.compress]),
    st.lists(st.integers(1, 30), max_size=20),
    st.integers(1, 9),
    st.sets(GOOD | BAD),
)
def test_every_line_is_accounted_for(
    written: tuple[list[str], str], encoding: str, pack: type[bytes], sizes: list[int], n: int, earlier: set[str]
) -> None:
    """The law holds at each moment and for any mixture; and cuts, packing and encoding change nothing."""
    lines, text = written
    csv = {"column": "id"} if lines[0] == "id,title" else {}

    def outcome(data: bytes, pieces: list[int], asked: str | None) -> tuple[list[Item | Failure], SourceCounts]:
        known = IdSet()
        for done in sorted(earlier):
            known.add(done)
        source = stdin(cut(data, pieces), known=known, encoding=asked, **csv)
        found: list[Item | Failure] = []
        while lot := source.read(n):
            found += lot
            assert balanced(source.counts)
            assert (source.counts.items, source.counts.bad) == (len(ids(found)), len(codes(found)))
        return found, source.counts

    found, counts = outcome(text.encode(), [], None)
    assert counts.lines == len(lines)
    assert balanced(counts)
    assert len({one.id for one in found}) == len(found)
    assert not {one.id for one in found} & earlier
    asked = "gb18030" if encoding == "gb18030" else None
    if any(len(line) > 60_000 for line in lines) and encoding in ("utf-16", "gb18030"):
        return  # what is kept of a line that is too long is told by its bytes
    assert outcome(pack(text.encode(encoding)), sizes, asked) == (found, counts)


def test_what_other_files_hold_is_passed_over_and_counted() -> None:
    """Once each, duplicates as duplicates; the limit counts new ones only; odd spellings are the same ID."""
    with stdin(b"1\n2\n3\n2\n4.0\n5\n6\n", fresh=IdSet(["2", "4"]), known=IdSet(["5"]), limit=2) as source:
        assert ids(drain(source)) == ["1", "3"]
    with stdin(b"1\n2\n3\n2\n4.0\n5\n6\n", fresh=IdSet(["2", "4"]), known=IdSet(["5"])) as source:
        assert ids(drain(source)) == ["1", "3", "6"]
        assert (source.counts.fresh, source.counts.known, source.counts.duplicates) == (2, 1, 1)
        assert balanced(source.counts)
