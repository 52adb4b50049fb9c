"""Tokens: who gets one, and until when it is good."""

from __future__ import annotations

from uuid import UUID

import pytest

from fetcher.sandbox import SandboxSettings
from fetcher.sandbox.checks import Refusal
from fetcher.sandbox.tokens import Tokens

CLIENT = {"client_id": "1000000", "client_secret": "sandbox-secret"}
REFRESH = {**CLIENT, "grant_type": "refresh_token", "refresh_token": "sandbox-refresh-token"}
CODE = {**CLIENT, "grant_type": "authorization_code", "code": "x"}


def test_the_first_token_is_good_until_it_expires() -> None:
    """For ever when there is no end to it."""
    mortal, immortal = Tokens(SandboxSettings(token_life_s=10), 5.0), Tokens(SandboxSettings(), 5.0)
    assert mortal.is_good("sandbox-access-token", 14.9) and not mortal.is_good("sandbox-access-token", 15.0)
    assert immortal.is_good("sandbox-access-token", 1e9)
    assert not immortal.is_good("", 5.0)


def test_a_refresh_brings_new_tokens() -> None:
    """A different UUID each time, the same for the same seed; 36 000 s unless told otherwise."""
    tokens, same = Tokens(SandboxSettings(), 0.0), Tokens(SandboxSettings(), 0.0)
    first, second = tokens.grant(REFRESH, 0.0), tokens.grant(REFRESH, 0.0)
    assert isinstance(first, dict) and isinstance(second, dict)
    assert first["access_token"] != second["access_token"] and UUID(first["access_token"])
    assert first == same.grant(REFRESH, 0.0)
    assert first["expires_in"] == "36000" and "refresh_token" not in first
    assert tokens.is_good(first["access_token"], 1.0) and tokens.is_good(second["access_token"], 1.0)


def test_a_code_can_bring_a_refresh_token() -> None:
    """If it is asked for."""
    tokens = Tokens(SandboxSettings(), 0.0)
    with_one = tokens.grant({**CODE, "need_refresh_token": "true"}, 0.0)
    without = tokens.grant(CODE, 0.0)
    assert isinstance(with_one, dict) and isinstance(without, dict)
    assert with_one["refresh_token"] == "sandbox-refresh-token" and "refresh_token" not in without


@pytest.mark.parametrize(
    "params",
    [
        {},
        {**REFRESH, "client_id": "2"},
        {**REFRESH, "client_secret": "other"},
        {**REFRESH, "refresh_token": "other"},
        {**CLIENT, "grant_type": "password"},
        {**CODE, "code": ""},
    ],
)
def test_others_get_none(params: dict[str, str]) -> None:
    """Wrong client, wrong secret, wrong grant."""
    assert isinstance(Tokens(SandboxSettings(), 0.0).grant(params, 0.0), Refusal)
