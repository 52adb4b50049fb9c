"""Tokens as text: what is asked for them, what answers bring, when the next is due."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest

from fetcher.gateway import Credentials, Grant, Refusal, TokenCalls, may_postpone, renew_after_s
from fetcher.model import Reply
from fetcher.secret import Secret

CALLS = TokenCalls("https://gw.open.1688.com/openapi", Credentials("1000000", Secret("app/secret&1")))


def reply(body: Any, status: int = 200) -> Reply:
    """An answer."""
    return Reply(status, body if isinstance(body, bytes) else orjson.dumps(body), 0.0, 0.1)


def form(body: bytes) -> dict[str, str]:
    """A form, read."""
    return {name: values[0] for name, values in parse_qs(body.decode()).items()}


def test_a_renewal_is_an_unsigned_form() -> None:
    """To `http/1/system.oauth2/getToken`, with the app's secret in its body and nowhere else."""
    request = CALLS.renewal(Secret("old-refresh"))
    assert (request.method, request.target) == ("POST", "/openapi/http/1/system.oauth2/getToken/1000000")
    assert form(request.body) == {
        "client_id": "1000000",
        "client_secret": "app/secret&1",
        "grant_type": "refresh_token",
        "refresh_token": "old-refresh",
    }
    assert "secret" not in repr(request).lower().replace("requests", "")


def test_a_code_is_exchanged_for_both_tokens() -> None:
    """With the address that it was given for."""
    sent = form(CALLS.exchange("c0de", "http://127.0.0.1:9/").body)
    assert sent["grant_type"] == "authorization_code" and sent["need_refresh_token"] == "true"
    assert (sent["code"], sent["redirect_uri"]) == ("c0de", "http://127.0.0.1:9/")


def test_a_postponement_names_both_tokens() -> None:
    """At its own address."""
    request = CALLS.postponement(Secret("r"), Secret("a"))
    assert request.target == "/openapi/param2/1/system.oauth2/postponeToken/1000000"
    assert form(request.body)["refresh_token"] == "r" and form(request.body)["access_token"] == "a"


@pytest.mark.parametrize(
    ("base", "page"),
    [
        ("https://gw.open.1688.com/openapi", "https://auth.1688.com/oauth/authorize"),
        ("http://127.0.0.1:8600/openapi", "http://127.0.0.1:8600/oauth/authorize"),
    ],
)
def test_where_the_member_goes(base: str, page: str) -> None:
    """1688's own page; a gateway on this machine has its own."""
    url = TokenCalls(base, Credentials("7", Secret("s"))).authorise_url("http://127.0.0.1:9/", "s&1")
    assert url.startswith(page + "?")
    asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    assert asked == {"client_id": "7", "site": "1688", "redirect_uri": "http://127.0.0.1:9/", "state": "s&1"}


def test_the_documents_answer() -> None:
    """Seconds as a text, a date with its zone."""
    body = {
        "aliId": "8888888888",
        "resource_owner": "xxx",
        "memberId": "b2b-1",
        "expires_in": "36000",
        "refresh_token": "479f9564-1",
        "access_token": "f14da3b8-1",
        "refresh_token_timeout": "20121222222222+0800",
    }
    grant = CALLS.read(reply(body))
    assert isinstance(grant, Grant)
    assert grant.access.reveal() == "f14da3b8-1" and grant.expires_in_s == 36_000
    assert grant.refresh is not None and grant.refresh.reveal() == "479f9564-1"
    assert grant.refresh_until_ms == 1_356_186_142_000
    assert "f14da3b8" not in repr(grant)


@pytest.mark.parametrize(
    ("expires", "expected"),
    [("36000", 36_000.0), (60, 60.0), (None, None), ("soon", None), ("-1", None), ("inf", None), ("nan", None)],
)
def test_a_refresh_brings_no_refresh_token(expires: Any, expected: float | None) -> None:
    """The old one stays good; a life that is no number is not known."""
    grant = CALLS.read(reply({"access_token": "a", "expires_in": expires}))
    assert isinstance(grant, Grant) and grant.refresh is None and grant.expires_in_s == expected


@pytest.mark.parametrize(
    ("answer", "passing"),
    [
        (reply({"error_code": "400", "error_message": "wrong refreshToken"}, 400), False),
        (reply({"error": "invalid_grant", "error_description": "expired"}, 400), False),
        (reply({"error_code": "gw.AppKeyNotFound", "error_message": "x"}, 400), False),
        (reply({"error_code": "gw.QosAppFrequencyLimit", "error_message": "x"}, 400), True),
        (reply(b"", 503), True),
        (reply(b"<html>", 502), True),
        (reply(b'{"access_token":', 200), True),
    ],
)
def test_no_token_came(answer: Reply, passing: bool) -> None:
    """For good, with what to do; or for a moment."""
    refusal = CALLS.read(answer)
    assert isinstance(refusal, Refusal) and refusal.passing is passing
    assert refusal.verdict.remedy


def test_tokens_are_renewed_ahead() -> None:
    """In the last hour of ten; a short one in its last tenth."""
    assert renew_after_s(36_000) == 32_400
    assert renew_after_s(60) == 54
    assert renew_after_s(0) == 0


def test_a_refresh_token_is_postponed_in_its_last_30_days() -> None:
    """Neither before nor when it is dead; nor when its end is not known."""
    day = 86_400_000
    assert [may_postpone(until, 0) for until in (31 * day, 30 * day, 1, 0, -1, None)] == [
        False,
        True,
        True,
        False,
        False,
        False,
    ]
