"""JSON Lines."""

from __future__ import annotations

import pytest

from tests.ids.reading import codes, drain, ids, stdin


def read(text: str, **options: object) -> tuple[list[str], list[str | None]]:
    """Good IDs and the codes of the bad ones, from JSON lines."""
    found = drain(stdin(b'{"id":1}\n' + text.encode(), **options))
    return ids(found)[1:], codes(found)


@pytest.mark.parametrize(
    "line",
    [
        '{"id": 7}',
        '{"id": "7"}',
        '{"a": 1, "productId": "7"}',
        '{"OFFERID": 7, "x": {"id": 3}}',
        '{"product_id": 7, "offerId": 8}',
        '{"id": 7, "price": 1.50, "n": NaN}',
        "7",
        '"7"',
        " 7 ",
    ],
)
def test_the_id_is_found(line: str) -> None:
    """In a field with a usual name, or bare."""
    assert read(line + "\n") == (["7"], [])


@pytest.mark.parametrize(
    ("field", "line"),
    [("sku", '{"sku":7,"id":8}'), ("a.b.c", '{"a":{"b":{"c":"7"}}}'), ("a.b", '{"a.b":7,"a":{"b":8}}')],
)
def test_a_field_can_be_asked_for(field: str, line: str) -> None:
    """Dots go into objects; a name that holds a dot itself goes first."""
    assert ids(drain(stdin(line.encode(), field=field))) == ["7"]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("{", "not_json"),
        ('{"id":7} x', "not_json"),
        ("id", "not_json"),
        ("# no comments in JSON", "not_json"),
        ("[" * 50_000, "not_json"),
        ("[7]", "json_array"),
        ("null", "no_id"),
        ('{"id":true}', "no_id"),
        ('{"id":null}', "no_id"),
        ('{"id":{"a":1}}', "no_id"),
        ('{"x":7}', "no_field"),
        ('{"id":""}', "empty"),
        ('{"id":6.10947572360E+11}', "spreadsheet_exponent"),
        ('{"id":1e400}', "spreadsheet_exponent"),
        ('{"id":-7}', "sign"),
        ('{"id":NaN}', "not_digits"),
        ('{"id":18446744073709551617}', "too_large"),
        ('{"id":"7\\r\\nX"}', "control_character"),
        ('{"id":"\\ud800"}', "control_character"),
        ('{"id":"' + "7" * 70_000 + '"}', "line_too_long"),
    ],
)
def test_a_line_without_a_good_id_is_named(line: str, code: str) -> None:
    """One bad line, and the next is read."""
    assert read(f"{line}\n9\n") == (["9"], [code])


def test_a_missing_field_is_named() -> None:
    """At any depth."""
    found = drain(stdin(b'{"a":{"b":7}}\n{"a":{}}\n{"a":3}\n{}\n', field="a.b"))
    assert (ids(found), codes(found)) == (["7"], ["no_field"] * 3)


@pytest.mark.parametrize("number", ["9007199254740993", "9223372036854775807", "610947572360.0"])
def test_numbers_are_taken_as_written(number: str) -> None:
    """Nothing is rounded on the way: beyond 2^53 either."""
    assert read(f'{{"id":{number}}}\n') == ([number.removesuffix(".0")], [])


def test_invalid_bytes_spoil_their_line_only() -> None:
    """Bytes that are not UTF-8 are not JSON."""
    found = drain(stdin(b'{"id":1}\n{"id":"\xff"}\n{"id":3}\n'))
    assert (ids(found), codes(found)) == (["1", "3"], ["undecodable"])
