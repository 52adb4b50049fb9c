"""Access tokens: which are good, and how a refresh gets a new one. Times are monotonic seconds, passed in."""

from __future__ import annotations

import hmac
import math
import uuid
from collections.abc import Mapping
from typing import Final

from fetcher.sandbox.checks import Refusal
from fetcher.sandbox.dice import roll
from fetcher.sandbox.options import SandboxSettings

LIFE_S: Final = 36_000
_PURPOSE: Final = 3


class Tokens:
    """The first token comes with the settings; more are made, by seed, on a refresh. Older ones stay good until they
    expire."""

    def __init__(self, settings: SandboxSettings, now_s: float) -> None:
        self._settings = settings
        self._made = 0
        self._good_until_s: dict[str, float] = {}
        self._keep(settings.access_token.reveal(), now_s)

    def is_good(self, token: str, now_s: float) -> bool:
        """Whether we gave it out and it has not expired."""
        return now_s < self._good_until_s.get(token, -math.inf)

    def grant(self, params: Mapping[str, str], now_s: float) -> dict[str, str] | Refusal:
        """`getToken`: unsigned, but with the app's secret. A refresh answers without a refresh token: the old one stays
        good (documented)."""
        settings = self._settings
        if params.get("client_id") != settings.app_key or not _same(
            params.get("client_secret"), settings.app_secret.reveal()
        ):
            return Refusal("400", "client_id or client_secret is wrong")
        kind = params.get("grant_type")
        if kind not in ("authorization_code", "refresh_token"):
            return Refusal("400", "grant_type is wrong")
        if kind == "refresh_token" and not _same(params.get("refresh_token"), settings.refresh_token.reveal()):
            return Refusal("400", "wrong refreshToken")
        if kind == "authorization_code" and not params.get("code"):
            return Refusal("400", "code is missing")
        granted = self._make(now_s)
        if kind == "authorization_code" and params.get("need_refresh_token") == "true":
            granted["refresh_token"] = settings.refresh_token.reveal()
            granted["refresh_token_timeout"] = "20991231235959000+0800"  # noqa: S105
        return granted

    def _make(self, now_s: float) -> dict[str, str]:
        self._made += 1
        bits = roll(self._settings.seed, _PURPOSE, self._made) << 64 | roll(self._settings.seed, _PURPOSE, -self._made)
        token = str(uuid.UUID(int=bits, version=4))
        self._keep(token, now_s)
        life_s = self._settings.token_life_s
        return {
            "aliId": "8888888888",
            "resource_owner": "sandbox",
            "memberId": "b2b-8888888888",
            "expires_in": str(LIFE_S if life_s is None else int(life_s)),
            "access_token": token,
        }

    def _keep(self, token: str, now_s: float) -> None:
        life_s = self._settings.token_life_s
        self._good_until_s[token] = math.inf if life_s is None else now_s + life_s


def _same(given: str | None, right: str) -> bool:
    return given is not None and hmac.compare_digest(given.encode(), right.encode())
