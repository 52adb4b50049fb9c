"""Reads one HTTP/1 answer after another from the bytes of a connection. It must not know sockets, time or who asked.

Framing is httptools' work (llhttp, the parser of Node.js, in its strict mode); here are the limits, what is kept of the
headers, and when an answer is whole:

    status 1xx                     skipped; the next one counts (101 is an error: nobody asked to upgrade)
    status 204, 304                no body, whatever the headers say
    Transfer-Encoding: chunked     up to the last chunk; any other coding is an error
    Content-Length                 so many bytes
    neither                        up to the end of the connection (RFC 9112, 6.3)
"""

from __future__ import annotations

import io
from typing import Final

from httptools import HttpParserError, HttpResponseParser

from fetcher.model import Lost
from fetcher.transport.contract import HEADER_LINE_BYTES, HEADERS_BYTES
from fetcher.transport.faults import Broken

FRAMING_ALLOWANCE_BYTES: Final = 2 * HEADERS_BYTES
FRAMING_PER_BYTE: Final = 16
"""Most bytes of chunk framing for a byte of body. One-byte chunks need 5; an endless extension or trailer ends here."""

CONTENT_TYPE: Final = b"content-type"
CONTENT_LENGTH: Final = b"content-length"
CONTENT_ENCODING: Final = b"content-encoding"
TRANSFER_ENCODING: Final = b"transfer-encoding"
RETRY_AFTER: Final = b"retry-after"
DATE: Final = b"date"
KEEP_ALIVE: Final = b"keep-alive"


