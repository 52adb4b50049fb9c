"""The table of what a gateway can do wrong: each as bytes on the wire, with what must become of it."""

from __future__ import annotations

import gzip
import json
from typing import Final

from tests.holds.fault_server import Fault, http, product

HEAD: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CHUNKED: Final = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def other(product_id: str) -> str:
    """Another product's ID."""
    return str(int(product_id) + 1_000_000)


def packed(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def body(make: object, *headers: str, status: str = "200 OK") -> object:
    """A fault whose answer is sound HTTP around a bad body."""
    return lambda product_id, request: http(make(product_id), *headers, status=status)  # type: ignore[operator]


def said(code: str, message: str = "no", status: str = "400 Bad Request") -> object:
    """A refusal of the gateway's own."""
    text = json.dumps({"error_code": code, "error_message": message, "exception": message}).encode()
    return lambda product_id, request: http(text, status=status)


def raw(data: bytes) -> object:
    return lambda product_id, request: data


def fault(name: str, answer: object = None, **more: object) -> Fault:
    return Fault(name, **({"answer": answer} if answer else {}), **more)  # type: ignore[arg-type]


IN_VAIN: Final = {"sent_in_vain": True}

CONNECTION: Final = [
    fault("closed before an answer", end="close", always="network", **IN_VAIN),
    fault("reset before an answer", end="reset", always="network", **IN_VAIN),
    fault("silence", end="silent", always="timeout", **IN_VAIN),
    fault("closed within the head", raw(HEAD[:30]), end="close", always="network", **IN_VAIN),
    fault("silence within the head", raw(HEAD), end="silent", always="timeout", **IN_VAIN),
    fault("reset within the body", lambda one, _: http(product(one))[:-9], end="reset", always="network", **IN_VAIN),
    fault("closed within the body", lambda one, _: http(product(one))[:-9], end="close", always="network", **IN_VAIN),
    fault("a slow head", raw(HEAD * 3), end="drip", always="timeout", **IN_VAIN),
    fault("a slow body", lambda one, _: http(b" " * 900), end="drip", always="timeout", **IN_VAIN),
    fault(
        "too long a length", lambda one, _: http(product(one), length=999), end="silent", always="timeout", **IN_VAIN
    ),
]

FRAMING: Final = [
    fault("too short a length", lambda one, _: http(product(one), length=20), end="close"),
    fault("a chunk without a size", raw(CHUNKED + b"zz\r\nhi\r\n0\r\n\r\n"), end="close", **IN_VAIN),
    fault("a chunk that is cut", raw(CHUNKED + b"fff\r\n{"), end="close", always="network", **IN_VAIN),
    fault("a bad status line", raw(b"HTTP/1.1 banana\r\n\r\n"), end="close", **IN_VAIN),
    fault("no HTTP at all", raw(b"SSH-2.0-OpenSSH_9.2\r\n"), end="close", **IN_VAIN),
    fault("a header without end", raw(HEAD + b"X: " + b"y" * 200_000), end="close", always="too_large", permanent=True),
    fault("a broken header", raw(HEAD + b"no colon\r\nContent-Length: 2\r\n\r\n{}"), end="close", **IN_VAIN),
    fault("204 without a body", raw(b"HTTP/1.1 204 No Content\r\n\r\n")),
]

PACKING: Final = [
    fault("gzip, truncated", body(lambda one: packed(product(one))[:-12], "Content-Encoding: gzip"), **IN_VAIN),
    fault(
        "gzip, wrong checksum",
        body(lambda one: packed(product(one))[:-8] + b"12345678", "Content-Encoding: gzip"),
        **IN_VAIN,
    ),
    fault("gzip in gzip", body(lambda one: packed(packed(product(one))), "Content-Encoding: gzip")),
    fault("no gzip at all", body(product, "Content-Encoding: gzip"), **IN_VAIN),
    fault("an unknown encoding", body(product, "Content-Encoding: banana"), **IN_VAIN),
    fault(
        "a bomb",
        body(lambda one: packed(b" " * 80_000_000), "Content-Encoding: gzip"),
        always="too_large",
        permanent=True,
    ),
]

DOCUMENTS: Final = [
    fault("nothing", body(lambda one: b"")),
    fault("a page", body(lambda one: b"<html><body>nginx</body></html>"), always="server"),
    fault("two documents", body(lambda one: product(one) + product(one))),
    fault("cut JSON", body(lambda one: product(one)[:-10])),
    fault("NaN", body(lambda one: product(one, b',"price":NaN'))),
    fault("a thousand levels", body(lambda one: b"[" * 1000 + b"]" * 1000)),
    fault("invalid UTF-8", body(lambda one: product(one, b',"subject":"\xff\xfe"'))),
    fault("GBK", body(lambda one: product(one, b',"subject":"' + "连衣裙".encode("gbk") + b'"'))),
    fault("a doctype", body(lambda one: b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>')),
    fault("another product", body(lambda one: product(other(one)))),
    fault("an empty object", body(lambda one: b"{}")),
]

REFUSALS: Final = [
    fault("503", raw(http(b"busy", status="503 Service Unavailable")), always="server"),
    fault("502 with a page", raw(http(b"<html>bad gateway</html>", status="502 Bad Gateway")), always="server"),
    fault("Retry-After of nought", raw(http(b"", "Retry-After: 0", status="503 No")), always="server"),
    fault("Retry-After of nonsense", raw(http(b"", "Retry-After: soon", status="503 No")), always="server"),
    fault("Retry-After in the past", raw(http(b"", "Retry-After: -5", status="503 No")), always="server"),
    fault("a service that does not answer", said("gw.ISPInvokeTimeout"), always="server"),
    fault("the same under 200", said("gw.ISPInvokeTimeout", status="200 OK"), always="server"),
    fault("busy, in its own words", said("gw.Other", "系统繁忙，请稍后再试"), always="server"),
]

FINAL: Final = [
    fault("a wrong argument", said("gw.ParamMissing"), always="rejected", permanent=True),
    fault(
        "no such product",
        body(
            lambda one: b'{"productInfo":null,"errMsg":"\xe5\x95\x86\xe5\x93\x81\xe4\xb8\x8d\xe5\xad\x98\xe5\x9c\xa8"}'
        ),
        always="not_found",
        permanent=True,
    ),
]
"""Answers that no further try can change."""

HUGE: Final = b'"n":123456789012345678901234567890,"d":0.1000000000000000055511151231257827,"k":1,"k":2,"e":"\\ud83d"'

ODD: Final = [
    fault("1xx first", lambda one, _: b"HTTP/1.1 102 Processing\r\n\r\n" + http(product(one)), always=None),
    fault("chunks", lambda one, _: CHUNKED + b"%x\r\n%b\r\n0\r\n\r\n" % (len(product(one)), product(one)), always=None),
    fault("HTTP/1.0", lambda one, _: b"HTTP/1.0 200 OK\r\n\r\n" + product(one), end="close", always=None),
    fault("goodbye", lambda one, _: http(product(one), "Connection: close"), end="close", always=None),
    fault("goodbye unsaid", lambda one, _: http(product(one)), end="close", always=None),
    fault("gzip", body(lambda one: packed(product(one)), "Content-Encoding: gzip"), always=None),
    fault("a BOM", body(lambda one: b"\xef\xbb\xbf" + product(one)), always=None),
    fault("numbers and keys of every kind", body(lambda one: product(one, b"," + HUGE)), always=None),
    fault("line breaks", body(lambda one: product(one).replace(b",", b",\r\n")), always=None),
]
"""Unusual, and good."""

BROKEN: Final = [*CONNECTION, *FRAMING, *PACKING, *DOCUMENTS, *REFUSALS]
