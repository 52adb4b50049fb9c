"""Settings become parts. The only file outside the command line that knows which concrete part plays which role."""

from __future__ import annotations

import dataclasses
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import time, timedelta, timezone, tzinfo
from functools import partial
from typing import TYPE_CHECKING, Final

from aiolimiter import AsyncLimiter

from fetcher.clock import Clock
from fetcher.errors import UsageError
from fetcher.gateway import Credentials, Gateway, chosen_api
from fetcher.metrics import CapProof, Tally
from fetcher.pacing import (
    Headroom,
    InFlight,
    OpenHours,
    Pacer,
    Quotas,
    Throttle,
    make_quotas,
)
from fetcher.policy import Breaker, Policy, Refusals, RetryBudget
from fetcher.run.keys import Key, ToldProof
from fetcher.run.roles import Principal
from fetcher.run.tokens import TokenKeeper
from fetcher.secret import Redactor, Secret
from fetcher.settings import Settings, known_secrets, require_credentials, settings_of_keys
from fetcher.transport import Transport, open_transport

if TYPE_CHECKING:
    import httpx

    from fetcher.pacing import LeasePlace
    from fetcher.run.leasing import Leasing
    from fetcher.run.quota_book import QuotaBook

BUCKET_S: Final = 0.04
"""Seconds of the cap that the bucket holds: three times what the even schedule may make up and more."""


BEIJING: Final = timezone(timedelta(hours=8), "Asia/Shanghai")
"""Where the gateway counts its days."""


@dataclass(slots=True)
class Parts:
    """What the runs of one `Fetcher` share: one key has one cap, one pool of connections, one memory of throttles."""

    settings: Settings
    clock: Clock
    keys: list[Key]
    """One, or a pool of them."""
    transport: Transport
    in_flight: InFlight
    policy: Policy
    retry_budget: RetryBudget
    breaker: Breaker
    open_hours: OpenHours
    cap_proof: CapProof
    """Over the calls of all keys; of one key it is the key's own."""
    started_s: float
    started_ms: int
    """The same by the wall."""
    reached: bool = False
    """An answer of any kind has come: host, port and TLS are right."""
    clock_offset_ms: int = 0
    """How far the gateway's clock is ahead of ours; 0 until it was measured."""
    timed_s: float = -math.inf
    """When it was measured last, monotonic."""
    last_accepted_s: float = 0.0
    quota_book: QuotaBook | None = None
    """Where the calls of `--cap` are written down, so that a restart knows of them."""
    leasings: list[Leasing] = field(default_factory=list)
    """Of the keys whose caps are shared with other processes."""

    def steady_ms(self) -> int:
        """The wall's time at the start, carried on by the clock that never jumps."""
        return self.started_ms + int((self.clock.monotonic_s() - self.started_s) * 1000)

    def gateway_ms(self) -> int:
        """The gateway's time, as far as it is known: what requests are signed with."""
        return self.steady_ms() + self.clock_offset_ms

    @property
    def gateway(self) -> Gateway:
        """The first key's: API, origin and batch are the same for all."""
        return self.keys[0].gateway

    @property
    def tokens(self) -> TokenKeeper:
        """The first key's."""
        return self.keys[0].tokens

    @property
    def calls_started(self) -> int:
        """By all keys together."""
        return sum([key.calls_started for key in self.keys])

    @property
    def cap_per_s(self) -> float:
        """Of all keys together, retired ones left out."""
        return sum([key.cap_per_s for key in self.keys if key.retired is None])

    @property
    def rate_per_s(self) -> float:
        """At which all keys together go at present."""
        return sum([key.pacer.rate_per_s for key in self.keys if key.retired is None])

    def permit_wait_s(self, now_s: float) -> float:
        """Seconds until a key could have a permit; infinity while only outstanding permits block."""
        return min((key.pacer.wait_s(now_s) for key in self.keys if key.retired is None), default=math.inf)

    def calls_left(self) -> int:
        """Calls that `max_calls` and `max_cost` still allow; a large number without them."""
        if self.leasings and self.leasings[0].is_limited:
            return 0 if all(each.used_up for each in self.leasings) else 2**62
        calls, paid, started = self.settings.max_calls, self.settings.calls_payable, self.calls_started
        by_number = 2**62 if calls is None else calls - started - sum([key.questions for key in self.keys])
        return max(0, min(by_number, 2**62 if paid is None else paid - started))

    async def aclose(self) -> None:
        """Hang up."""
        await self.transport.aclose()
        for each in self.leasings:
            await each.aclose()


