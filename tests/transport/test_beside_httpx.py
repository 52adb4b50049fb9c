"""The fast lane beside httpx's own engine (httpcore, h11): the same answers, good, strange and broken, to both.

What they make of an answer must be the same: status, headers and body, or the kind of exception. Where it is not, the
row stands in `DIFFERENT` with what each of them says and why; a row that stands there without need fails, too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import httpx
import pytest

from fetcher.clock import SystemClock
from fetcher.model import Reply, Request
from fetcher.transport import FastTransport, FetcherTransport
from tests.transport.answers_table import ROWS, Row
from tests.transport.raw_server import Far, plain, raw_server
from tests.transport.scripts import LIMIT

WAITED_FOR: Final = frozenset({"up to the end that does not come", "interim answers without end"})
"""Rows, besides those of silence, in which one of the two waits until its deadline."""
OF_CODING: Final = frozenset({"content-encoding", "content-length", "transfer-encoding"})
"""Headers that speak of a coding; the fast lane hands them on as they are without it (see `as_httpx`)."""
BYTE_BY_BYTE: Final = 400
"""Answers up to this length are sent byte by byte as well."""

Outcome = str | tuple[int, list[tuple[str, str]], bytes]

TWO_READERS = "smuggling: two readers on the way may understand it in two ways"
GRAMMAR = "llhttp is stricter than h11 about what RFC 9112 does not allow"
FIRST_MEMBER = "httpx inflates the first member or frame only, or does not know the coding by this name"
CUT = "truncation: httpx takes half of a body for the whole"
NOT_OFFERED = "a coding that no request offers is not handed on as if it were the content"
LIMITED = "limits: httpx has none on bodies, and about 100 KB on the rest"
AT_ONCE = "found at once; httpx waits for bytes that cannot come"

MALFORMED, CORRUPT, TOO_LARGE, LATE = "RemoteProtocolError", "DecodingError", "ReadError", "ReadTimeout"
WELL = "200"

DIFFERENT: Final[dict[str, tuple[str, str, str]]] = {
    "the same length twice": (MALFORMED, WELL, TWO_READERS),
    "the same length twice in a line": (MALFORMED, WELL, TWO_READERS),
    "a length before chunks": (MALFORMED, WELL, TWO_READERS),
    "a length after chunks": (MALFORMED, WELL, TWO_READERS),
    "a length as a trailer": (MALFORMED, WELL, TWO_READERS),
    "lines that end in LF": (MALFORMED, WELL, TWO_READERS),
    "one line that ends in LF": (MALFORMED, WELL, TWO_READERS),
    "a folded value": (MALFORMED, WELL, TWO_READERS),
    "a folded value with a tab": (MALFORMED, WELL, TWO_READERS),
    "a space after the chunk size": (MALFORMED, WELL, GRAMMAR),
    "a control character in a value": (MALFORMED, WELL, GRAMMAR),
    "DEL in a value": (MALFORMED, WELL, GRAMMAR),
    "HTTP/1.2": (MALFORMED, WELL, GRAMMAR),
    "empty lines before the answer": (WELL, MALFORMED, "llhttp skips them, as RFC 9112, 2.2 has it for requests"),
    "Chunked in capitals": (WELL, WELL, "h11 rewrites the value in small letters"),
    "a length over 64 bits": (MALFORMED, LATE, AT_ONCE),
    "a chunk size over 64 bits": (MALFORMED, LATE, AT_ONCE),
    "interim answers without end": (TOO_LARGE, LATE, AT_ONCE),
    "x-gzip": (WELL, WELL, FIRST_MEMBER),
    "gzip of two members": (WELL, WELL, FIRST_MEMBER),
    "gzip and a tail": (CORRUPT, WELL, CUT),
    "gzip truncated": (CORRUPT, WELL, CUT),
    "gzip without its trailer": (CORRUPT, WELL, CUT),
    "gzip of ten bytes": (CORRUPT, WELL, CUT),
    "deflate truncated": (CORRUPT, WELL, CUT),
    "br truncated": (CORRUPT, WELL, CUT),
    "gzip within gzip": (CORRUPT, WELL, NOT_OFFERED),
    "gzip within gzip, two headers": (CORRUPT, WELL, NOT_OFFERED),
    "a coding that nobody knows": (CORRUPT, WELL, NOT_OFFERED),
    "a header line of 9 KB": (TOO_LARGE, WELL, LIMITED),
    "a header line of 200 KB": (TOO_LARGE, MALFORMED, LIMITED),
    "a header that never ends": (TOO_LARGE, MALFORMED, LIMITED),
    "70 KB of headers": (TOO_LARGE, WELL, LIMITED),
    "a trailer of 100 KB": (TOO_LARGE, WELL, LIMITED),
    "chunk extensions without end": (TOO_LARGE, MALFORMED, LIMITED),
    "a bomb": (TOO_LARGE, WELL, LIMITED),
    "a body over the limit": (TOO_LARGE, WELL, LIMITED),
    "chunks over the limit": (TOO_LARGE, WELL, LIMITED),
    "up to an end over the limit": (TOO_LARGE, WELL, LIMITED),
}


ASKED: Final = Request("POST", "/", b"productID=1")
ONE_AND_NO_MORE: Final = frozenset({"bytes after the answer"})
"""Answers after which the connection cannot be used."""


def ours() -> httpx.AsyncBaseTransport:
    return FetcherTransport(max_body_bytes=LIMIT)


def theirs() -> httpx.AsyncBaseTransport:
    return httpx.AsyncHTTPTransport(verify=False)  # no TLS here: the authorities need not be loaded for each row


def timeout_s(row: Row) -> float:
    """Short where nothing will come, long enough for a busy machine elsewhere."""
    waits = "silence" in row.name or "over 64 bits" in row.name or row.name in WAITED_FOR
    return 0.1 if waits else 5.0


async def ask(transport: httpx.AsyncBaseTransport, origin: str, row: Row) -> Outcome:
    """One request through `httpx.AsyncClient`: what a caller gets to see."""
    async with httpx.AsyncClient(transport=transport) as client:
        try:
            response = await client.request(row.method, origin, timeout=httpx.Timeout(5, read=timeout_s(row)))
        except httpx.RequestError as error:
            return type(error).__name__
    pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers.raw]
    return response.status_code, pairs, response.content


def player(row: Row, piece_bytes: int) -> Callable[[Far], Awaitable[None]]:
    """A far end that answers in pieces, and then closes or is silent."""

    async def play(far: Far) -> None:
        await far.request()
        for at in range(0, len(row.answer), piece_bytes):
            await far.say(row.answer[at : at + piece_bytes])
            await asyncio.sleep(0)
        if not row.close:
            await far.wait_for_end()

    return play


async def outcome(make: Callable[[], httpx.AsyncBaseTransport], row: Row, piece_bytes: int = 10_000_000) -> Outcome:
    async with raw_server(player(row, piece_bytes)) as server:
        return await ask(make(), server.origin, row)


def told(result: Outcome) -> str:
    return result if isinstance(result, str) else str(result[0])


def comparable(result: Outcome, row: Row) -> Outcome:
    """Without the headers that speak of a coding, where there is one."""
    if isinstance(result, str) or b"content-encoding" not in row.answer.lower() or row.method == "HEAD":
        return result
    return result[0], [pair for pair in result[1] if pair[0].lower() not in OF_CODING], result[2]


@pytest.mark.untraced
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
async def test_both_make_the_same_of_it(row: Row) -> None:
    """Or it is listed above, with what each of them says."""
    mine, his = await outcome(ours, row), await outcome(theirs, row)  # not at once: httpx's pace is not ours
    if row.name not in DIFFERENT:
        assert comparable(mine, row) == comparable(his, row)
        return
    assert (told(mine), told(his)) == DIFFERENT[row.name][:2]
    assert comparable(mine, row) != comparable(his, row)


@pytest.mark.untraced
@pytest.mark.parametrize("row", [row for row in ROWS if len(row.answer) <= BYTE_BY_BYTE], ids=lambda row: row.name)
async def test_it_makes_no_difference_how_it_arrives(row: Row) -> None:
    """Byte by byte, the fast lane makes the same of it."""
    whole, dripped = await asyncio.gather(outcome(ours, row), outcome(ours, row, 1))
    assert dripped == whole


async def lane_reads(row: Row, *earlier: bytes) -> object:
    """What the lane itself makes of it, after so many answers that have taught it what heads look like here."""

    async def play(far: Far) -> None:
        for answer in earlier:
            await far.request()
            await far.say(answer)
        await player(row, 10_000_000)(far)

    async with raw_server(play) as server:
        transport = FastTransport(server.origin, clock=SystemClock(), max_body_bytes=LIMIT)
        for _ in earlier:
            assert isinstance(await (await transport.ready()).exchange(ASKED, 5), Reply)  # type: ignore[union-attr]
        got = await (await transport.ready()).exchange(ASKED, timeout_s(row))  # type: ignore[union-attr]
        await transport.aclose()
        return (got.status, got.body, got.content_type) if isinstance(got, Reply) else (got.kind, got.sent)


@pytest.mark.untraced
@pytest.mark.parametrize("row", [row for row in ROWS if row.method != "HEAD"], ids=lambda row: row.name)
async def test_what_the_lane_has_learnt_of_heads_changes_nothing(row: Row) -> None:
    """Heads that look alike are not parsed anew: the answer means what it means to a lane that has seen nothing yet."""
    new = await lane_reads(row)
    assert await lane_reads(row, plain(b"ok")) == new
    if not row.close and row.name not in ONE_AND_NO_MORE and isinstance(new, tuple) and isinstance(new[0], int):
        assert await lane_reads(row, row.answer, row.answer) == new


def test_the_table_is_wide_and_in_order() -> None:
    """Two hundred rows, each name once, and no difference without its row."""
    names = [row.name for row in ROWS]
    assert len(names) == len(set(names)) >= 200
    assert set(DIFFERENT) <= set(names)
