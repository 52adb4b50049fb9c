"""A key: one credential with all that is its own. Its cap, its pace, its tokens, its throttles and refusals, its proof.

A run has one, or a pool of them: then each call goes to the key that has most left of its cap, and one that is refused
for good leaves the pool while the run goes on with the rest.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import msgspec
from aiolimiter import AsyncLimiter

from fetcher.clock import Clock
from fetcher.errors import FetcherError
from fetcher.gateway import Gateway
from fetcher.metrics import CapProof
from fetcher.model import Item, Reply
from fetcher.pacing import Headroom, Moment, Pacer, Quotas, Throttle
from fetcher.policy import Refusals
from fetcher.run.tokens import Ask, TokenKeeper
from fetcher.secret import Secret

if TYPE_CHECKING:
    from fetcher.run.leasing import Leasing

FIRST_CALLS: Final = (1, 4)
"""In flight until the gateway has taken one call, and four: a wrong key costs one call, not a pool of them."""


class ToldProof(CapProof):
    """A proof that somebody else is told of too, call by call.

    Args:
        cap_per_s: see `CapProof`.
        tell: is told the time of each call, monotonic seconds.
    """

    def __init__(self, cap_per_s: float, tell: Callable[[float], None]) -> None:
        super().__init__(cap_per_s)
        self._tell = tell

    def sent_each(self, times_s: Sequence[float]) -> None:
        """See `CapProof`."""
        super().sent_each(times_s)
        for now_s in times_s:
            self._tell(now_s)


@dataclass(slots=True, eq=False)
class Key:
    """One credential at work."""

    name: str
    """For a person: never a secret."""
    cap_per_s: float
    gateway: Gateway
    pacer: Pacer
    headroom: Headroom
    bucket: AsyncLimiter
    throttle: Throttle
    refusals: Refusals
    cap_proof: CapProof
    tokens: TokenKeeper
    quotas: Quotas | None = None
    """Caps over longer times."""
    leasing: Leasing | None = None
    """Where its cap is shared with other processes."""
    accepted_calls: int = 0
    """Answers that show that the gateway takes its calls."""
    calls_started: int = 0
    questions: int = 0
    """Calls that the run made for itself: for a token, the gateway's time."""
    holds: set[object] = field(default_factory=set)
    """Who asks something about it: no call of an ID starts meanwhile."""
    in_flight: int = 0
    answered: list[tuple[Item, Reply, bytes]] = field(default_factory=list)
    """Plain products of this turn of the event loop, with their payloads, not yet entered into the books."""
    retired: FetcherError | None = None
    """Why it takes no more part."""

    def room(self) -> int:
        """How many more may be in flight: few while the gateway has not yet shown that it takes this key's calls."""
        for calls in FIRST_CALLS:
            if self.accepted_calls < calls:
                return calls - self.in_flight
        return 1_000_000

    def not_started(self, clock: Clock) -> None:
        """A call that was counted did not leave."""
        self.calls_started -= 1
        if self.quotas is not None:
            self.quotas.take(-1, moment(clock))

    async def renew(self, ask: Ask, refused: Secret | None, gateway_ms: Callable[[], int]) -> None:
        """Get a new token and call with it from then on. Raises what `TokenKeeper.renew` does.

        Args:
            ask: sends one request under the caps.
            refused: the token that was refused, or is about to expire.
            gateway_ms: the gateway's time, which the TOP family wants to be told.
        """
        gateway = self.gateway
        own = (lambda refresh: gateway.session_renewal(refresh, gateway_ms())) if gateway.is_top else None
        await self.tokens.renew(ask, refused, own)
        credentials = msgspec.structs.replace(self.gateway.credentials, access_token=self.tokens.access)
        self.gateway = dataclasses.replace(self.gateway, credentials=credentials)

    def asking(self, clock: Clock, questions: int = 1) -> None:
        """So many questions are about to be asked; a negative number: so many did not leave."""
        self.questions += questions
        if self.quotas is not None:
            self.quotas.take(questions, moment(clock))


def moment(clock: Clock) -> Moment:
    """Now, on both clocks."""
    return Moment(clock.monotonic_s(), clock.wall_ms())


def in_turn(keys: Iterable[Key], now_s: float) -> list[Key]:
    """Those that may still call, the one with most left of its cap first."""
    living = [key for key in keys if key.retired is None]
    if len(living) > 1:
        living.sort(key=lambda key: key.pacer.left(now_s), reverse=True)
    return living