def gateway_of(settings: Settings) -> Gateway:
    """The gateway's language with the user's key.

    Raises:
        UsageError: no such API or protocol, or a credential is missing.
    """
    app_key, app_secret = require_credentials(settings)
    return Gateway(
        api=chosen_api(settings),
        protocol_name=settings.protocol,
        credentials=Credentials(app_key, app_secret, settings.access_token),
        base_url=settings.gateway,
        params=settings.params,
        method=settings.method,
        send_timestamp=settings.timestamp,
        redact=Redactor(known_secrets(settings)).redact,
        batch=settings.batch or 0,
        answer_format=settings.answer_format,
        sign_method=settings.sign_method,
    )


def headroom_of(settings: Settings) -> Headroom:
    """What is left of the cap at the start."""
    return Headroom(None if settings.headroom is None else settings.headroom / 100)


def bucket_of(cap_per_s: float) -> AsyncLimiter:
    """The token bucket under the dispatcher, leaking at the cap.

    It holds a permit and what the schedule may make up: with room for a single one, a start that comes late would hold
    back the next, which is on time, and at 20/s each millisecond of a timer's lateness would be lost.
    """
    size = 1.0 + cap_per_s * BUCKET_S
    return AsyncLimiter(size, size / cap_per_s)


def assemble(
    settings: Settings,
    *,
    clock: Clock,
    client: httpx.AsyncClient | None = None,
    learn: Callable[[Secret], None] | None = None,
    principal: Principal | None = None,
) -> Parts:
    """Everything a run needs but its IDs and its sink. Call it inside the event loop.

    Args:
        settings: what the run is to do.
        clock: both clocks.
        client: see `Fetcher`.
        learn: is told every token that comes later, so that no log shows it.
        principal: whoever has the run done as a part of something larger.

    Raises:
        UsageError: a setting is wrong, a credential or an optional library is missing.
    """
    now_s = clock.monotonic_s()
    own = settings_of_keys(settings) or [("", settings)]
    keys = [key_of(name, each, clock, learn, principal) for name, each in own]
    first = dataclasses.replace(own[0][1], access_token=keys[0].tokens.access)
    leasings = lease_for(keys, [each for _, each in own], clock, principal)
    cap_per_s = sum(key.cap_per_s for key in keys)
    return Parts(
        settings=first,
        clock=clock,
        keys=keys,
        transport=transport_of(settings, keys[0].gateway.origin, clock, client),
        in_flight=InFlight(cap_per_s, fixed=settings.concurrency),
        policy=Policy(settings.retries, settings.paid_retries, random=random.random),
        retry_budget=RetryBudget(),
        breaker=Breaker(max_outage_s=settings.max_outage_s),
        open_hours=OpenHours(settings.windows, zone_of(settings)),
        cap_proof=keys[0].cap_proof if len(keys) == 1 else CapProof(cap_per_s),
        started_s=now_s,
        started_ms=clock.wall_ms(),
        last_accepted_s=now_s,
        leasings=leasings,
    )


def key_of(
    name: str,
    settings: Settings,
    clock: Clock,
    learn: Callable[[Secret], None] | None = None,
    principal: Principal | None = None,
) -> Key:
    """One credential with all that is its own.

    Args:
        name: for a person.
        settings: with this credential as the plain one.
        clock: both clocks.
        learn: see `assemble`.
        principal: is told when its calls are sent.
    """
    headroom, now_s = headroom_of(settings), clock.monotonic_s()
    place = None if principal is None else principal.tokens()
    tokens = TokenKeeper(settings, clock, learn, name if settings.keys else "", place)
    proof = CapProof(settings.qps) if principal is None else ToldProof(settings.qps, partial(principal.sent, name))
    return Key(
        name=name,
        cap_per_s=settings.qps,
        gateway=gateway_of(dataclasses.replace(settings, access_token=tokens.access)),
        pacer=Pacer(settings.qps, now_s, headroom.share),
        headroom=headroom,
        bucket=bucket_of(settings.qps),
        throttle=Throttle(settings.qps, patience_s=settings.max_outage_s),
        refusals=Refusals(name),
        cap_proof=proof,
        tokens=tokens,
        quotas=quotas_of(settings),
    )


