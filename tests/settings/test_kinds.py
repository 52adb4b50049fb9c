"""Kinds: what each takes, what it refuses, and that a refusal never repeats a secret."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher.secret import Secret
from fetcher.settings.compound import Age, ErrorLimit, ErrorLimitKind, FieldList, Parameters, PathList, field_steps
from fetcher.settings.kinds import AppKey, Choice, Encoding, Flag, Number, PathText, SecretText, Text, Upper, quoted

QPS = Number(above=0, most=100_000)
AUTO = Number(least=1, most=100_000, whole=True, none_word="auto")
PERCENT = Number(least=0, most=50, none_word="auto", metavar="PCT")


@pytest.mark.parametrize(("text", "value"), [("20", 20.0), (" 0.5 ", 0.5), ("1e3", 1000.0), ("100000", 100_000.0)])
def test_a_number_is_read_from_text(text: str, value: float) -> None:
    """Usual spellings of a number are taken, white space around them too."""
    assert QPS.parse(text) == value


@pytest.mark.parametrize(
    "text", ["abc", "0", "-1", "100001", "nan", "inf", "1_000", "２０", "0x10", "5%", "1,5", "9" * 5000]
)
def test_a_number_out_of_bounds_or_odd_is_refused(text: str) -> None:
    """What is no plain number within the bounds is refused, in words that say the bounds."""
    with pytest.raises(ValueError, match=r"must be a number above 0 and at most 100000, not '"):
        QPS.parse(text)


@pytest.mark.parametrize("value", ["20", True, 10**400, math.nan, [1]])
def test_a_number_from_python_or_toml_must_be_one(value: object) -> None:
    """A number in quotes, a boolean or a list is no number."""
    with pytest.raises(ValueError, match="must be a number"):
        QPS.accept(value)


def test_auto_stands_for_none_and_only_where_it_is_meant() -> None:
    """`auto` is None for what can be found out, and no number elsewhere."""
    assert AUTO.parse("auto") is None
    assert AUTO.accept("auto") is None
    assert AUTO.parse("64") == 64
    with pytest.raises(ValueError, match="or 'auto'"):
        AUTO.parse("many")
    with pytest.raises(ValueError, match="must be a number"):
        QPS.parse("auto")


def test_a_whole_number_has_no_fraction() -> None:
    """Half a request in flight is refused."""
    for value in (1.5, 2.0):
        with pytest.raises(ValueError, match="whole number"):
            AUTO.accept(value)
    with pytest.raises(ValueError, match="whole number"):
        AUTO.parse("1.5")


def test_percent_takes_its_sign() -> None:
    """`3%` and `3` are the same headroom."""
    assert PERCENT.parse("3%") == PERCENT.parse("3") == 3.0


@given(st.floats(min_value=0.001, max_value=100_000))
def test_numbers_within_bounds_survive_text(number: float) -> None:
    """Whatever is within the bounds can be written down and read back."""
    assert QPS.parse(repr(number)) == number


@pytest.mark.parametrize(("text", "value"), [("1", True), ("Yes", True), ("on", True), ("FALSE", False), ("0", False)])
def test_a_switch_is_read_from_text(text: str, value: bool) -> None:
    """The usual words for yes and no are taken."""
    assert Flag().parse(text) is value


def test_a_switch_is_nothing_else() -> None:
    """Other words, and numbers from TOML, are refused."""
    with pytest.raises(ValueError, match="true or false"):
        Flag().parse("maybe")
    with pytest.raises(ValueError, match="true or false"):
        Flag().accept(1)


def test_a_choice_says_what_was_meant() -> None:
    """A misspelt word is answered with the nearest one."""
    with pytest.raises(ValueError, match=r"param2 or guide, not 'parm2'; did you mean 'param2'\?"):
        Choice("param2", "guide").parse("parm2")
    with pytest.raises(ValueError, match="must be param2 or guide, not 7"):
        Choice("param2", "guide").accept(7)


def test_a_method_may_be_small() -> None:
    """`post` is POST."""
    assert Upper("GET", "POST").parse("post") == "POST"


def test_text_has_no_control_characters() -> None:
    """A line break in a value is a mistake or an attack."""
    assert Text().accept("商品") == "商品"
    with pytest.raises(ValueError, match="control character"):
        Text().accept("a\r\nb")
    with pytest.raises(ValueError, match="must be text"):
        Text().accept(5)


def test_a_path_object_is_a_path() -> None:
    """Library users may hand over a `Path`."""
    assert PathText().accept(Path("a") / "b") == str(Path("a") / "b")


@pytest.mark.parametrize("name", ["gb18030", "UTF-8", "big5"])
def test_encodings_that_are_known(name: str) -> None:
    """Encodings of this Python are taken."""
    assert Encoding().parse(name) == name


@pytest.mark.parametrize(("name", "hint"), [("gbkk", "did you mean 'gbk'"), ("hex", "not a text encoding")])
def test_encodings_that_are_not(name: str, hint: str) -> None:
    """An unknown codec, or one that is not for text, is refused."""
    with pytest.raises(ValueError, match=hint):
        Encoding().parse(name)


def test_an_app_key_stays_one_part_of_a_path() -> None:
    """Digits from TOML are taken as text; what would change the URL's path is refused and not repeated."""
    assert AppKey().accept(1234567) == "1234567"
    assert AppKey().parse("your_app_key") == "your_app_key"
    for bad in ("1/../2", "a?b", "a b", "%41", "１２"):
        with pytest.raises(ValueError, match="is not an app key") as caught:
            AppKey().parse(bad)
        assert bad not in str(caught.value)


