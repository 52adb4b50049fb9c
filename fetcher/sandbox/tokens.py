"""Tokens of one app: which are good, and how a code, a refresh or a postponement gets new ones. Times are monotonic
seconds, passed in.
"""

from __future__ import annotations

import hmac
import math
import uuid
from collections.abc import Mapping
from typing import Final, NamedTuple

from fetcher.sandbox.answers import time_text
from fetcher.sandbox.checks import Refusal
from fetcher.sandbox.dice import roll
from fetcher.sandbox.options import AppSettings, SandboxSettings

LIFE_S: Final = 36_000
_PURPOSE: Final = 3


class _Code(NamedTuple):
    redirect_uri: str
    good_until_s: float


class Tokens:
    """The first tokens come with the settings; more are made, by seed. Access tokens stay good until they expire, also
    when a newer one is there; refusals have OAuth's codes (RFC 6749, 5.2)."""

    def __init__(self, app: AppSettings, settings: SandboxSettings, now_s: float) -> None:
        self._app = app
        self.settings = settings
        self._made = 0
        self._good_until_s: dict[str, float] = {}
        self._codes: dict[str, _Code] = {}
        self._refresh = app.secret("refresh_token")
        self._refresh_until_s = now_s + settings.refresh_token_life_s
        self._keep(app.secret("access_token"), now_s)

    def is_good(self, token: str, now_s: float) -> bool:
        """Whether we gave it out and it has not expired."""
        return now_s < self._good_until_s.get(token, -math.inf)

    def expire(self) -> None:
        """No access token that was given out so far is good any more."""
        self._good_until_s.clear()

    def revoke(self) -> None:
        """Nor is the refresh token: as after a password change or the end of a subscription."""
        self._refresh_until_s = -math.inf

    def authorise(self, redirect_uri: str, now_s: float) -> str:
        """A code for the member's browser to carry: good once, for two minutes (documented)."""
        code = self._uuid()
        self._codes[code] = _Code(redirect_uri, now_s + self.settings.code_life_s)
        return code

    def grant(self, params: Mapping[str, str], now_s: float, now_ms: int) -> dict[str, str] | Refusal:
        """`getToken`: unsigned, but with the app's secret. A refresh answers without a refresh token: the old one stays
        good (documented)."""
        refusal = self._client(params)
        if refusal is not None:
            return refusal
        kind = params.get("grant_type")
        if kind == "refresh_token":
            return self._wrong_refresh_token(params, now_s) or self._make(now_s)
        if kind != "authorization_code":
            return Refusal("unsupported_grant_type", "grant_type is wrong")
        code = self._codes.pop(params.get("code", ""), None)
        if code is None or now_s >= code.good_until_s:
            return Refusal("invalid_grant", "code is wrong, used or expired")
        if code.redirect_uri != params.get("redirect_uri", ""):
            return Refusal("invalid_grant", "redirect_uri is not the one that the code was given for")
        granted = self._make(now_s)
        if params.get("need_refresh_token") == "true":
            granted |= self._new_refresh_token(now_s, now_ms)
        return granted

    def renew_session(self, params: Mapping[str, str], now_s: float) -> dict[str, str] | Refusal:
        """The sister family's: its call is signed, so it needs no secret."""
        return self._wrong_refresh_token(params, now_s) or self._make(now_s)

    def postpone(self, params: Mapping[str, str], now_s: float, now_ms: int) -> dict[str, str] | Refusal:
        """`postponeToken`: a new refresh token in the old one's last 30 days; the old one dies (documented)."""
        refusal = self._client(params) or self._wrong_refresh_token(params, now_s)
        if refusal is not None:
            return refusal
        if not self.is_good(params.get("access_token", ""), now_s):
            return Refusal("invalid_grant", "wrong accessToken")
        if self._refresh_until_s - now_s > self.settings.postpone_window_s:
            return Refusal("invalid_grant", "refreshToken can be postponed in its last 30 days only")
        return self._make(now_s) | self._new_refresh_token(now_s, now_ms)

    def _client(self, params: Mapping[str, str]) -> Refusal | None:
        key_right = params.get("client_id") == self._app.app_key
        if key_right and _same(params.get("client_secret"), self._app.secret("app_secret")):
            return None
        return Refusal("invalid_client", "client_id or client_secret is wrong")

    def _wrong_refresh_token(self, params: Mapping[str, str], now_s: float) -> Refusal | None:
        if _same(params.get("refresh_token"), self._refresh) and now_s < self._refresh_until_s:
            return None
        return Refusal("invalid_grant", "wrong refreshToken")

    def _new_refresh_token(self, now_s: float, now_ms: int) -> dict[str, str]:
        self._refresh = self._uuid()
        self._refresh_until_s = now_s + self.settings.refresh_token_life_s
        until_ms = now_ms + int(self.settings.refresh_token_life_s * 1000)
        return {"refresh_token": self._refresh, "refresh_token_timeout": time_text(until_ms)}

    def _make(self, now_s: float) -> dict[str, str]:
        token = self._uuid()
        self._keep(token, now_s)
        life_s = self.settings.token_life_s
        return {
            "aliId": "8888888888",
            "resource_owner": "sandbox",
            "memberId": "b2b-8888888888",
            "expires_in": str(LIFE_S if life_s is None else int(life_s)),
            "access_token": token,
        }

    def _uuid(self) -> str:
        self._made += 1
        seed = f"{self._app.app_key} {self.settings.seed}"
        first = roll(sum(map(ord, seed)), _PURPOSE, self._made)
        return str(uuid.UUID(int=first << 64 | roll(self.settings.seed, _PURPOSE, -self._made), version=4))

    def _keep(self, token: str, now_s: float) -> None:
        life_s = self.settings.token_life_s
        self._good_until_s[token] = math.inf if life_s is None else now_s + life_s


def _same(given: str | None, right: str) -> bool:
    return given is not None and hmac.compare_digest(given.encode(), right.encode())
