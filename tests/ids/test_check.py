"""What an ID is."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fetcher.ids import Bad, Checked, bad_id, check_id
from fetcher.ids.check import MAX_CHARACTERS, shown_id
from fetcher.model import Kind


@pytest.mark.parametrize("text", ["1", "610947572360", "9223372036854775807", "999999999999999999"])
def test_plain_digits_up_to_int64_are_an_id(text: str) -> None:
    """The usual case comes back as it is."""
    assert check_id(text, numeric=True) == Checked(text, None)


@pytest.mark.parametrize("text", [" 610947572360", "610947572360\t", "\ufeff610947572360\u3000", "\u00a0610947572360 "])
def test_white_space_round_an_id_is_no_damage(text: str) -> None:
    """Blanks of all widths, a stray byte order mark among them, are stripped and not counted."""
    assert check_id(text, numeric=True) == Checked("610947572360", None)


@pytest.mark.parametrize(
    ("text", "repair"),
    [
        ("000610947572360", "leading_zeros"),
        ("00000000610947572360", "leading_zeros"),
        ("610947572360.0", "decimal_point"),
        ("610947572360.", "decimal_point"),
        ('="610947572360"', "formula"),
        ("=610947572360", "formula"),
        ('"610947572360"', "quotes"),
        ("“610947572360”", "quotes"),
        ("'610947572360'", "quotes"),
        ("'610947572360", "apostrophe"),
        ("610,947,572,360", "thousands"),
        ("610 947 572 360", "thousands"),
        ("610\u202f947\u202f572\u202f360", "thousands"),
        ("610'947'572'360", "thousands"),
        ("610.947.572.360", "thousands"),
        ('"610,947,572,360"', "thousands"),
        ("https://detail.1688.com/offer/610947572360.html", "url"),
        ("HTTPS://DETAIL.1688.COM/offer/610947572360.html?spm=a2.1#top", "url"),
        ("http://m.1688.com/offer/610947572360.htm", "url"),
        ("m.1688.com/offer/610947572360.html", "url"),
        ("//detail.1688.com/offer/610947572360.html", "url"),
        ("https://detail.m.1688.com/page/index.html?a=1&offerId=610947572360&b=2", "url"),
        ("https://detail.1688.com/offer/610947572360.html?offerId=610947572360", "url"),
    ],
)
def test_damage_that_loses_nothing_is_undone(text: str, repair: str) -> None:
    """Every form of the same ID gives the same ID, and says what was done."""
    assert check_id(text, numeric=True) == Checked("610947572360", repair)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty"),
        (" \t\u3000", "empty"),
        ('""', "empty"),
        ("0", "zero"),
        ("0000", "zero"),
        ("9223372036854775808", "too_large"),
        ("99999999999999999999", "too_large"),
        ("1.23457E+11", "spreadsheet_exponent"),
        ("1,23457E+11", "spreadsheet_exponent"),
        ("6.1E11", "spreadsheet_exponent"),
        ("6e11", "spreadsheet_exponent"),
        ("6109475723601234567.0", "spreadsheet_rounded"),
        ("123.5", "fraction"),
        ("123.456", "fraction"),
        ("+610947572360", "sign"),
        ("-5", "sign"),
        ("1_000", "underscore"),
        ("６１０９４７", "non_ascii_digit"),
        ("٦١٠", "non_ascii_digit"),
        ("²", "non_ascii_digit"),
        ("610947572360 610947572361", "several_ids"),
        ("610947572360;610947572361", "several_ids"),
        ("1,2345,678", "several_ids"),
        ("123&access_token=x", "not_digits"),
        ("610947572360x", "not_digits"),
        ("0x1F", "not_digits"),
        ("12%0d%0a3", "not_digits"),
        ("'", "empty"),
        ("12\x0034", "control_character"),
        ("610947572360\r\nX: y", "control_character"),
        ("\x1b[31m610947572360", "control_character"),
        ("610947572360\x85", "control_character"),
        ("610947572360\u2028", "control_character"),
        ("61094\ud800", "control_character"),
        ("61094\ufffd", "undecodable"),
        ("https://detail.1688.com/", "url_without_id"),
        ("https://detail.1688.com/offer/1.html?offerId=2", "url_without_id"),
        ("https://detail.1688.com.evil.example/offer/610947572360.html", "not_digits"),
        ("https://example.com/offer/610947572360.html", "not_digits"),
        ("1" * 70_000, "too_long"),
    ],
)
def test_what_cannot_be_trusted_is_refused_by_name(text: str, code: str) -> None:
    """Lost digits, foreign digits, signs and smuggled text each have a name."""
    verdict = check_id(text, numeric=True)
    assert isinstance(verdict, Bad)
    assert verdict.code == code


@given(st.text() | st.from_regex(r"[0-9 .,'\"=eE+_-]{0,24}", fullmatch=True))
@example("9223372036854775807.0")
def test_a_numeric_id_is_always_canonical(text: str) -> None:
    """Whatever the text, a good ID is the decimal form of a positive int64, and stable."""
    verdict = check_id(text, numeric=True)
    if isinstance(verdict, Checked):
        assert verdict.id == str(int(verdict.id))
        assert 0 < int(verdict.id) < 2**63
        assert check_id(verdict.id, numeric=True) == Checked(verdict.id)


@pytest.mark.parametrize("text", ["SKU-1/红", "000123", "1.5", "a b", "x" * 200, '"q"'])
def test_other_apis_take_any_short_text(text: str) -> None:
    """Nothing is repaired where any text may be an ID."""
    assert check_id(f" {text} ", numeric=False) == Checked(text)


@pytest.mark.parametrize(
    ("text", "code"),
    [("x" * 201, "too_long"), ("a\nb", "control_character"), ("a\ufffd", "undecodable"), (" ", "empty")],
)
def test_other_apis_refuse_what_cannot_be_sent(text: str, code: str) -> None:
    """Even a free text is bounded, decoded and without control characters."""
    assert getattr(check_id(text, numeric=False), "code", None) == code


@given(st.text(st.characters(), max_size=300))
def test_what_is_shown_of_a_bad_id_is_short_and_plain(text: str) -> None:
    """No control character, no invisible one, at most 200 characters."""
    shown = shown_id(text)
    assert len(shown) <= MAX_CHARACTERS
    assert not any(ord(character) < 32 or character in "\x7f\x85\x9b\u2028\u2029\u202e\u200e" for character in shown)
    shown.encode("utf-8")


def test_long_bad_ids_that_differ_at_their_end_stay_different() -> None:
    """What is cut off leaves its digest, so that each bad line has its own failure."""
    assert shown_id("x" * 300 + "1") != shown_id("x" * 300 + "2")
    assert shown_id("x" * 300 + "1").startswith("xxx")


def test_a_bad_id_is_a_permanent_failure_that_names_its_line() -> None:
    """The failed file says where to look, and nothing was sent."""
    verdict = check_id("1\x002", numeric=True)
    assert isinstance(verdict, Bad)
    failure = bad_id("1\x002", verdict, line=17, wall_ms=5)
    assert (failure.id, failure.fetched_at_ms, failure.attempts) == ("1\\x002", 5, 0)
    assert (failure.error.kind, failure.error.code) == (Kind.BAD_ID, "control_character")
    assert (failure.error.line, failure.error.permanent, failure.error.http_status) == (17, True, None)
    assert "line 17" in failure.error.message
