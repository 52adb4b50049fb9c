"""Answers, good and broken, as bytes, and what must become of each. All lanes and the fake are held to one table."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass

import zstandard

from fetcher.model import Lost
from tests.transport.raw_server import chunked, plain

BODY = b'{"productInfo":{"productID":610947572360,"subject":"\xe8\xbf\x9e\xe8\xa1\xa3\xe8\xa3\x99"}}'


def gzipped(data: bytes) -> bytes:
    """Without the time of day, which would give a test another name in each process that collects it."""
    return gzip.compress(data, mtime=0)


GZIPPED = gzipped(BODY)
HEAD = b"HTTP/1.1 200 OK\r\n"
LIMIT = 100_000
"""Longest body in these tests."""


@dataclass(frozen=True)
class Script:
    """What the far end sends after a request, and what is to be made of it."""

    name: str
    answer: bytes
    body: bytes | None = BODY
    """Of the reply; None when there must be none."""
    status: int = 200
    lost: Lost | None = None
    close: bool = False
    """Close the connection after the answer."""
    reusable: bool | None = None
    """Whether the fast lane keeps the connection; None where it does not matter."""


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def encoded(name: str, data: bytes) -> bytes:
    return plain(data, f"Content-Encoding: {name}")


GOOD = [
    Script("a length", plain(BODY), reusable=True),
    Script("no body", plain(b""), b"", reusable=True),
    Script("chunks", chunked(BODY[:10], BODY[10:11], BODY[11:]), reusable=True),
    Script("chunks with extensions", HEAD + b"Transfer-Encoding: chunked\r\n\r\n2;a=b\r\nhi\r\n0\r\n\r\n", b"hi"),
    Script("chunks with a trailer", chunked(BODY)[:-2] + b"Content-Encoding: gzip\r\n\r\n", reusable=True),
    Script("up to the end", HEAD + b"\r\n" + BODY, close=True),
    Script("up to the end, in HTTP/1.0", b"HTTP/1.0 200 OK\r\n\r\n" + BODY, close=True),
    Script("HTTP/1.0 with a length", plain(BODY).replace(b"1.1", b"1.0"), reusable=False),
    Script("the connection to be closed", plain(BODY, "Connection: close"), reusable=False),
    Script("an interim answer first", b"HTTP/1.1 100 Continue\r\n\r\n" + plain(BODY), reusable=True),
    Script("hints first", b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" + plain(BODY), reusable=True),
    Script("no reason phrase", plain(BODY, status="200"), reusable=True),
    Script("204", b"HTTP/1.1 204 No Content\r\n\r\n", b"", 204, reusable=True),
    Script("304 with a length", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", b"", 304),
    Script("a redirect", plain(b"", "Location: http://127.0.0.1:1/", status="307 Temporary"), b"", 307),
    Script("an error", plain(BODY, status="503 Busy"), BODY, 503, reusable=True),
    Script("gzip", encoded("gzip", GZIPPED), reusable=True),
    Script("x-gzip in capitals", encoded("X-GZIP", GZIPPED)),
    Script("gzip in chunks", chunked(GZIPPED[:5], GZIPPED[5:], headers=("Content-Encoding: gzip",))),
    Script("gzip of two members", encoded("gzip", gzipped(BODY[:9]) + gzipped(BODY[9:]))),
    Script("gzip up to the end", HEAD + b"Content-Encoding: gzip\r\n\r\n" + GZIPPED, close=True),
    Script("deflate", encoded("deflate", zlib.compress(BODY))),
    Script("deflate without a header", encoded("deflate", raw_deflate(BODY))),
    Script("zstd", encoded("zstd", zstandard.compress(BODY))),
    Script("identity", encoded("identity", BODY)),
    Script("a body of the limit", plain(b"x" * LIMIT), b"x" * LIMIT),
    Script("bytes after the answer", plain(BODY) + b"HTTP/1.1 200 OK\r\n", reusable=False),
    Script("a second answer", plain(BODY) + plain(b"another"), reusable=False),
]


def lost(name: str, answer: bytes, kind: Lost, *, close: bool = True) -> Script:
    return Script(name, answer, None, lost=kind, close=close)


BROKEN = [
    lost("closed at once", b"", Lost.DISCONNECTED),
    lost("closed within the status line", b"HTTP/1.1 2", Lost.DISCONNECTED),
    lost("closed within the headers", HEAD + b"Content-Le", Lost.DISCONNECTED),
    lost("closed before the body", HEAD + b"Content-Length: 5\r\n\r\n", Lost.DISCONNECTED),
    lost("closed within the body", HEAD + b"Content-Length: 5\r\n\r\nabcd", Lost.DISCONNECTED),
    lost("closed within a chunk", chunked(BODY)[:-20], Lost.DISCONNECTED),
    lost("closed before the last chunk", chunked(BODY)[:-5], Lost.DISCONNECTED),
    lost("an interim answer only", b"HTTP/1.1 100 Continue\r\n\r\n", Lost.DISCONNECTED),
    lost("not HTTP", b"<html><body>nginx</body></html>\r\n\r\n", Lost.MALFORMED),
    lost("a status that is no number", b"HTTP/1.1 OK\r\nContent-Length: 0\r\n\r\n", Lost.MALFORMED),
    lost("a header without a colon", HEAD + b"Content-Length 5\r\n\r\nabcde", Lost.MALFORMED),
    lost("a length that is no number", HEAD + b"Content-Length: five\r\n\r\nabcde", Lost.MALFORMED),
    lost("a negative length", HEAD + b"Content-Length: -5\r\n\r\nabcde", Lost.MALFORMED),
    lost("two lengths", HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef", Lost.MALFORMED),
    lost("a chunk size that is no number", HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nhi\r\n", Lost.MALFORMED),
    lost(
        "a chunk longer than it says",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhiho\r\n0\r\n\r\n",
        Lost.MALFORMED,
    ),
    lost("an unknown transfer coding", HEAD + b"Transfer-Encoding: gzip\r\n\r\nabc", Lost.MALFORMED),
    lost("an upgrade", b"HTTP/1.1 101 No\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", Lost.MALFORMED),
    lost("truncated gzip", encoded("gzip", GZIPPED[:-3]), Lost.MALFORMED),
    lost("gzip without its trailer", encoded("gzip", GZIPPED[:-8]), Lost.MALFORMED),
    lost("gzip with a wrong checksum", encoded("gzip", GZIPPED[:-8] + bytes(8)), Lost.MALFORMED),
    lost("gzip that is none", encoded("gzip", BODY), Lost.MALFORMED),
    lost("gzip and a tail", encoded("gzip", GZIPPED + b"tail"), Lost.MALFORMED),
    lost("gzip truncated up to the end", HEAD + b"Content-Encoding: gzip\r\n\r\n" + GZIPPED[:-9], Lost.MALFORMED),
    lost("truncated deflate", encoded("deflate", zlib.compress(BODY)[:-2]), Lost.MALFORMED),
    lost("truncated zstd", encoded("zstd", zstandard.compress(BODY)[:-4]), Lost.MALFORMED),
    lost("gzip in gzip", encoded("gzip, gzip", gzipped(GZIPPED)), Lost.MALFORMED),
    lost("an unknown compression", encoded("compress", BODY), Lost.MALFORMED),
    lost("a length over the limit", HEAD + b"Content-Length: 100001\r\n\r\n" + b"x" * 100_001, Lost.TOO_LARGE),
    lost("chunks over the limit", chunked(*[b"x" * 10_000] * 11), Lost.TOO_LARGE),
    lost("endlessly up to the end", HEAD + b"\r\n" + b"x" * 300_000, Lost.TOO_LARGE),
    lost("a bomb", encoded("gzip", gzipped(bytes(LIMIT * 50))), Lost.TOO_LARGE),
    lost("a bomb of zstd", encoded("zstd", zstandard.compress(bytes(LIMIT * 50))), Lost.TOO_LARGE),
    lost("a header line over the limit", plain(BODY, "X-Long: " + "x" * 9_000), Lost.TOO_LARGE),
    lost("headers over the limit", plain(BODY, *["X-Many: " + "x" * 1_000] * 70), Lost.TOO_LARGE),
]

STRICT = [
    lost("another version", b"HTTP/7.3 200 OK\r\n\r\n", Lost.MALFORMED),
    lost(
        "a length and chunks",
        HEAD + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        Lost.MALFORMED,
    ),
    lost("lines that end in LF", plain(BODY).replace(b"\r\n", b"\n"), Lost.MALFORMED),
    lost("status 99", plain(BODY, status="099 What"), Lost.MALFORMED),
    lost("one endless header", HEAD + b"X: " + b"x" * 200_000, Lost.TOO_LARGE),
    lost("chunk extensions without end", chunked()[:-5] + (b"1;" + b"x" * 60_000 + b"\r\na\r\n") * 6, Lost.TOO_LARGE),
    lost("a trailer without end", chunked(b"a")[:-2] + b"X-Trailer: abc\r\n" * 9_000, Lost.TOO_LARGE),
]
"""What httpx reads more leniently, or calls by another name."""
