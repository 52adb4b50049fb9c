"""The figures of a run at one moment: what `metrics` hands to whoever shows them. No counting, no screen."""

from __future__ import annotations

from typing import Final

import msgspec

from fetcher.model import Kind, VerdictKind

STORED: Final = (VerdictKind.DONE, VerdictKind.ABSENT, VerdictKind.REJECT)
"""Answers that end up in a file, as a product or as a failure."""
OWN: Final = "own"
"""The result under which questions of the run's own are counted: for a token, the gateway's time."""


class Snapshot(msgspec.Struct, frozen=True):
    """All counts are IDs unless named otherwise.

    Law at any moment: `read = fetched + failed + skipped_known + duplicates + queued + in_flight + waiting + left`;
    at the end the three in the middle are 0.
    """

    total: int | None = None
    """Distinct IDs of the input, once known or guessed."""
    read: int = 0
    """Everything read so far, skipped ones and duplicates included."""
    fetched: int = 0
    failed: int = 0
    """Bad IDs included."""
    failed_permanent: int = 0
    """Those of them that no further try can help."""
    failed_by_kind: dict[str, int] = {}
    skipped_known: int = 0
    """Done by an earlier run."""
    skipped_fresh: int = 0
    """Of those: passed over because another file holds them (`--known`)."""
    changes: dict[str, int] = {}
    """Products that were compared with earlier ones: `new`, `changed`, `same`."""
    duplicates: int = 0
    queued: int = 0
    in_flight: int = 0
    waiting: int = 0
    """Will be tried again at a known time."""
    left: int = 0
    """The run ended first."""
    started: int = 0
    """Calls handed out so far, those in flight included."""
    attempts: int = 0
    """Calls that left this machine and have come to an end."""
    unsent: int = 0
    """Attempts of which no byte left: no connection."""
    results: dict[str, int] = {}
    """Attempts, sent or not, by what came of them: a `VerdictKind`, a `Lost`, or `own` for questions of the run's
    own."""
    retries: int = 0
    """Counted attempts after the first one of an ID."""
    throttles: int = 0
    """Answers that said: over the rate."""
    paused_s: float = 0.0
    """Seconds of pauses ordered after such answers."""
    paid_doubts: int = 0
    """Calls sent and never answered: each may have been charged."""
    price: float | None = None
    """Of a call, where one is set."""
    bytes_in: int = 0
    bytes_out: int = 0
    rate_per_s: float = 0.0
    """Starts a second over the last 5 seconds."""
    mean_rate_per_s: float = 0.0
    """Starts a second since the beginning: gaps between them over the time, so a short run is not shown too fast."""
    done_per_s: float = 0.0
    """IDs done a second over the last minute."""
    cap_per_s: float = 0.0
    rate_now_per_s: float = 0.0
    """What pacing allows at present."""
    latency_p50_s: float = 0.0
    latency_p90_s: float = 0.0
    latency_p99_s: float = 0.0
    latency_max_s: float = 0.0
    latency_mean_s: float = 0.0
    elapsed_s: float = 0.0
    eta_s: float | None = None
    """Seconds until all is done as things go; None when it cannot be said."""
    wait_reason: str = ""
    """Why nothing is sent just now, for a person; empty when nothing stands in the way."""
    wait_left_s: float | None = None
    """Seconds until it goes on; None when nobody knows."""
    waits_since_s: float = 0.0
    """Seconds for which it has been so already."""
    lease_exchanges: int = 0
    """With the place where the cap is shared."""
    slots_missed: int = 0
    """Leased there and not used: nothing to send, or too late."""
    fullest_1s: int = 0
    """Calls in the fullest second since the snapshot before this one."""
    latency_counts: tuple[int, ...] = ()
    """Answered calls by duration, see `Histogram.coarse`."""

    @property
    def distinct(self) -> int:
        """Distinct IDs read so far."""
        return self.read - self.duplicates

    @property
    def done(self) -> int:
        """IDs that need nothing more, those of earlier runs included: the counterpart of `total`."""
        return self.fetched + self.failed + self.skipped_known

    @property
    def cost(self) -> float | None:
        """Of all calls that left this machine, as if each were charged; None without a price. The run's own questions
        (for a token, the time) have none."""
        return None if self.price is None else (self.attempts - self.own) * self.price

    @property
    def own(self) -> int:
        """Of the attempts: questions of the run's own, for a token or the gateway's time."""
        return self.results.get(OWN, 0)

    @property
    def stored_nothing(self) -> int:
        """Calls that left this machine and brought nothing to store: refused, failed, or never answered."""
        return self.attempts - self.own - sum(self.results.get(kind, 0) for kind in STORED)

    @property
    def cost_expected(self) -> float | None:
        """Of the whole run, if what is left takes as many calls an ID as so far; None while that cannot be said."""
        decided = self.fetched + self.failed - self.failed_by_kind.get(Kind.BAD_ID, 0)
        if self.price is None or self.total is None or decided <= 0:
            return None
        calls = self.attempts - self.own
        return (calls + (self.total - self.done) * calls / decided) * self.price

    @property
    def unfinished(self) -> int:
        """Read and not yet at an end."""
        return self.queued + self.in_flight + self.waiting

    @property
    def balanced(self) -> bool:
        """All that was read has come to an end, and the ends add up."""
        ends = self.fetched + self.failed + self.skipped_known + self.duplicates + self.left
        return ends == self.read and not (self.queued or self.in_flight or self.waiting)
