"""Answers of servers, good, strict, strange and broken, as bytes: the rows of `test_beside_httpx`.

In the spirit of h11's and llhttp's own tests of answers. `CLOSE` after the bytes, or silence.
"""

from __future__ import annotations

import zlib
from typing import NamedTuple

import brotli
import zstandard

from tests.transport.raw_server import chunked, plain
from tests.transport.scripts import BODY, GZIPPED, HEAD, encoded, gzipped, raw_deflate

CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n"


class Row(NamedTuple):
    """What the far end sends to a request and whether it closes then."""

    name: str
    answer: bytes
    close: bool = False
    method: str = "GET"


def status(line: bytes, tail: bytes = b"Content-Length: 2\r\n\r\nok") -> bytes:
    return line + b"\r\n" + tail


def header(*lines: bytes) -> bytes:
    return HEAD + b"".join(line + b"\r\n" for line in lines) + b"Content-Length: 2\r\n\r\nok"


def chunks(rest: bytes) -> bytes:
    return CHUNKED + b"\r\n" + rest


def framed(*lines: bytes, body: bytes = b"hello") -> bytes:
    return HEAD + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body


FRAMING = [
    Row("a length", plain(BODY)),
    Row("a length of 0", plain(b"")),
    Row("a length in capitals", framed(b"CONTENT-LENGTH: 5")),
    Row("a length with zeros before it", framed(b"Content-Length: 005")),
    Row("a length with spaces round it", framed(b"Content-Length:    5   ")),
    Row("a length and no space after the colon", framed(b"Content-Length:5")),
    Row("the same length twice", framed(b"Content-Length: 5", b"Content-Length: 5")),
    Row("the same length twice in a line", framed(b"Content-Length: 5, 5")),
    Row("two lengths", framed(b"Content-Length: 5", b"Content-Length: 4")),
    Row("two lengths in a line", framed(b"Content-Length: 5, 4")),
    Row("two numbers as a length", framed(b"Content-Length: 4 2")),
    Row("an empty length", framed(b"Content-Length:")),
    Row("a negative length", framed(b"Content-Length: -5")),
    Row("a length with a sign", framed(b"Content-Length: +5")),
    Row("a length in hexadecimal", framed(b"Content-Length: 0x5")),
    Row("a length in words", framed(b"Content-Length: five")),
    Row("a length with an underscore", framed(b"Content-Length: 1_0", body=b"0123456789")),
    Row("a length in wide digits", framed("Content-Length: ５".encode())),
    Row("a length over 64 bits", framed(b"Content-Length: 99999999999999999999")),
    Row("up to the end", HEAD + b"\r\nhello", close=True),
    Row("up to the end, nothing", HEAD + b"\r\n", close=True),
    Row("up to the end that does not come", HEAD + b"\r\nhello"),
    Row("bytes after the answer", plain(BODY) + b"tail"),
    Row("a second answer", plain(BODY) + plain(b"another")),
    Row("empty lines before the answer", b"\r\n\r\n" + plain(BODY)),
]
CHUNKS = [
    Row("chunks", chunked(BODY[:10], BODY[10:11], BODY[11:])),
    Row("no chunk but the last", chunked()),
    Row("chunk sizes in capitals", chunks(b"A\r\n0123456789\r\n0\r\n\r\n")),
    Row("chunk sizes with zeros before them", chunks(b"0005\r\nhello\r\n0000\r\n\r\n")),
    Row("a chunk extension", chunks(b"5;a=b\r\nhello\r\n0;c\r\n\r\n")),
    Row("a chunk extension in quotes", chunks(b'5;a="b; c"\r\nhello\r\n0\r\n\r\n')),
    Row("a space after the chunk size", chunks(b"5 \r\nhello\r\n0\r\n\r\n")),
    Row("a trailer", chunks(b"5\r\nhello\r\n0\r\nX-After: 1\r\n\r\n")),
    Row("a length as a trailer", chunks(b"5\r\nhello\r\n0\r\nContent-Length: 3\r\n\r\n")),
    Row("a broken trailer", chunks(b"5\r\nhello\r\n0\r\nno colon\r\n\r\n")),
    Row("Chunked in capitals", framed(b"Transfer-Encoding: CHUNKED", body=b"5\r\nhello\r\n0\r\n\r\n")),
    Row("chunked twice", framed(b"Transfer-Encoding: chunked, chunked", body=b"5\r\nhello\r\n0\r\n\r\n")),
    Row(
        "chunked in two headers",
        framed(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked", body=b"5\r\nhello\r\n0\r\n\r\n"),
    ),
    Row("gzip as a transfer coding", framed(b"Transfer-Encoding: gzip", body=GZIPPED), close=True),
    Row("gzip, chunked", framed(b"Transfer-Encoding: gzip, chunked", body=b"5\r\nhello\r\n0\r\n\r\n")),
    Row("identity as a transfer coding", framed(b"Transfer-Encoding: identity"), close=True),
    Row("a transfer coding with a tab", framed(b"Transfer-Encoding:\tchunked", body=b"5\r\nhello\r\n0\r\n\r\n")),
    Row(
        "a length before chunks",
        framed(b"Content-Length: 5", b"Transfer-Encoding: chunked", body=b"5\r\nhello\r\n0\r\n\r\n"),
    ),
    Row(
        "a length after chunks",
        framed(b"Transfer-Encoding: chunked", b"Content-Length: 5", body=b"5\r\nhello\r\n0\r\n\r\n"),
    ),
    Row("a chunk size that is none", chunks(b"zz\r\nhello\r\n0\r\n\r\n")),
    Row("an empty chunk size", chunks(b"\r\nhello\r\n0\r\n\r\n")),
    Row("a negative chunk size", chunks(b"-5\r\nhello\r\n0\r\n\r\n")),
    Row("a chunk size with 0x", chunks(b"0x5\r\nhello\r\n0\r\n\r\n")),
    Row("a chunk size over 64 bits", chunks(b"FFFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n")),
    Row("a chunk longer than it says", chunks(b"2\r\nhello\r\n0\r\n\r\n")),
    Row("a chunk shorter than it says", chunks(b"9\r\nhello\r\n0\r\n\r\n"), close=True),
    Row("a chunk that ends in LF", chunks(b"5\r\nhello\n0\r\n\r\n")),
    Row("a chunk size that ends in LF", chunks(b"5\nhello\r\n0\r\n\r\n")),
    Row("chunks in HTTP/1.0", chunked(b"hello").replace(b"1.1", b"1.0"), close=True),
]
STATUS = [
    Row("no reason phrase", status(b"HTTP/1.1 200 ")),
    Row("no reason phrase and no space", status(b"HTTP/1.1 200")),
    Row("a reason phrase in Chinese", status("HTTP/1.1 200 成功".encode())),
    Row("a reason phrase in GBK", status("HTTP/1.1 200 成功".encode("gbk"))),
    Row("status 299", status(b"HTTP/1.1 299 Odd")),
    Row("status 600", status(b"HTTP/1.1 600 Odd")),
    Row("status 999", status(b"HTTP/1.1 999 Odd")),
    Row("status 099", status(b"HTTP/1.1 099 Odd")),
    Row("status 20", status(b"HTTP/1.1 20 Odd")),
    Row("status 2000", status(b"HTTP/1.1 2000 Odd")),
    Row("status 2a0", status(b"HTTP/1.1 2a0 Odd")),
    Row("status -200", status(b"HTTP/1.1 -200 Odd")),
    Row("no status", status(b"HTTP/1.1")),
    Row("two spaces before the status", status(b"HTTP/1.1  200 OK")),
    Row("a tab before the status", status(b"HTTP/1.1\t200 OK")),
    Row("a space before the version", status(b" HTTP/1.1 200 OK")),
    Row("the version in small letters", status(b"http/1.1 200 OK")),
    Row("HTTP/1.0 with a length", plain(BODY).replace(b"1.1", b"1.0")),
    Row("HTTP/1.0 up to the end", b"HTTP/1.0 200 OK\r\n\r\n" + BODY, close=True),
    Row("HTTP/1.0 kept alive", plain(BODY, "Connection: keep-alive").replace(b"1.1", b"1.0")),
    Row("HTTP/1.2", status(b"HTTP/1.2 200 OK")),
    Row("HTTP/2.0", status(b"HTTP/2.0 200 OK")),
    Row("HTTP/0.9", status(b"HTTP/0.9 200 OK")),
    Row("HTTP/1", status(b"HTTP/1 200 OK")),
    Row("HTTP/1.10", status(b"HTTP/1.10 200 OK")),
    Row("another protocol", status(b"ICY 200 OK")),
    Row("a page without a head", b"<html><body>nginx</body></html>\r\n\r\n", close=True),
    Row("TLS in answer to plain HTTP", b"\x15\x03\x03\x00\x02\x02\x46", close=True),
    Row("HTTP/2 in answer to HTTP/1.1", b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64", close=True),
    Row("zeros", bytes(64), close=True),
]
INTERIM = [
    Row("100 first", b"HTTP/1.1 100 Continue\r\n\r\n" + plain(BODY)),
    Row("102 and 103 first", b"HTTP/1.1 102 P\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" + plain(BODY)),
    Row("199 first", b"HTTP/1.1 199 Odd\r\nX: y\r\n\r\n" + plain(BODY)),
    Row("100 with a length first", b"HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\n" + plain(BODY)),
    Row("100 only", b"HTTP/1.1 100 Continue\r\n\r\n", close=True),
    Row("101", b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", close=True),
]
NO_BODY = [
    Row("204", b"HTTP/1.1 204 No Content\r\n\r\n"),
    Row("204 with a length of 0", b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"),
    Row("204 with a body", b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello"),
    Row("204 with chunks", b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
    Row("205 with a length of 0", b"HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n"),
    Row("304", b"HTTP/1.1 304 Not Modified\r\n\r\n"),
    Row("304 with the length of another answer", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n"),
    Row("304 with a body", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nhello"),
    Row("HEAD", framed(b"Content-Length: 500", body=b""), method="HEAD"),
    Row("HEAD without a length", HEAD + b"\r\n", method="HEAD"),
    Row("HEAD with chunks", CHUNKED + b"\r\n", method="HEAD"),
    Row("HEAD of gzip", framed(b"Content-Length: 5", b"Content-Encoding: gzip", body=b""), method="HEAD"),
    Row("HEAD with a body", framed(b"Content-Length: 5"), method="HEAD"),
    Row("HEAD of a body over the limit", framed(b"Content-Length: 500000", body=b""), method="HEAD"),
    Row("HEAD after 100", b"HTTP/1.1 100 Continue\r\n\r\n" + framed(b"Content-Length: 5", body=b""), method="HEAD"),
    Row("a POST's answer", plain(BODY, status="201 Created"), method="POST"),
    Row("a DELETE's 204", b"HTTP/1.1 204 No Content\r\n\r\n", method="DELETE"),
]
HEADERS = [
    Row("no header at all", b"HTTP/1.1 200 OK\r\n\r\n", close=True),
    Row("headers that repeat", header(b"Set-Cookie: a=b", b"Set-Cookie: c=d", b"X-One: 1")),
    Row("an empty value", header(b"X-Empty:")),
    Row("a value of spaces", header(b"X-Empty:     ")),
    Row("tabs round a value", header(b"X-Tab:\tone\t")),
    Row("a tab within a value", header(b"X-Tab: one\ttwo")),
    Row("a value in Latin-1", header(b"X-City: K\xf6ln")),
    Row("a value in UTF-8", header("X-City: 杭州".encode())),
    Row("an underscore in a name", header(b"x_under_score: 1")),
    Row("signs in a name", header(b"X!#$%&'*+-.^_`|~: 1")),
    Row("a colon in a value", header(b"Location: http://127.0.0.1:1/a:b")),
    Row("a space before the colon", header(b"X-One : 1")),
    Row("a space within a name", header(b"X One: 1")),
    Row("an empty name", header(b": 1")),
    Row("no colon", header(b"X-One 1")),
    Row("a name in Latin-1", header(b"X-\xf6: 1")),
    Row("a name in brackets", header(b"X(One): 1")),
    Row("NUL in a value", header(b"X-One: a\0b")),
    Row("a control character in a value", header(b"X-One: a\x01b")),
    Row("DEL in a value", header(b"X-One: a\x7fb")),
    Row("a bare CR in a value", header(b"X-One: a\rb")),
    Row("a folded value", header(b"X-One: a", b" b")),
    Row("a folded value with a tab", header(b"X-One: a", b"\tb")),
    Row("a fold in the first header", HEAD + b" X: y\r\nContent-Length: 2\r\n\r\nok"),
    Row("lines that end in LF", plain(b"ok").replace(b"\r\n", b"\n")),
    Row("one line that ends in LF", header(b"X-One: 1\nX-Two: 2")),
    Row("lines that end in CR", plain(b"ok").replace(b"\r\n", b"\r"), close=True),
    Row("a line that ends in CR CR LF", header(b"X-One: 1\r")),
    Row("a header line of 7 KB", header(b"X-Long: " + b"x" * 7_000)),
    Row("a header line of 9 KB", header(b"X-Long: " + b"x" * 9_000)),
    Row("a header line of 200 KB", header(b"X-Long: " + b"x" * 200_000)),
    Row("a header that never ends", HEAD + b"X-Long: " + b"x" * 300_000),
    Row("60 KB of headers", header(*[b"X-Many: " + b"x" * 1_000] * 59)),
    Row("70 KB of headers", header(*[b"X-Many: " + b"x" * 1_000] * 69)),
    Row("a thousand short headers", header(*[b"A: b"] * 1000)),
]
CONNECTION = [
    Row("Connection: close and a length", plain(BODY, "Connection: close")),
    Row("Connection: close up to the end", HEAD + b"Connection: close\r\n\r\nhello", close=True),
    Row("Connection: close and chunks", chunked(BODY, headers=("Connection: close",)), close=True),
    Row("Connection: keep-alive up to the end", HEAD + b"Connection: keep-alive\r\n\r\nhello", close=True),
    Row("Connection: upgrade in an ordinary answer", plain(BODY, "Connection: upgrade", "Upgrade: h2c")),
    Row("Proxy-Connection", plain(BODY, "Proxy-Connection: close")),
    Row("closed at once", b"", close=True),
    Row("closed within the status line", b"HTTP/1.1 2", close=True),
    Row("closed after the status line", HEAD, close=True),
    Row("closed within a header", HEAD + b"Content-Le", close=True),
    Row("closed before the empty line", HEAD + b"Content-Length: 5\r\n", close=True),
    Row("closed before the body", framed(b"Content-Length: 5", body=b""), close=True),
    Row("closed within the body", framed(b"Content-Length: 9"), close=True),
    Row("closed within a chunk size", chunks(b"1"), close=True),
    Row("closed within a chunk", chunks(b"9\r\nhello"), close=True),
    Row("closed after a chunk", chunks(b"5\r\nhello\r\n"), close=True),
    Row("closed within the last chunk", chunks(b"5\r\nhello\r\n0\r\n"), close=True),
    Row("silence", b""),
    Row("silence within the headers", HEAD + b"Content-Le"),
    Row("silence within the body", framed(b"Content-Length: 9")),
    Row("silence within a chunk", chunks(b"9\r\nhello")),
]
CODINGS = [
    Row("gzip", encoded("gzip", GZIPPED)),
    Row("gzip in capitals", encoded("GZip", GZIPPED)),
    Row("x-gzip", encoded("x-gzip", GZIPPED)),
    Row("gzip in chunks", chunked(GZIPPED[:5], GZIPPED[5:], headers=("Content-Encoding: gzip",))),
    Row("gzip up to the end", HEAD + b"Content-Encoding: gzip\r\n\r\n" + GZIPPED, close=True),
    Row("gzip of nothing", encoded("gzip", gzipped(b""))),
    Row("gzip and no body", encoded("gzip", b"")),
    Row("gzip of two members", encoded("gzip", gzipped(BODY[:9]) + gzipped(BODY[9:]))),
    Row("gzip and zeros", encoded("gzip", GZIPPED + bytes(9))),
    Row("gzip and a tail", encoded("gzip", GZIPPED + b"tail")),
    Row("gzip truncated", encoded("gzip", GZIPPED[:-12])),
    Row("gzip without its trailer", encoded("gzip", GZIPPED[:-8])),
    Row("gzip of ten bytes", encoded("gzip", GZIPPED[:10])),
    Row("gzip with a wrong checksum", encoded("gzip", GZIPPED[:-8] + bytes(8))),
    Row("gzip that is none", encoded("gzip", BODY)),
    Row("gzip within gzip", encoded("gzip, gzip", gzipped(GZIPPED))),
    Row("gzip within gzip, two headers", plain(gzipped(GZIPPED), "Content-Encoding: gzip", "Content-Encoding: gzip")),
    Row("a bomb", encoded("gzip", gzipped(bytes(2_000_000)))),
    Row("deflate", encoded("deflate", zlib.compress(BODY))),
    Row("deflate without a header", encoded("deflate", raw_deflate(BODY))),
    Row("deflate truncated", encoded("deflate", zlib.compress(BODY)[:-6])),
    Row("deflate that is none", encoded("deflate", b"\xff" + BODY)),
    Row("br", encoded("br", brotli.compress(BODY))),
    Row("br truncated", encoded("br", brotli.compress(BODY)[:-6])),
    Row("br that is none", encoded("br", BODY)),
    Row("zstd", encoded("zstd", zstandard.compress(BODY))),
    Row("zstd of two frames", encoded("zstd", zstandard.compress(BODY[:9]) + zstandard.compress(BODY[9:]))),
    Row("zstd truncated", encoded("zstd", zstandard.compress(BODY)[:-4])),
    Row("zstd that is none", encoded("zstd", BODY)),
    Row("identity", encoded("identity", BODY)),
    Row("an empty coding", encoded("", BODY)),
    Row("a coding that nobody knows", encoded("compress", BODY)),
    Row("a coding for nobody's body", b"HTTP/1.1 204 No Content\r\nContent-Encoding: gzip\r\n\r\n"),
]
LIMITS = [
    Row("a body of the limit", plain(b"x" * 100_000)),
    Row("a body over the limit", plain(b"x" * 100_001)),
    Row("chunks over the limit", chunked(*[b"x" * 10_000] * 11)),
    Row("up to an end over the limit", HEAD + b"\r\n" + b"x" * 100_001, close=True),
    Row("a thousand one-byte chunks", chunked(*[b"x"] * 1000)),
    Row("chunk extensions without end", chunks(b"1;" + b"x" * 60_000 + b"\r\na\r\n") * 1 + b"1;" + b"x" * 200_000),
    Row("interim answers without end", b"HTTP/1.1 103 H\r\nX: y\r\n\r\n" * 3000),
    Row("a trailer of 100 KB", chunks(b"5\r\nhello\r\n0\r\n" + b"X-Trailer: abc\r\n" * 6_000 + b"\r\n")),
]
ERRORS = [
    Row("a redirect", plain(b"", "Location: http://127.0.0.1:1/", status="307 Temporary")),
    Row("401", plain(b"no", "WWW-Authenticate: Basic realm=x", status="401 Unauthorized")),
    Row("429", plain(b"slow", "Retry-After: 3", status="429 Too Many Requests")),
    Row("500", plain(BODY, status="500 Oops")),
    Row("502 of a proxy", plain(b"<html>bad gateway</html>", status="502 Bad Gateway")),
    Row("503 up to the end", b"HTTP/1.1 503 Busy\r\n\r\nbusy", close=True),
]
ROWS = FRAMING + CHUNKS + STATUS + INTERIM + NO_BODY + HEADERS + CONNECTION + CODINGS + LIMITS + ERRORS
