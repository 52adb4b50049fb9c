"""A registered app as the gateway keeps it: its rules, tokens, caps, and what is left of its package."""

from __future__ import annotations

import msgspec

from fetcher.clock import Clock
from fetcher.sandbox.checks import Rules
from fetcher.sandbox.limiter import Limiter, Window, rate_window, windows_of
from fetcher.sandbox.options import AppSettings, SandboxSettings
from fetcher.sandbox.tokens import Tokens

_CHINA_S: float = 8 * 3600.0


class Overrun(msgspec.Struct, frozen=True):
    """A call that came over a cap."""

    each_api: bool
    """The cap is the API's, not the app's."""
    daily: bool
    wait_s: float
    """Until one may come through."""


class Account:
    """One app's standing. It outlives changes of what it may, which `renew` brings."""

    def __init__(self, app: AppSettings, settings: SandboxSettings, clock: Clock) -> None:
        self._clock = clock
        self.tokens = Tokens(app, settings, clock.monotonic_s())
        self.left = app.usage
        """Calls that its package still holds; None: no package."""
        self.renew(app, settings)

    def renew(self, app: AppSettings, settings: SandboxSettings) -> None:
        """Other rules and caps; windows begin anew, tokens and package stay."""
        self.app = app
        self._settings = settings
        self.tokens.settings = settings
        self._limiters: dict[str, Limiter | None] = {}
        self.rules = Rules(
            app_key=app.app_key,
            app_secret=app.secret("app_secret"),
            require_token=settings.require_token,
            demand_timestamp=settings.demand_timestamp,
            timestamp_tolerance_s=settings.timestamp_tolerance_s,
            denied_apis=frozenset(app.denied_apis),
        )

    def withdraw(self) -> None:
        """No key is this app's any more, until its rules are renewed."""
        self.rules = msgspec.structs.replace(self.rules, app_key="")

    def admit(self, api: str, now_s: float) -> Overrun | None:
        """Count a call against all caps that it falls under; None: it may pass."""
        for scope in ("", api):
            limiter = self._limiter(scope)
            if limiter is not None and not limiter.admits(now_s):
                daily = limiter.overrun is not None and limiter.overrun.daily
                return Overrun(bool(scope), daily, limiter.frees_in_s())
        return None

    def use(self) -> bool:
        """Take one call from the package. False: none is left."""
        if self.left is None:
            return True
        if self.left <= 0:
            return False
        self.left -= 1
        return True

    def _limiter(self, scope: str) -> Limiter | None:
        if scope not in self._limiters:
            windows = self._windows(bool(scope))
            settings = self._settings
            made = Limiter(*windows, ban_s=settings.ban_s, refused_count=settings.refused_count) if windows else None
            self._limiters[scope] = made
        return self._limiters[scope]

    def _windows(self, each_api: bool) -> list[Window]:
        settings = self._settings
        rated = self.app.qps is not None and (settings.limit_scope == "api") is each_api
        first = [rate_window(self.app.qps, settings.window)] if rated and self.app.qps is not None else []
        caps = [cap for cap in self.app.parsed_caps if cap.each_api is each_api]
        phase_s = self._clock.wall_ms() / 1000 - self._clock.monotonic_s() + _CHINA_S
        return first + windows_of(caps, settings.window, day_s=settings.day_s, phase_s=phase_s)
