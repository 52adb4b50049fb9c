"""How many retries the run may make beside its first attempts.

It must not know: which ID is retried, clocks.

50 tokens, + 0.1 for every completed call, - 1 for every retry (SRE book: retries at most 10 % of the calls; gRPC A6).
An empty budget holds retries back; it never fails an ID. It cannot deadlock: held retries go when no fresh ID is left
to be preferred, or when so many wait that holding more would only fill memory. What stops a run against a dead gateway
is the breaker; the budget makes a sick one see fresh IDs rather than the same ones again.
"""

from __future__ import annotations

from typing import Final

TOKENS: Final = 50.0
EARNED: Final = 0.1
MOST_HELD: Final = 1000


class RetryBudget:
    """Tokens for retries."""

    def __init__(self, tokens: float = TOKENS, earned: float = EARNED, most_held: int = MOST_HELD) -> None:
        self._most, self._tokens, self._earned, self._most_held = tokens, tokens, earned, most_held

    @property
    def tokens(self) -> float:
        """Retries that may start at once."""
        return self._tokens

    def may_retry(self, held: int = 0, fresh_left: bool = True) -> bool:
        """May a retry start now?

        Args:
            held: how many retries wait.
            fresh_left: there are IDs that were never tried, or calls in flight. False lets a retry pass: the probe.
        """
        return self._tokens >= 1 or not fresh_left or held > self._most_held

    def spend(self) -> None:
        """A retry starts."""
        self._tokens = max(0.0, self._tokens - 1)

    def completed(self, calls: int = 1) -> None:
        """So many calls brought an outcome."""
        if self._tokens < self._most:
            self._tokens = min(self._most, self._tokens + calls * self._earned)