def quotas_of(settings: Settings) -> Quotas | None:
    """A key's caps over longer times, nothing of them used; None without any."""
    return make_quotas(settings.caps, time.fromisoformat(settings.quota_reset), zone_of(settings) or BEIJING)


def zone_of(settings: Settings) -> tzinfo | None:
    """Where quotas begin anew and hours are counted; None: whoever asks knows."""
    if settings.time_zone is None:
        return None
    from zoneinfo import ZoneInfo

    return ZoneInfo(settings.time_zone)


def lease_for(
    keys: Sequence[Key], several: Sequence[Settings], clock: Clock, principal: Principal | None
) -> list[Leasing]:
    """Where caps are shared: gives each key a pacer that keeps its cap by leases from its own place.

    Raises:
        UsageError: that place cannot be used, or a limit is to be shared and there is none.
    """
    settings = several[0]
    if settings.share_limits and (settings.share_cap is None or settings.calls_allowed is None):
        raise UsageError(
            "--share-limits needs a place (--share-cap) and a limit (--max-calls, or --max-cost with --price)",
            "Add what is missing, or leave it out.",
        )
    pool: list[Leasing] = []
    for key, own in zip(keys, several, strict=True):
        place = None if own.share_cap is None else place_of(own, key.gateway.origin, clock)
        if principal is not None:
            place = principal.place(own, place)
        if place is None:
            return []
        from fetcher.pacing import LeasedPacer
        from fetcher.run.leasing import Leasing

        key.pacer = pacer = LeasedPacer(own.qps, clock.monotonic_s(), key.headroom.share, random.random())
        limit = own.calls_allowed if own.share_limits or principal is not None else None
        key.leasing = Leasing(
            pacer,
            place,
            clock,
            batch=key.gateway.batch,
            calls_limit=limit,
            max_lost_s=own.max_outage_s,
            random=random.random,
        )
        key.leasing.pool, key.leasing.holds, key.leasing.room = pool, key.holds, key.room
        pool.append(key.leasing)
    return pool


def place_of(settings: Settings, origin: str, clock: Clock) -> LeasePlace:
    """Where the cap is shared. Raises UsageError: it cannot be used."""
    from fetcher.sharing import open_place

    app_key, _ = require_credentials(settings)
    return open_place(settings.share_cap or "", app_key=app_key, origin=origin, clock=clock)


async def look_at_place(settings: Settings, clock: Clock) -> None:
    """Whether the place where the cap is to be shared can be used, before processes are started that need it.

    Raises:
        UsageError: it cannot.
    """
    if settings.share_cap is None:
        return
    from fetcher.pacing import Ask

    place = place_of(settings, gateway_of(settings).origin, clock)
    try:
        await place.lease(Ask(0, settings.qps, 0.0, 0.0))
    finally:
        await place.aclose()


def transport_of(settings: Settings, origin: str, clock: Clock, client: httpx.AsyncClient | None) -> Transport:
    """The httpx lane for a client that was handed over, else what the settings choose."""
    if client is not None:
        from fetcher.transport import HttpxTransport

        return HttpxTransport(client, origin, clock=clock, max_body_bytes=settings.max_body_bytes)
    return open_transport(
        origin,
        kind=settings.transport,
        clock=clock,
        connect_timeout_s=settings.connect_timeout_s,
        proxy=settings.proxy,
        trust_env=settings.trust_env,
        http2=settings.http2,
        max_body_bytes=settings.max_body_bytes,
        ca_file=settings.ca_file,
    )


def new_tally(parts: Parts) -> Tally:
    """Empty books for one run."""
    return Tally(parts.cap_per_s, parts.clock.monotonic_s(), parts.settings.price)
