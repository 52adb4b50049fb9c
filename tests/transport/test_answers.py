"""Answers read from bytes, however these arrive."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher.model import Lost
from fetcher.transport.answers import AnswerReader
from fetcher.transport.faults import Broken
from fetcher.transport.inflate import inflate
from tests.transport.raw_server import chunked, plain
from tests.transport.scripts import BODY, BROKEN, GOOD, LIMIT, STRICT, Script


def read(script: Script, step: int) -> AnswerReader:
    """Feed the script in pieces of so many bytes, until it is whole or broken."""
    reader = AnswerReader(LIMIT)
    whole = False
    for at in range(0, len(script.answer), step):
        whole = reader.feed(memoryview(script.answer)[at : at + step])
        if whole:
            break
    if not whole and script.close:
        whole = reader.end()
    if not whole:
        raise Broken(Lost.DISCONNECTED, "closed within the answer")
    return reader


@pytest.mark.parametrize("step", [1, 7, 10**9], ids=["byte by byte", "by seven", "whole"])
@pytest.mark.parametrize("script", GOOD, ids=lambda script: script.name)
def test_pieces_do_not_matter_to_sound_answers(script: Script, step: int) -> None:
    """The network may cut anywhere."""
    reader = read(script, step if len(script.answer) < 9_000 else max(step, 1_000))
    assert (reader.status, inflate(reader.encoding, reader.body(), LIMIT)) == (script.status, script.body)
    if script.reusable is True:
        assert reader.reusable
    if script.reusable is False and step > len(script.answer):
        assert not reader.reusable


@pytest.mark.parametrize("step", [1, 7, 10**9], ids=["byte by byte", "by seven", "whole"])
@pytest.mark.parametrize("script", BROKEN + STRICT, ids=lambda script: script.name)
def test_pieces_do_not_matter_to_broken_answers(script: Script, step: int) -> None:
    """What is wrong is named alike, wherever the network cuts."""
    with pytest.raises(Broken) as caught:
        reader = read(script, step if len(script.answer) < 9_000 else max(step, 1_000))
        inflate(reader.encoding, reader.body(), LIMIT)
    assert caught.value.kind is script.lost


@pytest.mark.parametrize("script", [one for one in GOOD if one.reusable], ids=lambda script: script.name)
def test_one_answer_follows_another(script: Script) -> None:
    """Nothing of an answer is left when the next one is expected."""
    reader = AnswerReader(LIMIT)
    assert reader.feed(plain(b"x" * 99, "Retry-After: 1", "Date: today", "Content-Encoding: br", "Keep-Alive: max=1"))
    reader.expect()
    assert (reader.body(), reader.encoding, reader.retry_after, reader.date) == (b"", "", None, None)
    assert reader.feed(script.answer)
    assert inflate(reader.encoding, reader.body(), LIMIT) == script.body


def test_headers_are_kept_when_asked_for() -> None:
    """In their order, with their spelling; those of an interim answer and of a trailer are none of them."""
    reader = AnswerReader(LIMIT)
    reader.expect(keep_headers=True)
    answer = b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + chunked(BODY, headers=("X-One: 1", "x-one: 2"))
    assert reader.feed(answer[:-2] + b"X-Trailer: 3\r\n\r\n")
    assert reader.headers == [(b"Transfer-Encoding", b"chunked"), (b"X-One", b"1"), (b"x-one", b"2")]


def test_an_answer_to_head_has_no_body() -> None:
    """Its length speaks of what a GET would bring; it may be over any limit."""
    reader = AnswerReader(LIMIT)
    reader.expect(keep_headers=True, no_body=True)
    assert reader.feed(plain(b"").replace(b": 0", b": 999999999"))
    assert (reader.status, reader.body(), reader.reusable) == (200, b"", False)


def test_reading_stops_at_the_limit() -> None:
    """What is over it is not kept: an endless body takes no more memory than the limit."""
    reader = AnswerReader(1_000)
    reader.feed(b"HTTP/1.1 200 OK\r\n\r\n")
    with pytest.raises(Broken):
        for _ in range(100):
            reader.feed(bytes(100))
    assert reader.held_bytes == 1_000


@given(st.binary(max_size=300), st.integers(1, 40))
def test_no_bytes_break_the_reader(data: bytes, step: int) -> None:
    """Whatever comes, it is an answer, not yet one, or Broken."""
    reader = AnswerReader(LIMIT)
    with suppress(Broken):
        for at in range(0, len(data), step):
            if reader.feed(data[at : at + step]):
                break


@given(st.sampled_from([one for one in GOOD if len(one.answer) < 1_000]), st.data())
def test_one_wrong_byte_does_not_break_the_reader(script: Script, data: st.DataObject) -> None:
    """Damage ends as an answer, as none, or as Broken, never as another exception."""
    at = data.draw(st.integers(0, len(script.answer) - 1))
    wrong = script.answer[:at] + bytes([data.draw(st.integers(0, 255))]) + script.answer[at + 1 :]
    with suppress(Broken):
        reader = AnswerReader(LIMIT)
        if reader.feed(wrong) or reader.end():
            inflate(reader.encoding, reader.body(), LIMIT)
