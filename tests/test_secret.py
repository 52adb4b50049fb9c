"""Secrets that do not show themselves, and the redactor: every spelling of a secret, in any text."""

from __future__ import annotations

import json
import pickle
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fetcher.secret import STARS, Redactor, Secret
from tests.spellings import ALPHABETS, SPELLINGS, Spelling

AWKWARD = "s3cr3t/+%&= \\\"'<é商😀>~"
"""One of everything that some encoding escapes."""


printable = st.characters(exclude_categories=("Cc", "Cs", "Cn", "Co", "Zl", "Zp"), exclude_characters="*")
long_secrets = st.one_of(
    st.text(printable, min_size=8, max_size=40),
    st.text(st.sampled_from("aA0/\\%&+ \"'u5cx2"), min_size=8, max_size=20),  # what escapes are made of
)
texts = st.text(st.one_of(st.characters(exclude_categories=("Cs",)), st.sampled_from("\\%&u05c2a")), max_size=30)


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
@pytest.mark.parametrize("secret", [AWKWARD, "\\" * 8, "%2f%252F%", "plain-1234"])
def test_every_spelling_becomes_stars(spelling: Spelling, secret: str) -> None:
    """Exactly the secret is cut, and nothing beside it."""
    assert Redactor([Secret(secret)]).redact(f"a {spelling(secret)} b") == f"a {STARS} b"


@pytest.mark.untraced
@settings(max_examples=300)
@given(name=st.sampled_from(sorted(SPELLINGS)), secret=long_secrets, before=texts, after=texts)
def test_no_spelling_survives(name: str, secret: str, before: str, after: str) -> None:
    """Whatever the secret is and whatever stands round it, the secret so spelled is not in the redacted text."""
    spelled = SPELLINGS[name](secret)
    redacted = Redactor([Secret(secret)]).redact(f"{before}{spelled}{after}")
    assert spelled not in redacted
    assert secret not in redacted


@pytest.mark.untraced
@settings(max_examples=200)
@given(
    name=st.sampled_from(sorted(ALPHABETS)),
    secret=long_secrets,
    before=st.binary(max_size=9),
    after=st.binary(max_size=9),
)
def test_base64_of_anything_round_it(name: str, secret: str, before: bytes, after: bytes) -> None:
    """`user:secret` as a Basic header has it: wherever the secret lies within the encoded bytes, it is cut out."""
    encode = ALPHABETS[name]
    alone, whole = encode(secret.encode()), encode(before + secret.encode() + after)
    redacted = Redactor([Secret(secret)]).redact(f"Authorization: Basic {whole}\r\n")
    assert whole not in redacted
    assert alone.rstrip("=") not in redacted
    # What is left of the secret are the bits that share a character with its neighbours, and those beside stars.
    left = max(redacted.strip().removeprefix("Authorization: Basic ").replace("%3D", "").split(STARS), key=len)
    assert len(left) <= len(encode(before)) + len(encode(after)) + 6


def test_secrets_beside_and_inside_one_another() -> None:
    """Two in a row, one that is part of another, one that ends in a backslash."""
    redactor = Redactor(map(Secret, ["abcd1234", "abcd1234-longer", "ends-in-\\", "with space"]))
    assert redactor.redact("abcd1234abcd1234-longer") == "******"
    assert redactor.redact("abcd1234-longer%20abcd1234") == "***%20***"
    assert redactor.redact('{"a":"ends-in-\\\\","b":"with%20space"}') == '{"a":"***","b":"***"}'
    assert redactor.redact("with+space") == STARS


def test_ordinary_text_is_left_alone() -> None:
    """Nothing that only resembles a secret is cut, percent signs and backslashes or not."""
    redactor = Redactor(map(Secret, ["hunter22/x", "abc", ""]))
    for text in ("50% of 3f hunter2 2/x", "C:\\temp\\new", "a&amp;b %E5%95%86 \\u5546", "abc", "design: yes"):
        assert redactor.redact(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/x?a=1&access_token=tok-1&b=2", "/x?a=1&access_token=***&b=2"),
        ("_aop_signature=0A1B2C, sign: FF00", "_aop_signature=***, sign: ***"),
        ('{"access_token" : "tok-1","n":1}', '{"access_token" : "***","n":1}'),
        ('"{\\"refresh_token\\":\\"a\\/b\\",\\"n\\":1}"', '"{\\"refresh_token\\":\\"***\\",\\"n\\":1}"'),
        ("<access_token>tok-1</access_token>", "<access_token>***</access_token>"),
        ("q=access_token%3Dtok-1", "q=access_token%3D***"),
        ("q=a%26access_token=tok-1&n=1", "q=a%26access_token=***&n=1"),
        ("q=a\\u0026sign=tok-1&n=1", "q=a\\u0026sign=***&n=1"),
        ("export FETCHER_APP_SECRET=…", "export FETCHER_APP_SECRET=…"),
        (f"invalid signature {'A1B2' * 10}, not {'c3d4' * 10}", "invalid signature ***, not ***"),
        ("q=_aop_signature%253dA1B2", "q=_aop_signature%253d***"),
        ("q=%7B%22client_secret%22%3a%22tok-1&n=1", "q=%7B%22client_secret%22%3a%22***&n=1"),
    ],
)
def test_parameters_that_give_a_call_its_power_are_cut_unknown(text: str, expected: str) -> None:
    """Signatures, tokens and secrets that nobody told us of, by the name before them."""
    assert Redactor().redact(text) == expected


def test_a_secret_is_learned_later() -> None:
    """A refreshed token, after the first search was made."""
    redactor = Redactor([Secret("first/secret")])
    assert redactor.redact("first%2fsecret second%2fsecret") == "*** second%2fsecret"
    redactor.add(Secret("second/secret"))
    assert redactor.redact("first%2fsecret second%2fsecret") == "*** ***"


@pytest.mark.parametrize(
    "text",
    ["\\" * 200_000, "%25" * 70_000, "&#0" * 70_000, "\\u" * 100_000, "access_token=" + "\\" * 200_000, "%" * 200_000],
    ids=["backslashes", "percents", "html", "escapes", "value", "signs"],
)
def test_no_text_makes_the_search_slow(text: str) -> None:
    """A gateway may send what it likes: the time follows the length (a square would take minutes here)."""
    redactor = Redactor(map(Secret, [AWKWARD, "\\" * 12, "%" * 12, "u005c" * 3]))
    started_s = time.monotonic()
    redactor.redact(text)
    assert time.monotonic() - started_s < 10


def test_a_secret_shows_stars_everywhere() -> None:
    """repr, str, format and containers; pickle refuses; only `reveal` tells."""
    secret = Secret("hunter22")
    assert f"{secret} {secret!r} {[secret]}" == "*** *** [***]"
    assert secret.reveal() == "hunter22"
    assert secret == Secret("hunter22") and secret != Secret("other") and bool(secret) and not Secret("")
    assert len({secret, Secret("hunter22")}) == 1
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        json.dumps(secret)


@pytest.mark.parametrize("encode", ALPHABETS.values(), ids=ALPHABETS)
@pytest.mark.parametrize(
    "call", ["productID=610&access_token=tok-1", "a=1&bc=2&_aop_signature=A1", "sign=A1&method=x.y"]
)
def test_a_whole_call_in_base64_becomes_stars(encode: Spelling, call: str) -> None:
    """Its signature is known to nobody here, but the names of its parameters are."""
    raw = call.encode()
    assert Redactor().redact(f"got {encode(raw)}; no") == f"got {STARS}; no"
    assert Redactor().redact(f"got {raw.hex()}; no") == f"got {STARS}; no"
