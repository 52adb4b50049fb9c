"""The way of a code: the page for the member, back to the app, and the tokens."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.sandbox.calls import KEY, Caller, sandbox, signature

HOME = "http://127.0.0.1:9/back"


async def page(caller: Caller, path: str = "/oauth/authorize", **params: str) -> Any:
    """The page, redirects not followed."""
    return await caller.client.get(path, params={"client_id": KEY, "site": "1688", **params})


async def test_a_member_says_yes() -> None:
    """The page asks; yes sends the browser home with a code and the state; the code becomes tokens that work."""
    async with sandbox(require_token=True) as caller:
        asked = await page(caller, redirect_uri=HOME, state="s&1")
        assert asked.status_code == 200 and KEY in asked.text and 'name="authorize"' in asked.text
        sent = await page(caller, redirect_uri=HOME, state="s&1", authorize="yes")
        assert sent.status_code == 302 and sent.headers["location"].startswith(HOME + "?")
        back = parse_qs(urlsplit(sent.headers["location"]).query)
        assert back["state"] == ["s&1"]
        form = {
            "grant_type": "authorization_code",
            "client_id": KEY,
            "client_secret": "sandbox-secret",
            "code": back["code"][0],
            "redirect_uri": HOME,
            "need_refresh_token": "true",
        }
        granted = await caller.client.post(f"/openapi/http/1/system.oauth2/getToken/{KEY}", data=form)
        assert granted.status_code == 200 and granted.json()["refresh_token"]
        assert (await caller.product(access_token=granted.json()["access_token"])).status_code == 200
        assert caller.app.stats()["calls"] == 2, "the pages are no calls"


async def test_a_member_says_no() -> None:
    """The app is told."""
    async with sandbox() as caller:
        sent = await page(caller, redirect_uri=HOME + "?x=1", authorize="no")
    assert sent.headers["location"] == HOME + "?x=1&error=access_denied"


async def test_without_an_address_the_page_shows_the_code() -> None:
    """To be copied by hand."""
    async with sandbox() as caller:
        shown = await page(caller, authorize="yes")
    assert shown.status_code == 200 and "<code>" in shown.text


@pytest.mark.parametrize(
    "params",
    [
        {"client_id": "9"},
        {"redirect_uri": "javascript:alert(1)"},
        {"redirect_uri": "http://a/\r\nset-cookie: x"},
        {"redirect_uri": "http://["},
    ],
)
async def test_a_browser_is_not_sent_just_anywhere(params: dict[str, str]) -> None:
    """An unknown app, or an address that is none."""
    async with sandbox() as caller:
        said = await page(caller, **{"redirect_uri": HOME, **params, "authorize": "yes"})
    assert said.status_code == 400 and "location" not in said.headers


async def test_what_is_asked_is_shown_harmlessly() -> None:
    """As text, never as markup."""
    async with sandbox() as caller:
        shown = await page(caller, redirect_uri=HOME, state='"><script>')
    assert "<script>" not in shown.text


async def test_the_old_page_wants_a_signature() -> None:
    """Without a path: the only step that uses it (documented)."""
    params = {"client_id": KEY, "site": "china", "redirect_uri": HOME}
    good = signature("".join(sorted(name + value for name, value in params.items())))
    async with sandbox() as caller:
        path = "/auth/authorize.htm"
        assert (await page(caller, path, **params, _aop_signature=good)).status_code == 200
        assert (await page(caller, path, **params, _aop_signature="0" * 40)).status_code == 400


async def test_refusals_in_oauths_own_words() -> None:
    """Some clients look for `error` and `error_description`."""
    async with sandbox(oauth_errors=True) as caller:
        said = await caller.client.post(f"/openapi/http/1/system.oauth2/getToken/{KEY}", data={})
    assert said.status_code == 400
    assert said.json() == {"error": "invalid_client", "error_description": "client_id or client_secret is wrong"}
