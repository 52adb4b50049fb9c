"""An outcome as a line."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher.model import ErrorInfo, Failure, Kind, Product
from fetcher.output.line import encode, head_id, is_permanent, whole


def test_a_product_is_a_line_as_promised() -> None:
    """`id` first, time to the millisecond in UTC, the answer's own bytes."""
    product = Product("610947572360", 1_795_456_800_123, 1, 42.06, b'{"a":1.10,"b":12345678901234567890123}')
    assert encode(product) == (
        b'{"id":"610947572360","fetched_at":"2026-11-23T18:00:00.123Z","attempts":1,"latency_ms":42.1,'
        b'"data":{"a":1.10,"b":12345678901234567890123}}\n'
    )


def test_a_failure_is_a_line_as_promised() -> None:
    """The same head, then the error; the input's line only where it is known."""
    error = ErrorInfo(Kind.NOT_FOUND, None, "商品[1]不存在", 200, True)
    assert encode(Failure("1", 0, 2, 1.0, error)).decode() == (
        '{"id":"1","fetched_at":"1970-01-01T00:00:00.000Z","attempts":2,"latency_ms":1.0,"error":{"kind":"not_found",'
        '"code":null,"message":"商品[1]不存在","http_status":200,"permanent":true}}\n'
    )
    bad = ErrorInfo(Kind.BAD_ID, "not_digits", "x", None, True, 17)
    assert json.loads(encode(Failure('a"b\\\u2028', 0, 0, 0.0, bad)))["error"]["line"] == 17


@pytest.mark.parametrize("payload", [b'{\n "a": [1.50,\r\n 2e400 ],\t"a":3 }', b"[\n]", b'"x"'])
def test_an_answer_of_several_lines_becomes_one(payload: bytes) -> None:
    """Laid out anew, token for token: nothing is parsed to a float, no repeated key is lost."""
    line = encode(Product("1", 0, 1, 1.0, payload))
    assert line.count(b"\n") == 1
    squeezed = b"".join(payload.split())
    assert b"".join(line.split()).endswith(b'"data":' + squeezed + b"}")


@given(st.text(min_size=1, max_size=40), st.integers(0, 2**41), st.binary(max_size=3))
def test_every_id_is_found_again(product_id: str, fetched_at_ms: int, rest: bytes) -> None:
    """Whatever the text of the ID, the line is JSON and its head gives the ID back."""
    product_id = product_id.encode("utf-8", "replace").decode()
    line = encode(Product(product_id, fetched_at_ms, 1, 1.0, b"{}"))
    assert json.loads(line)["id"] == product_id
    assert head_id(line[:-1]) == product_id
    assert whole(line[:-1])


@pytest.mark.parametrize("payload", [b'{"a":"\\ud83d"}', b'{"a":"\\ud83d",\n"b":[1,\r2]}', b"[" * 150 + b"]" * 150])
def test_an_answer_that_is_odd_and_valid_is_a_whole_line(payload: bytes) -> None:
    """Half an emoji, as gateways cut them, and deep nesting: stored, and taken for whole by the next run."""
    line = encode(Product("1", 0, 1, 1.0, payload))[:-1]
    assert b"\n" not in line
    assert whole(line)
    assert json.loads(line)["data"] == json.loads(payload)


def test_half_an_emoji_in_a_message_is_no_obstacle() -> None:
    """The failed file is UTF-8 whatever the gateway said."""
    error = ErrorInfo(Kind.REJECTED, "x", "cut \ud83d", 200, True)
    assert json.loads(encode(Failure("1", 0, 1, 1.0, error)))["error"]["message"] == "cut ?"


def test_a_torn_line_is_known_as_such() -> None:
    """No prefix of a line passes for a whole one."""
    line = encode(Product("1", 0, 1, 1.0, b'{"a":{"b":"}"}}'))[:-1]
    assert not any(head_id(line[:length]) and whole(line[:length]) for length in range(len(line)))


def test_permanence_is_read_from_the_line() -> None:
    """What a resumed run needs to know of a failure."""
    lasting, passing = (
        encode(Failure("1", 0, 1, 1.0, ErrorInfo(Kind.SERVER, None, "", 500, permanent))) for permanent in (True, False)
    )
    assert is_permanent(lasting[:-1])
    assert not is_permanent(passing[:-1])
    assert not is_permanent(b"{")
