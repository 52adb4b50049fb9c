"""Tokens: the unsigned calls that bring them, what their answers say, and when it is time for the next.

It must not know connections, files or clocks: times come in as arguments.

    authorise   the member's browser goes to `/oauth/authorize` and comes back with a code (good once, two minutes)
    getToken    code → access token, refresh token · refresh token → access token; the answer has no refresh token,
                and the old one stays good
    postponeToken   in a refresh token's last 30 days: a new one, and the old one dies
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec

from fetcher.errors import UsageError
from fetcher.gateway.answers import Answers
from fetcher.gateway.api import Api
from fetcher.gateway.calls import split_base_url
from fetcher.gateway.dialect import Credentials
from fetcher.gateway.times import time_in_text
from fetcher.model import Item, Kind, Reply, Request, Verdict, VerdictKind
from fetcher.secret import Secret

AUTHORISE_URL: Final = "https://auth.1688.com/oauth/authorize"
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
AHEAD_S: Final = 3600.0
"""A token of ten hours is renewed in its last hour, as a careful client does it; a shorter one in its last tenth."""
AHEAD_SHARE: Final = 0.1
POSTPONE_S: Final = 30 * 86_400.0
"""A refresh token is postponed in its last 30 days; before, the gateway refuses it (documented)."""
NO_REFRESH: Final = "have the member authorise the app again: fetcher login"


class Grant(msgspec.Struct, frozen=True):
    """What `getToken` or `postponeToken` brought."""

    access: Secret
    expires_in_s: float | None = None
    """None: it did not say."""
    refresh: Secret | None = None
    """None: the old one stays good."""
    refresh_until_ms: int | None = None
    """Milliseconds since 1970 UTC."""


class Refusal(msgspec.Struct, frozen=True):
    """No token came."""

    verdict: Verdict
    passing: bool
    """It may go well a little later: an overload, a page of something between."""


class TokenCalls:
    """The calls of one app. Their bodies hold the app's secret: they are POST forms, and secrets themselves.

    Args:
        base_url: of the gateway, as for all calls.
        credentials: the app's; its access token is not used.
        redact: cuts secrets out of the gateway's messages.
        protocol: in which refusals are worded.
    """

    def __init__(
        self,
        base_url: str,
        credentials: Credentials,
        redact: Callable[[str], str] | None = None,
        protocol: str = "param2",
    ) -> None:
        self.origin, self._base_path = split_base_url(base_url)
        self._key, self._secret = credentials.app_key, credentials.app_secret
        self._answers = Answers(_TOKEN_API, protocol, redact)

    def authorise_url(self, redirect_uri: str, state: str, page: str | None = None) -> str:
        """Where the member's browser goes.

        Args:
            redirect_uri: where it is sent back to; empty: the page shows the code.
            state: comes back with the code, and proves that it is the answer to this question.
            page: None: 1688's own, and for a gateway on this machine that gateway's.
        """
        if page is None:
            local = urlsplit(self.origin).hostname in LOOPBACK
            page = f"{self.origin}/oauth/authorize" if local else AUTHORISE_URL
        asked = {"client_id": self._key, "site": "1688", "redirect_uri": redirect_uri, "state": state}
        return f"{page}?{urlencode({name: value for name, value in asked.items() if value})}"

    def exchange(self, code: str, redirect_uri: str) -> Request:
        """A code for tokens."""
        return self._request(
            "http/1/system.oauth2/getToken",
            grant_type="authorization_code",
            need_refresh_token="true",  # noqa: S106  (a switch)
            redirect_uri=redirect_uri,
            code=code,
        )

    def renewal(self, refresh: Secret) -> Request:
        """A refresh token for an access token."""
        return self._request(
            "http/1/system.oauth2/getToken", grant_type="refresh_token", refresh_token=refresh.reveal()
        )

    def postponement(self, refresh: Secret, access: Secret) -> Request:
        """A refresh token in its last days for a new one."""
        return self._request(
            "param2/1/system.oauth2/postponeToken", refresh_token=refresh.reveal(), access_token=access.reveal()
        )

    def _request(self, path: str, **form: str) -> Request:
        whole = {"client_id": self._key, "client_secret": self._secret.reveal(), **form}
        return Request("POST", f"{self._base_path}/{path}/{self._key}", urlencode(whole).encode())

    def read(self, reply: Reply) -> Grant | Refusal:
        """What an answer brings. It never raises."""
        try:
            said = json.loads(reply.body)
            if isinstance(said, dict) and isinstance(own := said.get(_SESSION), dict):
                said = json.loads(own.get("token_result", ""))  # JSON in a text in JSON
        except (ValueError, TypeError):
            said = None
        if isinstance(said, dict) and isinstance(said.get("access_token"), str) and said["access_token"]:
            return _grant(said)
        verdict = self._answers.verdict(reply, Item("0", 0))
        passing = verdict.kind is VerdictKind.THROTTLE or (
            verdict.kind is VerdictKind.RETRY and verdict.error is not Kind.REJECTED
        )
        return Refusal(msgspec.structs.replace(verdict, remedy=verdict.remedy or NO_REFRESH), passing)


_SESSION: Final = "top_auth_token_refresh_response"
_TOKEN_API: Final = Api("token", "system.oauth2", "getToken", "")


def _grant(said: dict[str, Any]) -> Grant:
    refresh, until = said.get("refresh_token"), said.get("refresh_token_timeout")
    return Grant(
        access=Secret(said["access_token"]),
        expires_in_s=_seconds(said.get("expires_in")),
        refresh=Secret(refresh) if isinstance(refresh, str) and refresh else None,
        refresh_until_ms=time_in_text(until.encode()) if isinstance(until, str) else None,
    )


def code_in(text: str, state: str) -> str:
    """The code out of what came back from the member's browser: the whole address, its query, or the code alone.

    Raises:
        UsageError: the member said no, or it is the answer to another question. The words hold no code.
    """
    text = text.strip()
    if "=" not in text:
        if not text:
            raise UsageError("no code was given", "It stands in the address that the browser was sent to: code=…")
        return text
    said = dict(parse_qsl(urlsplit(text).query or text.lstrip("?")))
    if said.get("error"):
        raise UsageError(f"the authorisation was refused: {said['error'][:100]}", "Run fetcher login again.")
    if not said.get("code"):
        raise UsageError("there is no code in that address", "It stands in it as code=…")
    if said.get("state", state) != state:
        raise UsageError(
            "that address answers another question: its state is not ours", "Use the page that was opened last."
        )
    return said["code"]


def _seconds(value: Any) -> float | None:
    """`"36000"`, a text by the documents; a number from others."""
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        return None
    return seconds if 0 <= seconds < math.inf else None


def renew_after_s(expires_in_s: float) -> float:
    """Seconds after it was granted at which a token is renewed: ahead of its end, so that no call is refused."""
    return expires_in_s - min(AHEAD_S, expires_in_s * AHEAD_SHARE)


def may_postpone(refresh_until_ms: int | None, now_ms: int) -> bool:
    """Whether a refresh token is in its last 30 days."""
    return refresh_until_ms is not None and 0 < refresh_until_ms - now_ms <= POSTPONE_S * 1000
