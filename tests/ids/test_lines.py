"""From bytes to lines."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher.errors import InputError
from fetcher.ids.lines import MAX_LINE_BYTES, Lines, Spoilt
from tests.ids.reading import Pieces, cut


def lines_of(*pieces: bytes, encoding: str | None = None) -> list[str]:
    """All lines of these pieces."""
    lines = Lines(Pieces(pieces).read, encoding)
    found: list[str] = []
    while lot := lines.lot():
        found += lot
    assert lines.lot() == []
    return found


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", []),
        (b"1", ["1"]),
        (b"1\n2", ["1", "2"]),
        (b"1\n2\n", ["1", "2"]),
        (b"1\r\n2\r\n", ["1", "2"]),
        (b"1\r2\r", ["1", "2"]),
        (b"\n\r\n\r\r\n", ["", "", "", ""]),
        (b"1\n\r2", ["1", "", "2"]),
        (b"1\x0b2\x0c3\x1c4\x85", ["1\x0b2\x0c3\x1c4\\x85"]),
        ("1\u20282\u20293\u0085\n4".encode(), ["1\u20282\u20293\u0085", "4"]),
    ],
)
def test_lines_end_at_n_rn_and_r_only(data: bytes, expected: list[str]) -> None:
    """Whole and byte by byte, the same lines come out."""
    assert lines_of(data) == expected
    assert lines_of(*(data[at : at + 1] for at in range(len(data)))) == expected


@pytest.mark.parametrize(
    "encoding", ["utf-8-sig", "utf-16", "utf-32", "utf-16-le+bom", "utf-16-be+bom", "utf-32-be+bom", "utf-8"]
)
def test_a_byte_order_mark_is_believed(encoding: str) -> None:
    """With a mark nobody has to say the encoding, and the mark never becomes part of the first ID."""
    name, _, mark = encoding.partition("+")
    data = (("\ufeff" if mark else "") + "编号\r\n1\r\nਊ\n").encode(name)
    assert lines_of(data) == ["编号", "1", "ਊ"]
    assert lines_of(*(data[at : at + 1] for at in range(len(data)))) == ["编号", "1", "ਊ"]


@pytest.mark.parametrize("encoding", ["gb18030", "GBK", "big5", "utf-16-le", "utf-16-be", "UTF-16", "utf-7", "hz"])
def test_an_encoding_can_be_asked_for(encoding: str) -> None:
    """Encodings in which a line end is not a single byte among them."""
    assert lines_of("中文\n610\r\n7".encode(encoding), encoding=encoding) == ["中文", "610", "7"]


def test_a_mark_is_believed_before_the_encoding_asked_for() -> None:
    """A wrong `--encoding` does not spoil a file that says what it is."""
    assert lines_of("中\n".encode("utf-8-sig"), encoding="gb18030") == ["中"]
    assert lines_of("中\n".encode("utf-16"), encoding="utf-8") == ["中"]


def test_one_undecodable_line_spoils_itself_only() -> None:
    """Its neighbours are read, and its bytes can still be told apart."""
    first, spoilt, last = lines_of("中\n".encode() + b"\xff12\n3\n")
    assert (first, last) == ("中", "3")
    assert isinstance(spoilt, Spoilt)
    assert (spoilt, spoilt.loose, spoilt.bad.code) == ("\\xff12", "\ufffd12", "undecodable")


def test_half_a_character_at_the_end_of_utf16_is_seen() -> None:
    """A file cut in the middle of a character does not end in silence."""
    assert lines_of("1\n2".encode("utf-16-le") + b"3", encoding="utf-16-le") == ["1", "2\ufffd"]


@pytest.mark.parametrize("text", ["610947572360\n", "商品编号,id\n红色,610947572360\n"])
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_without_a_mark_is_told_once(encoding: str, text: str) -> None:
    """Instead of one failure for each line, a sentence with the remedy; also where Chinese stands before the IDs."""
    with pytest.raises(InputError) as caught:
        lines_of(text.encode(encoding))
    assert encoding in caught.value.advice


@pytest.mark.parametrize("encoding", ["klingon", "hex", "", "\0"])
def test_an_unknown_encoding_is_an_input_error(encoding: str) -> None:
    """The empty name is the default; any other unknown one is refused before a byte is read."""
    if not encoding:
        assert lines_of(b"1", encoding=encoding) == ["1"]
        return
    with pytest.raises(InputError):
        Lines(Pieces([]).read, encoding)


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r", b""])
@pytest.mark.parametrize("size", [MAX_LINE_BYTES - 1, MAX_LINE_BYTES, MAX_LINE_BYTES + 1, 3 * MAX_LINE_BYTES])
def test_a_line_over_64_kib_is_given_up_alone(size: int, end: bytes) -> None:
    """However it is cut into blocks it gives the same short stand-in, and its neighbours are whole."""
    data = b"1\n" + b"7" * size + end + (b"2\n" if end else b"")
    whole = lines_of(data)
    assert len(whole) == (3 if end else 2)
    assert isinstance(whole[1], Spoilt) == (size > MAX_LINE_BYTES)
    if size > MAX_LINE_BYTES:
        assert whole[1].bad.code == "line_too_long"  # type: ignore[attr-defined]
        assert len(whole[1]) == 200
    for step in (50_000, len(data) - 1, 2 + size, 3 + size):
        assert lines_of(*(data[at : at + step] for at in range(0, len(data), step))) == whole


def test_long_lines_in_wide_characters_are_measured_in_bytes() -> None:
    """30 000 Chinese characters are 90 000 bytes, in one block or in several."""
    data = ("中" * 30_000 + "\n1\n").encode()
    assert isinstance(lines_of(data)[0], Spoilt)
    assert lines_of(*cut(data, [70_000, 10_000])) == lines_of(data)


def test_memory_does_not_follow_the_length_of_a_line() -> None:
    """A line of 128 MB costs less than 2 MB."""

    def endless() -> Iterator[bytes]:
        block = b"7" * (256 * 1024)
        for _ in range(512):
            yield block
        yield b"\n1\n"

    lines = Lines(Pieces(endless()).read)
    tracemalloc.start()
    try:
        assert [type(line) for line in lines.lot()] == [Spoilt, str]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2_000_000


@given(
    st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=12)),
    st.lists(st.sampled_from(["\n", "\r\n"]), min_size=1),
    st.sampled_from(["utf-8-sig", "utf-16", "gb18030"]),
    st.lists(st.integers(1, 9), max_size=30),
)
def test_lines_do_not_depend_on_where_blocks_end(
    texts: list[str], ends: list[str], encoding: str, sizes: list[int]
) -> None:
    """Any text, any line ends, any encoding, any cuts: the lines come back."""
    written = "".join(text + ends[at % len(ends)] for at, text in enumerate(texts))
    asked = "gb18030" if encoding == "gb18030" else None
    data = written.encode(encoding)
    if encoding == "gb18030" and texts and data.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        return  # a text that begins like a byte order mark
    assert lines_of(*cut(data, sizes), encoding=asked) == texts