def test_a_secret_is_wrapped_and_never_repeated() -> None:
    """Text becomes a `Secret`; a wrong one is refused without being shown."""
    assert SecretText().parse(" s3cret ") == Secret("s3cret")
    assert SecretText().accept(Secret("s3cret")) == Secret("s3cret")
    assert SecretText().accept("") is None
    for bad in ("line\nbreak-s3cret", 12345678, Secret("")):
        with pytest.raises(ValueError, match="not shown") as caught:
            SecretText().accept(bad)
        assert "s3cret" not in str(caught.value)
        assert "12345678" not in str(caught.value)


@pytest.mark.parametrize(
    ("given_value", "pairs"),
    [
        (["a=1", "b=x=y", "c="], (("a", "1"), ("b", "x=y"), ("c", ""))),
        ({"scene": "1688", "flag": True, "n": 7}, (("scene", "1688"), ("flag", "true"), ("n", "7"))),
        ([("a", "1")], (("a", "1"),)),
        ((), ()),
        (None, ()),
    ],
)
def test_parameters_in_every_shape(given_value: object, pairs: tuple[tuple[str, str], ...]) -> None:
    """Lists of `K=V`, tables and pairs become pairs of texts as they are signed."""
    assert Parameters().accept(given_value) == pairs


@pytest.mark.parametrize(
    "bad", [["a"], ["=1"], ["a=1", "a=2"], "a=1", 5, [("a", 1.5)], [("a", None)], [5], {"a\n": "b"}]
)
def test_parameters_that_are_none(bad: object) -> None:
    """A missing `=`, an empty or repeated name, or a value that is no text is refused."""
    with pytest.raises(ValueError, match=r"must (be|have)|twice"):
        Parameters().accept(bad)


@pytest.mark.parametrize(
    ("given_value", "limit", "shown"),
    [
        ("100", ErrorLimit(count=100), "100"),
        (100, ErrorLimit(count=100), "100"),
        ("5%", ErrorLimit(percent=5.0), "5%"),
        ("0.5%", ErrorLimit(percent=0.5), "0.5%"),
    ],
)
def test_error_limits(given_value: object, limit: ErrorLimit, shown: str) -> None:
    """A number of IDs or a part of them, and shown as it was given."""
    found = ErrorLimitKind().accept(given_value)
    assert found == limit
    assert str(found) == shown


@pytest.mark.parametrize("bad", ["0", "0%", "101%", "-1", "%", ".%", "five", 0, 1.5, True, "１", "²"])
def test_error_limits_that_are_none(bad: object) -> None:
    """Zero, more than all, and what is no number is refused."""
    with pytest.raises(ValueError, match="must be a number of IDs"):
        ErrorLimitKind().accept(bad)


@given(st.text(st.characters(min_codepoint=0x20, exclude_categories=["Cs"], exclude_characters="\x7f")))
def test_quoted_text_is_toml(text: str) -> None:
    """Whatever text is quoted, TOML reads the same text."""
    import tomllib

    assert tomllib.loads(f"key = {quoted(text)}") == {"key": text}


@pytest.mark.parametrize(
    ("text", "seconds"), [("7d", 604_800.0), ("12h", 43_200.0), ("30m", 1800.0), ("90s", 90.0), ("1.5d", 129_600.0)]
)
def test_an_age_is_read_in_its_unit(text: str, seconds: float) -> None:
    """And what is written of it is read back as the same."""
    assert Age().parse(text) == seconds
    assert Age().parse(Age().toml(seconds).strip('"')) == seconds


@pytest.mark.parametrize("bad", ["7", "d", "7x", "-7d", "0d", "7dd", "1e3d", "٧d", 0, True, "99999999w"])
def test_an_age_without_a_unit_or_sense_is_refused(bad: object) -> None:
    """A number in quotes has no unit; nothing lies in the future."""
    with pytest.raises(ValueError, match="age such as 7d"):
        Age().accept(bad)


def test_lists_take_one_or_several() -> None:
    """A text, a path, a list of either; an empty text is none."""
    assert PathList().accept("a") == PathList().parse("a") == ("a",)
    assert PathList().accept([Path("a"), "b"]) == ("a", "b")
    assert PathList().toml(("a", 'b"c')) == '["a", "b\\"c"]'
    for bad in (7, b"a", {"a": 1}, ["a", 1], [""]):
        with pytest.raises(ValueError, match="must be"):
            PathList().accept(bad)


def test_fields_are_dotted() -> None:
    """Stars and brackets lead through lists, an escaped dot belongs to a name."""
    assert field_steps("result.items[].name") == field_steps("result.items[*].name") == ("result", "items", "*", "name")
    assert field_steps(r"a\.b.c") == ("a.b", "c")
    for bad in ("", ".", "a..b", "a.", ".a"):
        with pytest.raises(ValueError, match="must be"):
            FieldList().accept(bad)
