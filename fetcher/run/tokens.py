"""One key's tokens while a run goes on: which is current, when it is renewed, and by whom.

However many calls were refused, one renewal is asked for; with a token file, one among all runs of the host. Times of
this run are monotonic, so a jump of the wall clock neither kills a token nor keeps a dead one; only what a file says
of earlier runs has to be taken from the wall.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

import msgspec

from fetcher.clock import Clock
from fetcher.errors import FetcherError, LimitReached, OutputError, Refused
from fetcher.gateway import Credentials, Grant, Refusal, TokenCalls, may_postpone, renew_after_s
from fetcher.model import NoReply, Reply, Request
from fetcher.run.token_file import Kept, TokenFile, TokenPlace
from fetcher.secret import Redactor, Secret
from fetcher.settings import Settings, known_secrets, require_credentials

TRIES: Final = 4
"""For one renewal: an overload or a lost answer passes."""
TRY_AGAIN_S: Final = 1.0
"""Before the second try, doubled for each further one."""

PUT_OFF_S: Final = 60.0

log = logging.getLogger("fetcher.tokens")

Ask: TypeAlias = Callable[[Callable[[], Request]], Awaitable[Reply | NoReply]]


class TokenKeeper:
    """The tokens of one app. `access` is the one to send; None: calls go without.

    Args:
        settings: the app's credentials and, perhaps, its tokens and a token file. What stands in the file is newer,
            and wins.
        clock: both clocks.
        learn: is told every new token, so that no log shows it.
        name: of its key in a pool, for the log; empty: there is only one.
        place: where the tokens are, if not in a token file.

    Raises:
        UsageError: the token file is open to others, or none of ours.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        learn: Callable[[Secret], None] | None = None,
        name: str = "",
        place: TokenPlace | None = None,
    ) -> None:
        key, secret = require_credentials(settings)
        self._whose = f" of key {name}" if name else ""
        self._clock, self._learn = clock, learn or (lambda _: None)
        self._is_top = settings.protocol == "top"
        redact, protocol = Redactor(known_secrets(settings)).redact, settings.protocol
        self._calls = TokenCalls(settings.gateway, Credentials(key, secret), redact, protocol)
        self._file = place or (TokenFile(settings.token_file) if settings.token_file else None)
        self._kept = Kept(key, settings.access_token, settings.refresh_token)
        self._renew_at_s = math.inf
        self._one_at_a_time = asyncio.Lock()
        self.renewed_s = -math.inf
        """When the current token was got, monotonic: a refusal of a call sent before says nothing about it."""
        self.renewals = 0
        self._adopt(self._read())

    @property
    def access(self) -> Secret | None:
        """The token to send."""
        return self._kept.access

    @property
    def can_renew(self) -> bool:
        """Whether there is a refresh token."""
        return self._kept.refresh is not None

    def wants_renewal(self, now_s: float) -> bool:
        """Whether the token is near its end. Of one that came from the environment the end is not known."""
        return now_s >= self._renew_at_s and self.can_renew

    def renewal_in_s(self, now_s: float) -> float | None:
        """Seconds until then; None: nobody knows."""
        return max(0.0, self._renew_at_s - now_s) if self.can_renew and math.isfinite(self._renew_at_s) else None

    def put_off(self, now_s: float, *, for_good: bool) -> None:
        """A renewal ahead of time went wrong: the next one in a minute, or not before the token is refused."""
        self._renew_at_s = math.inf if for_good else now_s + PUT_OFF_S

    def _read(self) -> Kept:
        return Kept(self._kept.app_key) if self._file is None else self._file.read(self._kept.app_key)

    def authorise_url(self, redirect_uri: str, state: str, page: str | None = None) -> str:
        """See `TokenCalls.authorise_url`."""
        return self._calls.authorise_url(redirect_uri, state, page)

    async def exchange(self, ask: Ask, code: str, redirect_uri: str) -> Kept:
        """A code for tokens, stored in the token file if there is one.

        Raises:
            Refused: the code is wrong, used or too old; or the app's secret is wrong.
            LimitReached: the gateway did not answer.
            OutputError: they cannot be stored.
        """
        self._take(await self._granted(ask, lambda: self._calls.exchange(code, redirect_uri), tries=1))
        if self._file is not None:
            async with self._file.locked(self._kept.app_key):
                self._file.write(self._kept)
        return self._kept

    def _adopt(self, kept: Kept) -> None:
        """Take over what the file has, if it has anything."""
        if kept.access is None and kept.refresh is None:
            return
        self._kept = msgspec.structs.replace(kept, refresh=kept.refresh or self._kept.refresh)
        for secret in (kept.access, kept.refresh):
            if secret is not None:
                self._learn(secret)
        now_s, wall_ms = self._clock.monotonic_s(), self._clock.wall_ms()
        until = kept.renew_at_ms
        self._renew_at_s = math.inf if until is None else now_s + (until - wall_ms) / 1000

    async def renew(self, ask: Ask, refused: Secret | None, asks: Callable[[Secret], Request] | None = None) -> None:
        """Get a new access token, unless another run or stream has done so meanwhile.

        Args:
            ask: sends one request under the run's cap.
            refused: the token that was refused, or is about to expire.
            asks: makes the request of a refresh token; None: as 1688's own gateway has it.

        Raises:
            Refused: there is no refresh token, or the gateway takes it no more. Fatal, with what to do.
            LimitReached: the gateway did not answer.
        """
        async with self._one_at_a_time:
            if self._kept.access != refused:
                return  # another stream of this program has got it meanwhile
            if self._file is not None:
                try:
                    await self._renew_for_all(self._file, ask, refused, asks)
                except OutputError as error:
                    log.warning("%s; the new token lives as long as this run", error)
            if self._kept.access == refused:
                await self._renew(ask, asks)

    async def _renew_for_all(
        self, file: TokenPlace, ask: Ask, refused: Secret | None, asks: Callable[[Secret], Request] | None
    ) -> None:
        async with file.locked(self._kept.app_key):
            found = self._read()
            if found.access is not None and found.access != refused:
                self._adopt(found)
                self.renewed_s = self._clock.monotonic_s()
                log.info("the access token%s was renewed by another run", self._whose)
                return
            await self._renew(ask, asks)
            file.write(self._kept)

    async def _renew(self, ask: Ask, asks: Callable[[Secret], Request] | None) -> None:
        refresh, asks = self._kept.refresh, asks or self._calls.renewal
        if refresh is None:
            if self._is_top:
                raise Refused(
                    "the gateway refused the session",
                    "set FETCHER_ACCESS_TOKEN to a new one (and FETCHER_REFRESH_TOKEN, where the app has one)",
                )
            if self._kept.access is None:
                raise Refused(
                    "the gateway wants an access token, and there is none",
                    "fetcher login gets one; or set FETCHER_ACCESS_TOKEN",
                )
            raise Refused(
                "the gateway refused the access token",
                "there is no refresh token to renew it with: fetcher login gets both, or set FETCHER_ACCESS_TOKEN",
            )
        self._take(await self._granted(ask, lambda: asks(refresh)))
        access = self._kept.access
        if access is not None and may_postpone(self._kept.refresh_until_ms, self._clock.wall_ms()):
            await self._postpone(ask, refresh, access)
        log.info("the access token%s was renewed", self._whose)

    async def _postpone(self, ask: Ask, refresh: Secret, access: Secret) -> None:
        """A failure costs nothing yet: there are days left, and the next renewal tries again."""
        try:
            self._take(await self._granted(ask, lambda: self._calls.postponement(refresh, access)))
        except FetcherError as error:
            log.warning("the refresh token ends soon and was not postponed: %s", error)

    async def _granted(self, ask: Ask, make: Callable[[], Request], tries: int = TRIES) -> Grant:
        said = ""
        for attempt in range(tries):
            if attempt:
                await asyncio.sleep(TRY_AGAIN_S * 2 ** (attempt - 1))
            answer = await ask(make)
            if isinstance(answer, NoReply):
                said = answer.detail
                continue
            read = self._calls.read(answer)
            if isinstance(read, Grant):
                return read
            said = refusal_words(read)
            if not read.passing:
                raise Refused(f"the gateway gave no access token: {said}", read.verdict.remedy)
        raise LimitReached(
            f"the gateway gave no access token: {said}", "no ID was lost; run the same command again later"
        )

    def _take(self, grant: Grant) -> None:
        now_s, wall_ms = self._clock.monotonic_s(), self._clock.wall_ms()
        life_s = grant.expires_in_s
        self._renew_at_s = math.inf if life_s is None else now_s + renew_after_s(life_s)
        self._kept = kept_after(self._kept, grant, wall_ms)
        for secret in (grant.access, grant.refresh):
            if secret is not None:
                self._learn(secret)
        self.renewed_s = now_s
        self.renewals += 1


def kept_after(old: Kept, grant: Grant, wall_ms: int) -> Kept:
    """What is to be kept after a grant: an answer without a refresh token leaves the old one good."""
    life_s = grant.expires_in_s
    return Kept(
        old.app_key,
        grant.access,
        grant.refresh or old.refresh,
        None if life_s is None else wall_ms + int(life_s * 1000),
        None if life_s is None else wall_ms + int(renew_after_s(life_s) * 1000),
        grant.refresh_until_ms if grant.refresh else old.refresh_until_ms,
    )


def refusal_words(refusal: Refusal) -> str:
    """What the gateway said."""
    verdict = refusal.verdict
    return " ".join(part for part in (verdict.code, verdict.message and f'"{verdict.message}"') if part)
