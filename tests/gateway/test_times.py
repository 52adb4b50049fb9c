"""The gateway's clock, as it says it."""

from __future__ import annotations

import pytest

from fetcher.gateway import time_in_answer, time_in_header


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'"20261010164552223+0800"', 1_791_621_952_223),
        (b'"20261010084552223+0000"\n', 1_791_621_952_223),
        (b'"20261010034552223-0500"', 1_791_621_952_223),
        (b"1484033752883", 1_484_033_752_883),
        (b'"1484033752883"', 1_484_033_752_883),
        (b'{"time_get_response":{"time":"2026-10-10 16:45:52","request_id":"x"}}', 1_791_621_952_000),
        (b'{"time_get_response":{"time":"2026-13-10 16:45:52"}}', None),
        (b'<?xml version="1.0"?>\n<response>20261010164552223+0800</response>', 1_791_621_952_223),
        (b"<a><b>1484033752883</b></a>", 1_484_033_752_883),
        (b"<a>1484033752883</a><b>2</b>", None),
        (b'"20261310164552223+0800"', None),
        (b'{"error_code":"gw.SignatureInvalid"}', None),
        (b"", None),
    ],
)
def test_answers(body: bytes, expected: int | None) -> None:
    """A JSON text in any zone, or milliseconds."""
    assert time_in_answer(body) == expected


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("Sat, 28 Nov 2026 13:35:40 GMT", 1_795_872_940_000),
        ("yesterday", None),
        ("Sat, 28 Nov 2026 13:35:40", None),
        (None, None),
        ("", None),
    ],
)
def test_headers(date: str | None, expected: int | None) -> None:
    """Of HTTP, whole seconds."""
    assert time_in_header(date) == expected