class AnswerReader:
    """The answers of one connection, in order. `expect`, then `feed` until it says True.

    Methods that begin with `on_` are httptools' callbacks.
    """

    __slots__ = (
        "_body_bytes",
        "_by_end",
        "_fault",
        "_first",
        "_head_bytes",
        "_head_done",
        "_max_body_bytes",
        "_no_body",
        "_parser",
        "_rest",
        "_wire_bytes",
        "complete",
        "content_type",
        "date",
        "encoding",
        "headers",
        "keep_alive",
        "retry_after",
        "reusable",
        "status",
    )

    def __init__(self, max_body_bytes: int) -> None:
        self._max_body_bytes = max_body_bytes
        self._parser = HttpResponseParser(self)
        self._fault: Broken | None = None
        self.status = 0
        self.expect()

    def expect(self, *, keep_headers: bool = False, no_body: bool = False) -> None:
        """Make ready for the next answer.

        Args:
            keep_headers: fill `headers` with all of them as they came.
            no_body: the request was a HEAD; the connection is of no use after its answer.
        """
        self._no_body = no_body
        self.headers: list[tuple[bytes, bytes]] | None = [] if keep_headers else None
        self.complete = self.reusable = False
        self._head_bytes = self._wire_bytes = self._body_bytes = 0
        self._first = b""
        self._rest: io.BytesIO | None = None
        self._expect_head()

    def _expect_head(self) -> None:
        self._head_done = False
        self._by_end = True
        self.content_type = ""
        self.encoding = ""
        self.retry_after: str | None = None
        self.date: str | None = None
        self.keep_alive = b""
        if self.headers:
            self.headers.clear()

    @property
    def held_bytes(self) -> int:
        """Bytes of the body that are in memory."""
        return self._body_bytes

    def body(self) -> bytes:
        """The body as it came, compressed or not."""
        return self._first if self._rest is None else self._rest.getvalue()

    def feed(self, data: memoryview | bytes) -> bool:
        """Read on. True when the answer is whole; then `reusable` says whether another may follow.

        Raises:
            Broken: MALFORMED or TOO_LARGE. The connection is of no more use.
        """
        self._wire_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except HttpParserError:
            if self._fault is not None:
                raise self._fault from None
            if not self.complete:
                raise Broken(Lost.MALFORMED, "the answer is not sound HTTP/1") from None
            self.reusable = False  # bytes after the answer: it stands, the connection does not
        if not self.complete:
            self._bound()
        return self.complete

    def end(self) -> bool:
        """The far end has closed its side. True when that completes the answer; False when the rest is missing."""
        if not self.complete and self._head_done and self._by_end:
            self.complete = True
        return self.complete

    def _bound(self) -> None:
        """Stop what would go on for ever without a header or a byte of body becoming whole."""
        framing_bytes = self._wire_bytes - self._body_bytes
        if not self._head_done:
            if framing_bytes > HEADERS_BYTES:
                raise Broken(Lost.TOO_LARGE, f"over {HEADERS_BYTES} bytes of headers")
        elif framing_bytes > FRAMING_ALLOWANCE_BYTES + FRAMING_PER_BYTE * self._body_bytes:
            raise Broken(Lost.TOO_LARGE, "more chunk framing than body")

    def _stop(self, kind: Lost, detail: str) -> Broken:
        self._fault = Broken(kind, detail)
        return self._fault

    def on_message_begin(self) -> None:
        """A status line begins. After a whole answer that is one too many: nobody asked."""
        if self.complete:
            raise HttpParserError

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header line, or a trailer; of trailers only the size matters."""
        size = len(name) + len(value) + 4  # the colon, a space, CR, LF
        self._head_bytes += size
        if size > HEADER_LINE_BYTES:
            raise self._stop(Lost.TOO_LARGE, f"a header line of over {HEADER_LINE_BYTES} bytes")
        if self._head_bytes > HEADERS_BYTES:
            raise self._stop(Lost.TOO_LARGE, f"over {HEADERS_BYTES} bytes of headers")
        if self._head_done:
            return
        value = value.rstrip(b" \t")  # RFC 9112, 5: not part of it; llhttp takes off only what stands before it
        if self.headers is not None:
            self.headers.append((name, value))
        self._keep(name.lower(), value)

    def _keep(self, name: bytes, value: bytes) -> None:
        """The few headers that mean something here; the commonest first."""
        if name == CONTENT_TYPE:
            self.content_type = value.decode("latin-1")
        elif name == CONTENT_LENGTH:
            self._by_end = False
            if int(value) > self._max_body_bytes and not self._no_body:  # llhttp has checked that it is a number
                raise self._stop(Lost.TOO_LARGE, f"a body of over {self._max_body_bytes} bytes")
        elif name == DATE:
            self.date = value.decode("latin-1")
        elif name == TRANSFER_ENCODING:
            if value.lower() != b"chunked" or not self._by_end:  # or it stands beside another one
                raise self._stop(Lost.MALFORMED, "a transfer coding that was not asked for")
            self._by_end = False
        elif name == CONTENT_ENCODING:
            encoding = value.decode("latin-1")
            self.encoding = f"{self.encoding}, {encoding}" if self.encoding else encoding
        elif name == RETRY_AFTER:
            self.retry_after = value.decode("latin-1")
        elif name == KEEP_ALIVE:
            self.keep_alive = value

    def on_headers_complete(self) -> None:
        """The empty line."""
        status = self._parser.get_status_code()
        if status < 100 or status == 101:
            raise self._stop(Lost.MALFORMED, f"status {status} was not to be expected")
        self.status = status
        self._head_done = True
        if self._no_body and status >= 200:
            self.complete = True  # llhttp cannot be told so: it waits for the body, hence not reusable

    def on_body(self, piece: bytes) -> None:
        """Bytes of the body, without framing."""
        if self.complete:
            return
        held_bytes = self._body_bytes + len(piece)
        if held_bytes > self._max_body_bytes:
            raise self._stop(Lost.TOO_LARGE, f"a body of over {self._max_body_bytes} bytes")
        if not self._body_bytes:
            self._first = piece
        else:
            if self._rest is None:
                self._rest = io.BytesIO()
                self._rest.write(self._first)
                self._first = b""
            self._rest.write(piece)
        self._body_bytes = held_bytes

    def on_message_complete(self) -> None:
        """The last byte of an answer, or of an interim one."""
        if self.status < 200:
            self._expect_head()
        elif not self.complete:
            self.complete = True
            self.reusable = self._parser.should_keep_alive()
