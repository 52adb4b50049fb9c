"""Answers under a known head: cut out of the buffer only where llhttp would have read the very same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher.transport.answers import AnswerReader
from fetcher.transport.faults import Broken
from fetcher.transport.known_heads import MOST_LEARNT, KnownHeads
from tests.transport.scripts import LIMIT

DATE = "Sat, 28 Nov 2026 13:59:05 GMT"
LINES = (
    ("Server: nginx", "Server: tengine 1.0\t(x)", "server: nginx", "Server:", "Server: \xe9"),
    (f"Date: {DATE}", "Date: Sun, 29 Nov 2026 00:00:00 GMT", f"date: {DATE}", f"Date:{DATE}"),
    ("Content-Type: application/json", "Content-Type: text/html", "Content-type: application/json"),
    ("Content-Length: 4", "Content-Length: 9", "Content-Length: 0", "content-length: 4", "Content-Length:4"),
    ("Connection: keep-alive", "Connection: close", "Connection: Keep-Alive", "X-Trace: 17"),
    (
        "Trace: 1",
        "Trace: 22",
        "Retry-After: 5",
        "Content-Length: 5",
        "Transfer-Encoding: chunked",
        " folded",
        "bad line",
    ),
    (
        "Content-Encoding: gzip",
        "Content-Encoding: identity",
        "X: \x01",
        "Set-Cookie: a=b; Path=/",
        "Keep-Alive: timeout=5",
    ),
)
STATUS = (
    "HTTP/1.1 200 OK",
    "HTTP/1.1 503 Busy",
    "HTTP/1.0 200 OK",
    "HTTP/1.1 204 No",
    "HTTP/1.1 100 Go on",
    "HTTP/1.1 2x0 OK",
)


def head(status: int, picked: tuple[int, ...]) -> bytes:
    """An answer's first lines; a choice beyond the end of a row leaves the line out."""
    lines = [row[pick] for row, pick in zip(LINES, picked, strict=True) if pick < len(row)]
    return "\r\n".join([STATUS[status], *lines, "", ""]).encode("latin-1")


def by_llhttp(data: bytes) -> tuple[object, ...] | None:
    """What the reader makes of it: None unless it is one whole answer after which another may follow."""
    reader = AnswerReader(LIMIT)
    try:
        if not reader.feed(data) or not reader.reusable:
            return None
    except Broken:
        return None
    return (reader.status, reader.body(), reader.content_type, reader.encoding, reader.date, reader.retry_after)


def by_heads(known: KnownHeads, data: bytes) -> tuple[object, ...] | None:
    """What the short way makes of it: None where it leaves it to the reader."""
    last = known.last
    found = None if last is None else last.match(memoryview(data), 0, len(data))
    if last is None or found is None or found.end() + int(found["length"]) != len(data):
        return None
    date = found["date"].decode("latin-1") if last.has_date else None
    return (last.status, data[found.end() :], last.content_type, last.encoding, date, last.retry_after)


def learnt(data: bytes) -> KnownHeads:
    """What is known after this answer."""
    known, reader = KnownHeads(), AnswerReader(LIMIT)
    try:
        if reader.feed(data):
            known.learn(data, reader)
    except Broken:
        pass
    return known


PICKS = st.tuples(*(st.integers(0, len(row)) for row in LINES))
BODIES = st.sampled_from([b"", b"{}", b"abcd", b"12345", b"123456789", b"HTTP/1.1 200 OK\r\n\r\n"])


@given(st.integers(0, 5), PICKS, BODIES, st.integers(0, 5), PICKS, BODIES)
def test_what_is_cut_out_is_what_llhttp_reads(
    first_status: int, first: tuple[int, ...], body: bytes, status: int, picked: tuple[int, ...], other: bytes
) -> None:
    """For any two answers, sound or not: the short way says nothing, or the same."""
    known = learnt(head(first_status, first) + body)
    for data in (head(first_status, first) + other, head(status, picked) + other):
        short = by_heads(known, data)
        if short is not None:
            assert short == by_llhttp(data)


@given(st.integers(0, 200), st.binary(max_size=3))
def test_a_byte_changed_anywhere_is_seen_or_means_nothing(at: int, inserted: bytes) -> None:
    """Whatever is written into a head that was known."""
    start = head(0, (0,) * 7)[:-2] + b"Cookie: a=1\r\n\r\n"
    start = start.replace(b"Trace: 1\r\n", b"").replace(b"Content-Encoding: gzip\r\n", b"")
    known = learnt(start + b"abcd")
    assert by_heads(known, start + b"abcd") is not None
    data = start[:at] + inserted + start[at + 1 :] + b"abcd"
    short = by_heads(known, data)
    if short is not None:
        assert short == by_llhttp(data)


def test_lengths_dates_and_trace_numbers_may_differ() -> None:
    """That is what the short way is for."""
    known = learnt(b"HTTP/1.1 200 OK\r\nDate: a\r\nContent-Length: 2\r\nTrace: 1\r\n\r\n{}")
    data = b"HTTP/1.1 200 OK\r\nDate: b\r\nContent-Length: 4\r\nTrace: 22\r\n\r\nabcd"
    assert by_heads(known, data) == (200, b"abcd", "", "", "b", None)


@pytest.mark.parametrize("cut", [1, 20, 57, 60])
def test_what_is_not_whole_is_left_to_the_reader(cut: int) -> None:
    """Head or body may still be on the way."""
    data = b"HTTP/1.1 200 OK\r\nDate: a\r\nContent-Length: 4\r\nTrace: 1\r\n\r\nabcd"
    assert by_heads(learnt(data), data[:cut]) is None
    assert by_heads(learnt(data), data + b"H") is None


def test_a_gateway_whose_heads_never_look_alike_is_given_up() -> None:
    """Patterns cost something to make."""
    known, reader = KnownHeads(), AnswerReader(LIMIT)
    for number in range(MOST_LEARNT + 5):
        data = b"HTTP/1.1 200 OK\r\nX-%d: a\r\nContent-Length: 0\r\n\r\n" % number
        reader.expect()
        assert reader.feed(data)
        known.learn(data, reader)
    assert known.last is not None
    assert known.last.match(b"HTTP/1.1 200 OK\r\nX-%d: a\r\nContent-Length: 0\r\n\r\n" % (MOST_LEARNT - 1))
