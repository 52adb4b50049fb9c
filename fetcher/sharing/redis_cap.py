"""One cap for processes on several hosts: a hash in Redis and a script that keeps it, in the server's time.

The script is `pacing.SlotBook` in Redis's language; a test holds the two against each other. The server's clock is
compared with ours at every exchange (`pacing.ClockOffset`), and what they may disagree by is taken off the slots.
A server that was restarted, or a replica that took its place, may have lost what was leased last: the script sees that
by the server's run_id and begins when all leases are over. A server's clock that is set makes new leases overlap old
ones: whoever has known the clock for a while sees it at the next exchange, drops what it holds and waits till all old
leases are over; whoever has just come has to wait as long, for it cannot see it (`pacing.lease`).
"""

from __future__ import annotations

import logging
import math
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import msgspec

from fetcher.clock import Clock
from fetcher.errors import UsageError
from fetcher.pacing import AHEAD_S, Ask, ClockOffset, Grant, Lease, PlaceLost, Slowdown, least_gap_s

if TYPE_CHECKING:
    from redis.asyncio import Redis

TIMEOUT_S: Final = 2.0
LOOKS: Final = 4
"""Round trips before the first lease, so that the clocks are known from the best of several."""
KNOWN_S: Final = 60.0
"""A clock that was not heard of for longer is not known any more: a small step of it would not show."""
ROUNDING_S: Final = 1e-5
FAR_S: Final = 0.025
"""Half a round trip over which a part of the cap is lost that a user would notice."""

log = logging.getLogger("fetcher.sharing")


class RedisCap:
    """See `pacing.LeasePlace`. Nothing is connected before the first `lease`.

    Args:
        url: `redis://` or `rediss://`; its password is shown nowhere.
        owner: whose cap it is; the key's name.
        clock: ours.

    Raises:
        UsageError: the library is missing, or the URL is none.
    """

    def __init__(self, url: str, owner: bytes, clock: Clock) -> None:
        try:
            from redis.asyncio import Redis
            from redis.asyncio.retry import Retry
            from redis.backoff import NoBackoff
        except ImportError:
            raise UsageError(
                "--share-cap redis://… needs the library redis, which is not installed",
                "pip install 'fetcher[redis]'",
            ) from None
        self._key, self._clock = f"fetcher:cap:{owner.hex()}", clock
        parts = urlsplit(url)
        self._where = f"{parts.scheme}://{parts.hostname}:{parts.port or 6379}"
        try:
            self._client: Redis = Redis.from_url(
                url,
                socket_timeout=TIMEOUT_S,
                socket_connect_timeout=TIMEOUT_S,
                retry=Retry(NoBackoff(), 0),
                client_name="fetcher",
                decode_responses=True,
            )
        except ValueError as error:
            raise UsageError(f"--share-cap: {error}", "redis://[user:password@]host[:port][/number]") from None
        self._script = self._client.register_script(script_text())
        self._offset = ClockOffset()
        self._heard_s = self._settled_s = -math.inf  # in our time; in the server's
        self._reached = self._said_far = False

    @property
    def where(self) -> str:
        """See `LeasePlace`."""
        return self._where

    async def lease(self, ask: Ask) -> Grant:
        """See `LeasePlace`."""
        look = msgspec.structs.replace(ask, slots=0, slowdown=None, unused=0)
        if self._clock.monotonic_s() - self._heard_s > KNOWN_S:
            self._offset = ClockOffset()
            for _ in range(LOOKS):
                await self._exchange(look)
            self._reached = True
            self._say_far()
        if math.isinf(self._settled_s):
            return await self._exchange(ask)
        seen = await self._exchange(look)
        free_s = max(seen.next_s, self._clock.monotonic_s()) + self._offset.offset_s
        if free_s >= self._settled_s - ROUNDING_S:
            self._settled_s = -math.inf
            return await self._exchange(ask)
        grant = await self._exchange(msgspec.structs.replace(ask, slots=0))
        return msgspec.structs.replace(grant, next_s=self._settled_s - self._offset.offset_s)

    async def aclose(self) -> None:
        """See `LeasePlace`."""
        await self._client.aclose()

    async def _exchange(self, ask: Ask) -> Grant:
        """One round trip. No lease in the answer, and a while to wait, where the server's clock was not known yet."""
        offset = self._offset
        sent_s = self._clock.monotonic_s()
        answer = await self._run(offset.to_place(ask))
        got_s, other_s = self._clock.monotonic_s(), float(answer[0])
        was_known = math.isfinite(offset.error_s)
        was_set = not offset.heard(sent_s, got_s, other_s)
        self._heard_s = got_s
        grant = offset.from_place(_grant(answer, ask), other_s)
        if was_known and not was_set:
            return grant
        if was_set:
            log.warning("the clock of %s was set; nothing starts for a second", self._where)
        gap_s = max(ask.gap_s, least_gap_s(ask.cap_per_s, 0.0))
        self._settled_s = other_s + AHEAD_S + gap_s
        return msgspec.structs.replace(grant, lease=None, next_s=self._settled_s - offset.offset_s, forget=True)

    async def _run(self, ask: Ask) -> list[str]:
        from redis.exceptions import ConnectionError as NotConnected
        from redis.exceptions import RedisError
        from redis.exceptions import TimeoutError as TooLate

        try:
            answer: list[str] = await self._script(keys=[self._key], args=_arguments(ask))
        except (NotConnected, TooLate, OSError) as error:
            # The library's words may repeat the URL: only the kind is told.
            what = "does not answer" if isinstance(error, TooLate) else "cannot be reached"
            if type(error).__name__ in ("AuthenticationError", "AuthorizationError"):
                what = "refuses the user or the password"
            self._lost(f"{self._where} {what}")
        except RedisError as error:
            self._lost(f"{self._where} refuses the script: {str(error).split(' ', 1)[0]}")
        return answer

    def _lost(self, what: str) -> None:
        if self._reached:
            raise PlaceLost(what) from None
        raise UsageError(f"--share-cap: {what}", "Check host, port and password; is Redis running?") from None

    def _say_far(self) -> None:
        if self._offset.error_s > FAR_S and not self._said_far:
            self._said_far = True
            log.warning(
                "%s is %.0f ms away: about %.0f %% of the cap cannot be used",
                self._where,
                2000 * self._offset.error_s,
                200 * self._offset.error_s,
            )


def script_text() -> str:
    """The script, for Redis 5 and newer, Valkey and what else speaks its language."""
    return files("fetcher.sharing").joinpath("slot_book.lua").read_text(encoding="ascii")


def _arguments(ask: Ask) -> list[Any]:
    slow = ask.slowdown
    told = [] if slow is None else [slow.resume_s, slow.rate_per_s, slow.last_bad_per_s, slow.streak]
    limit = "" if ask.calls_limit is None else ask.calls_limit
    numbers = [ask.slots, ask.cap_per_s, ask.gap_s, ask.lateness_s, ask.delay_s, ask.version, limit, ask.unused]
    return [repr(each) if isinstance(each, float) else str(each) for each in (*numbers, *told)]


def _grant(answer: list[str], ask: Ask) -> Grant:
    _, first_s, gap_s, slots, lateness_s, next_s, cap_per_s, version, left, resume_s, rate, last_bad, streak = answer
    lease = Lease(float(first_s), float(gap_s), int(slots), float(lateness_s)) if int(slots) else None
    slowdown = Slowdown(float(resume_s), float(rate), float(last_bad), int(streak))
    calls_left = None if ask.calls_limit is None else int(left)
    return Grant(lease, float(next_s), float(cap_per_s), int(version), slowdown, calls_left)
