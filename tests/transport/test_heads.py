"""Requests written down."""

from __future__ import annotations

import pytest

from fetcher._version import __version__
from fetcher.errors import Defect
from fetcher.model import Request
from fetcher.transport.heads import RequestWriter
from fetcher.transport.origin import parse_origin

WRITER = RequestWriter(parse_origin("https://gw.open.1688.com"))


def test_a_form_is_posted_with_its_length() -> None:
    """Host, User-Agent, what we can decode, what we send; nothing of Expect, cookies or Connection."""
    written = WRITER.write(Request("POST", "/openapi/x", "a=连".encode()))
    head, _, body = written.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /openapi/x HTTP/1.1"
    assert sorted(lines[1:]) == [
        "Accept-Encoding: gzip, deflate, zstd, br",
        "Accept: */*",
        "Content-Length: 5",
        "Content-Type: application/x-www-form-urlencoded; charset=utf-8",
        "Host: gw.open.1688.com",
        f"User-Agent: fetcher/{__version__}",
    ]
    assert body == "a=连".encode()


def test_a_get_has_no_body() -> None:
    """And so neither length nor type."""
    written = WRITER.write(Request("GET", "/openapi/x?a=b%20c"))
    assert written.startswith(b"GET /openapi/x?a=b%20c HTTP/1.1\r\n")
    assert written.endswith(b"\r\n\r\n")
    assert b"Content-" not in written


def test_an_empty_post_says_so() -> None:
    """Without a length some servers wait for a body."""
    assert b"\r\nContent-Length: 0\r\n\r\n" in WRITER.write(Request("POST", "/"))


@pytest.mark.parametrize(
    "request_",
    [
        Request("GET", "/x\r\nX-Injected: s3cr3t"),
        Request("GET", "/x s3cr3t"),
        Request("GET", "/s3cr3t\x00"),
        Request("GET", "/连s3cr3t"),
        Request("GET", "s3cr3t"),
        Request("GET", ""),
        Request("GET /s3cr3t", "/"),
        Request("", "/s3cr3t"),
        Request("POST", "/", b"x", "text/plain\r\nX: s3cr3t"),
    ],
)
def test_what_would_break_out_of_its_line_is_a_defect(request_: Request) -> None:
    """IDs and parameters are encoded before they come here; the message repeats nothing."""
    with pytest.raises(Defect) as caught:
        WRITER.write(request_)
    assert "s3cr3t" not in str(caught.value)
