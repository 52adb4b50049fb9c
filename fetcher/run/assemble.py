"""Settings become parts. The only file outside the command line that knows which concrete part plays which role."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aiolimiter import AsyncLimiter

from fetcher.clock import Clock
from fetcher.errors import UsageError
from fetcher.gateway import Credentials, Gateway, chosen_api
from fetcher.metrics import CapProof, Tally
from fetcher.pacing import Ask, Headroom, InFlight, LeasedPacer, LeasePlace, Pacer, Throttle
from fetcher.policy import Breaker, Policy, Refusals, RetryBudget
from fetcher.run.leasing import Leasing
from fetcher.run.tokens import TokenKeeper
from fetcher.secret import Redactor, Secret
from fetcher.settings import Settings, known_secrets, require_credentials
from fetcher.transport import Transport, open_transport

if TYPE_CHECKING:
    import httpx

BUCKET_S: Final = 0.04
"""Seconds of the cap that the bucket holds: four times the slack that the even schedule may make up."""


@dataclass(slots=True)
class Parts:
    """What the runs of one `Fetcher` share: one key has one cap, one pool of connections, one memory of throttles."""

    settings: Settings
    clock: Clock
    gateway: Gateway
    transport: Transport
    pacer: Pacer
    headroom: Headroom
    bucket: AsyncLimiter
    throttle: Throttle
    in_flight: InFlight
    policy: Policy
    retry_budget: RetryBudget
    breaker: Breaker
    refusals: Refusals
    cap_proof: CapProof
    tokens: TokenKeeper
    started_s: float
    started_ms: int
    """The same by the wall."""
    reached: bool = False
    """An answer of any kind has come: host, port and TLS are right."""
    accepted_calls: int = 0
    """Answers that show that the gateway takes our calls."""
    calls_started: int = 0
    clock_offset_ms: int = 0
    """How far the gateway's clock is ahead of ours; 0 until it was measured."""
    last_accepted_s: float = 0.0
    leasing: Leasing | None = None
    """Where the cap is shared with other processes."""

    def steady_ms(self) -> int:
        """The wall's time at the start, carried on by the clock that never jumps."""
        return self.started_ms + int((self.clock.monotonic_s() - self.started_s) * 1000)

    def gateway_ms(self) -> int:
        """The gateway's time, as far as it is known: what requests are signed with."""
        return self.steady_ms() + self.clock_offset_ms

    def calls_left(self) -> int:
        """Calls that `max_calls` and `max_cost` still allow; a large number without them."""
        limit = self.settings.calls_allowed
        if self.leasing is not None and self.leasing.is_limited:
            return 0 if self.leasing.used_up else 2**62
        return 2**62 if limit is None else max(0, limit - self.calls_started)

    async def aclose(self) -> None:
        """Hang up."""
        await self.transport.aclose()
        if self.leasing is not None:
            await self.leasing.aclose()


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
    place: LeasePlace | None = None,
) -> Parts:
    """Everything a run needs but its IDs and its sink. Call it inside the event loop.

    Args:
        settings: what the run is to do.
        clock: both clocks.
        client: see `Fetcher`.
        learn: is told every token that comes later, so that no log shows it.
        place: where the cap, and the limit of calls, are shared; unset: where `share_cap` says.

    Raises:
        UsageError: a setting is wrong, a credential or an optional library is missing.
    """
    now_s = clock.monotonic_s()
    tokens = TokenKeeper(settings, clock, learn)
    settings = dataclasses.replace(settings, access_token=tokens.access)
    gateway = gateway_of(settings)
    headroom = headroom_of(settings)
    pacer, leasing = pacing_of(settings, gateway, clock, headroom.share, place)
    return Parts(
        settings=settings,
        clock=clock,
        gateway=gateway,
        transport=transport_of(settings, gateway.origin, clock, client),
        pacer=pacer,
        headroom=headroom,
        bucket=bucket_of(settings.qps),
        throttle=Throttle(settings.qps, patience_s=settings.max_outage_s),
        in_flight=InFlight(settings.qps, fixed=settings.concurrency),
        policy=Policy(settings.retries, settings.paid_retries, random=random.random),
        retry_budget=RetryBudget(),
        breaker=Breaker(max_outage_s=settings.max_outage_s),
        refusals=Refusals(),
        cap_proof=CapProof(settings.qps),
        tokens=tokens,
        started_s=now_s,
        started_ms=clock.wall_ms(),
        last_accepted_s=now_s,
        leasing=leasing,
    )


def pacing_of(
    settings: Settings, gateway: Gateway, clock: Clock, headroom: float, place: LeasePlace | None
) -> tuple[Pacer, Leasing | None]:
    """What keeps the cap: by itself, or by leases from the place where it is shared.

    Raises:
        UsageError: that place cannot be used, or a limit is to be shared and there is none.
    """
    if settings.share_limits and (settings.share_cap is None or settings.calls_allowed is None):
        raise UsageError(
            "--share-limits needs a place (--share-cap) and a limit (--max-calls, or --max-cost with --price)",
            "Add what is missing, or leave it out.",
        )
    if settings.share_cap is None and place is None:
        return Pacer(settings.qps, clock.monotonic_s(), headroom), None
    pacer = LeasedPacer(settings.qps, clock.monotonic_s(), headroom, random.random())
    limit = settings.calls_allowed if settings.share_limits or place is not None else None
    place = place or place_of(settings, gateway.origin, clock)
    return pacer, Leasing(
        pacer,
        place,
        clock,
        batch=gateway.batch,
        calls_limit=limit,
        max_lost_s=settings.max_outage_s,
        random=random.random,
    )


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
    return Tally(parts.settings.qps, parts.clock.monotonic_s(), parts.settings.price)
