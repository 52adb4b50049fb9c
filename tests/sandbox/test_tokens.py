"""Tokens: who gets one, and until when it is good."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from fetcher.sandbox import SandboxSettings
from fetcher.sandbox.checks import Refusal
from fetcher.sandbox.tokens import Tokens

CLIENT = {"client_id": "1000000", "client_secret": "sandbox-secret"}
REFRESH = {**CLIENT, "grant_type": "refresh_token", "refresh_token": "sandbox-refresh-token"}
CODE = {**CLIENT, "grant_type": "authorization_code"}


def tokens_of(**settings: Any) -> Tokens:
    """The tokens of the first app, at 0 s."""
    made = SandboxSettings(**settings)
    return Tokens(made.registered[0], made, 0.0)


def granted(answer: dict[str, str] | Refusal) -> dict[str, str]:
    """What was granted."""
    assert isinstance(answer, dict)
    return answer


def refused(answer: dict[str, str] | Refusal) -> tuple[str, str]:
    """OAuth's code, and the words."""
    assert isinstance(answer, Refusal)
    return answer.code, answer.message


def test_the_first_token_is_good_until_it_expires() -> None:
    """For ever when there is no end to it."""
    mortal, immortal = tokens_of(token_life_s=10), tokens_of()
    assert mortal.is_good("sandbox-access-token", 9.9) and not mortal.is_good("sandbox-access-token", 10.0)
    assert immortal.is_good("sandbox-access-token", 1e9)
    assert not immortal.is_good("", 5.0)


def test_a_refresh_brings_new_tokens() -> None:
    """A different UUID each time, the same for the same seed; 36 000 s unless told otherwise; no refresh token."""
    tokens, same = tokens_of(), tokens_of()
    first, second = granted(tokens.grant(REFRESH, 0.0, 0)), granted(tokens.grant(REFRESH, 0.0, 0))
    assert first["access_token"] != second["access_token"] and UUID(first["access_token"])
    assert first == same.grant(REFRESH, 0.0, 0)
    assert first["expires_in"] == "36000" and "refresh_token" not in first
    assert tokens.is_good(first["access_token"], 1.0) and tokens.is_good(second["access_token"], 1.0)


def test_tokens_die_before_their_time() -> None:
    """Expired by order: a refresh brings a good one. Revoked: the refresh token is dead too."""
    tokens = tokens_of()
    tokens.expire()
    assert not tokens.is_good("sandbox-access-token", 0.0)
    assert tokens.is_good(granted(tokens.grant(REFRESH, 0.0, 0))["access_token"], 0.0)
    tokens.revoke()
    assert refused(tokens.grant(REFRESH, 0.0, 0)) == ("invalid_grant", "wrong refreshToken")


def test_a_code_is_good_once_and_for_two_minutes() -> None:
    """For the address that it was asked for with; a refresh token comes if it is wanted."""
    tokens = tokens_of()
    code = tokens.authorise("http://127.0.0.1/", 0.0)
    asked = {**CODE, "code": code, "redirect_uri": "http://127.0.0.1/", "need_refresh_token": "true"}
    first = granted(tokens.grant(asked, 119.9, 1_795_000_000_000))
    assert first["refresh_token"] and first["refresh_token_timeout"].endswith("+0800")
    assert refused(tokens.grant(asked, 119.9, 0))[1] == "code is wrong, used or expired"
    late = {**asked, "code": tokens.authorise("http://127.0.0.1/", 0.0)}
    assert refused(tokens.grant(late, 120.0, 0))[1] == "code is wrong, used or expired"
    elsewhere = {**asked, "code": tokens.authorise("http://127.0.0.1/other", 0.0)}
    assert "redirect_uri" in refused(tokens.grant(elsewhere, 1.0, 0))[1]
    unwanted = {**CODE, "code": tokens.authorise("", 0.0)}
    assert "refresh_token" not in granted(tokens.grant(unwanted, 1.0, 0))


def test_a_refresh_token_is_postponed_in_its_last_days() -> None:
    """Not before; then the old one dies and the new one refreshes."""
    tokens = tokens_of(refresh_token_life_s=100, postpone_window_s=30)
    asked = {**REFRESH, "access_token": "sandbox-access-token"}
    assert "last 30 days" in refused(tokens.postpone(asked, 69.0, 0))[1]
    new = granted(tokens.postpone(asked, 71.0, 0))["refresh_token"]
    assert refused(tokens.grant(REFRESH, 72.0, 0))[1] == "wrong refreshToken"
    assert granted(tokens.grant({**REFRESH, "refresh_token": new}, 150.0, 0))["access_token"]
    assert refused(tokens.grant({**REFRESH, "refresh_token": new}, 171.0, 0))[1] == "wrong refreshToken"


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({}, "invalid_client"),
        ({**REFRESH, "client_id": "2"}, "invalid_client"),
        ({**REFRESH, "client_secret": "other"}, "invalid_client"),
        ({**REFRESH, "refresh_token": "other"}, "invalid_grant"),
        ({**CLIENT, "grant_type": "password"}, "unsupported_grant_type"),
        ({**CODE, "code": ""}, "invalid_grant"),
        ({**CODE, "code": "made-up"}, "invalid_grant"),
    ],
)
def test_others_get_none(params: dict[str, str], code: str) -> None:
    """Wrong client, wrong secret, wrong grant."""
    assert refused(tokens_of().grant(params, 0.0, 0))[0] == code
