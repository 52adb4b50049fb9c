"""Writes a request down as HTTP/1.1: one block of bytes, ready for a single write."""

from __future__ import annotations

from typing import Final

from fetcher._version import __version__
from fetcher.errors import Defect
from fetcher.model import FORM, Request
from fetcher.transport.inflate import accept_encoding
from fetcher.transport.origin import Origin

USER_AGENT: Final = f"fetcher/{__version__}"
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
"""Methods whose requests say that their body is empty, too (RFC 9110, 8.6)."""


class RequestWriter:
    """Requests to one origin. What is the same in all of them is put together once."""

    def __init__(self, origin: Origin) -> None:
        self._fixed = (
            f" HTTP/1.1\r\nHost: {origin.authority}\r\nUser-Agent: {USER_AGENT}\r\n"
            f"Accept: */*\r\nAccept-Encoding: {accept_encoding()}\r\n"
        )
        self._written: str | None = None
        """Target of the form that was written last, whose head is kept."""
        self._head = b""

    def write(self, request: Request) -> bytes:
        """Head and body.

        Raises:
            Defect: method, target or content type would break out of its line. The message shows none of them.
        """
        method, target, body = request.method, request.target, request.body
        if target is self._written and method == "POST" and request.content_type is FORM:
            return b"%b%d\r\n\r\n%b" % (self._head, len(body), body)
        if (
            target[:1] != "/"
            or " " in target
            or not (target.isascii() and target.isprintable() and method.isascii() and method.isalpha())
        ):
            raise Defect("a request's method or target is not fit for a request line")
        if not body and method not in _WITH_BODY:
            return f"{method} {target}{self._fixed}\r\n".encode("ascii")
        kind = request.content_type
        if not (kind.isascii() and kind.isprintable()):
            raise Defect("a request's content type is not fit for a header")
        head = f"{method} {target}{self._fixed}Content-Type: {kind}\r\nContent-Length: ".encode("ascii")
        if method == "POST" and kind is FORM:  # a bulk run's calls differ in their bodies only
            self._head, self._written = head, target
        return b"%b%d\r\n\r\n%b" % (head, len(body), body)
