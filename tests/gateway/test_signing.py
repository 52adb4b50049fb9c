"""Signatures hold against vectors of official SDKs; nothing about the order of parameters matters."""

from __future__ import annotations

import hmac
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fetcher.errors import UsageError
from fetcher.gateway import guide_signature, param2_signature
from fetcher.gateway.signing import Signer, param2_text
from fetcher.secret import Secret

VECTORS: dict[str, Any] = json.loads((Path(__file__).parent / "aop_vectors.json").read_text(encoding="utf-8"))
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
PARAMS = st.dictionaries(TEXT.filter(lambda name: name not in ("", "sign", "_aop_signature")), TEXT, max_size=6)


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda vector: vector["id"])
def test_signs_as_three_official_sdks_do(vector: dict[str, Any]) -> None:
    """Path and parameters, the joined strings sorted."""
    assert param2_signature(vector["secret"], vector["url_path"], vector["params"]) == vector["signature"]


@pytest.mark.parametrize("vector", [*VECTORS["literal"], *VECTORS["params_only"]], ids=lambda each: each["signature"])
def test_signs_as_public_examples_do(vector: dict[str, Any]) -> None:
    """With a path, and without one (`params only`)."""
    assert param2_signature(vector["secret"], vector.get("url_path") or "", vector["params"]) == vector["signature"]


def test_the_vectors_tell_the_two_ways_of_sorting_apart() -> None:
    """At least one would fail if keys were sorted in place of the joined strings."""
    separating = [vector for vector in VECTORS["vectors"] if not vector["key_sort_gives_same"]]
    assert separating
    for vector in separating:
        by_key = vector["url_path"] + "".join(k + v for k, v in sorted(vector["params"].items()))
        assert Signer(Secret(vector["secret"])).sign(by_key) != vector["signature"]


def test_signs_as_the_tutorial_does() -> None:
    """Its own example, to the digit."""
    params = {
        "app_key": "your_app_key",
        "method": "alibaba.product.get",
        "timestamp": "1700000000",
        "productId": "123456789",
        "format": "json",
        "v": "2.0",
    }
    assert guide_signature("your_app_secret", params) == "7726208782D4E109C351711397EF21AD4E4E7F49"
    assert guide_signature("your_app_secret", {"sign": "x", **params}) == "7726208782D4E109C351711397EF21AD4E4E7F49"


@given(PARAMS, st.randoms(use_true_random=False), TEXT)
def test_the_order_of_parameters_does_not_matter(params: dict[str, str], random: Any, secret: str) -> None:
    """Both schemes sort."""
    shuffled = list(params.items())
    random.shuffle(shuffled)
    assert param2_signature(secret, "p", params) == param2_signature(secret, "p", dict(shuffled))
    assert guide_signature(secret, params) == guide_signature(secret, dict(shuffled))


@given(PARAMS)
def test_joined_strings_are_sorted_by_their_bytes(params: dict[str, str]) -> None:
    """Code points of a text and bytes of its UTF-8 have one order."""
    by_bytes = b"".join(sorted((name + value).encode() for name, value in params.items()))
    assert param2_text("path", params.items()).encode() == b"path" + by_bytes


def test_a_signer_shows_nothing() -> None:
    """Neither its repr nor the error about an impossible secret holds it."""
    assert "s3cret" not in repr(Signer(Secret("s3cret")))
    with pytest.raises(UsageError) as caught:
        Signer(Secret("s3cret\ud800"))
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=150), st.text(max_size=300))
def test_the_kept_states_sign_as_hmac_does(secret: str, text: str) -> None:
    """Keys shorter than a block, as long, and longer; any text."""
    text = text.encode("utf-8", "replace").decode()
    expected = hmac.digest(secret.encode(), text.encode(), "sha1").hex().upper()
    signer = Signer(Secret(secret))
    assert signer.sign(text) == signer.sign(text) == expected
