"""Bytes become an answer: charset, then JSON or XML. What the answer means is for others.

It must not know statuses, codes, IDs.
"""

from __future__ import annotations

from typing import Final

from fetcher.gateway.api import RESPONSE, Form
from fetcher.gateway.charsets import UTF8_BOM, charset_of, decode_declared, is_chinese
from fetcher.gateway.envelopes import Json, parse, payload_of

SPACE: Final = b" \t\r\n"

_HTML: Final = (b"<!doctype html", b"<html", b"<head", b"<body")


class Unreadable(Exception):
    """A body that is no answer. `html`: it is a page, so something else than the gateway speaks."""

    def __init__(self, message: str, *, html: bool = False) -> None:
        super().__init__(message)
        self.html = html


def read_answer(body: bytes, content_type: str, form: Form) -> tuple[bytes, Json]:
    """The answer as JSON text, and its envelope as values.

    Args:
        body: without white space around it.
        content_type: the header.
        form: of the API's answers; tells whether an XML document's root belongs to the envelope.

    Raises:
        Unreadable: it is none.
    """
    if not body:
        raise Unreadable("an empty answer")
    charset = charset_of(content_type)
    start = body[:20].lstrip(UTF8_BOM + SPACE).lower()
    if start.startswith(b"<"):
        page = start.startswith(_HTML) or ("html" in content_type.lower() and not start.startswith(b"<?xml"))
        return _read_xml(b"<html/>" if page else body, charset, form)
    try:
        if is_chinese(charset) or body.startswith(UTF8_BOM):
            body = decode_declared(body, charset).encode().strip(SPACE)
        return body, parse(body)
    except UnicodeDecodeError:
        raise Unreadable("the answer is not text in its charset") from None
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"the answer cannot be read: {error}") from None


def _read_xml(body: bytes, charset: str, form: Form) -> tuple[bytes, Json]:
    from fetcher.gateway.xml_answers import XmlError, read_xml, to_json

    try:
        root, value = read_xml(body, charset)
        if root.lower() == "html":
            raise Unreadable("a page of HTML in place of an answer", html=True)
        if root.endswith(RESPONSE):  # the TOP family's JSON has it as its only key
            root, value = "", {root: value}
        payload = to_json(value)
        return payload, _with_root(root, parse(payload), form)
    except (XmlError, ValueError) as error:
        raise Unreadable(f"the answer cannot be read: {error}") from None


def _with_root(root: str, value: Json, form: Form) -> Json:
    """The root's name belongs to the envelope where it is the first key of what would stand in JSON."""
    named = {root: value}
    if not root:
        return value
    if root == "error" and not isinstance(value, dict):
        return named
    if root == "error" and not value.keys() & {"error_code", "errorCode"}:
        return {"error_response": value}
    unwrapped = payload_of(value, form)
    return named if unwrapped is None and payload_of(named, form) is not None else value
