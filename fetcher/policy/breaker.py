"""The outage breaker: when everything fails, stop asking, and look now and then whether it is over.

    CLOSED ── outage ──▶ OPEN ── a second, then 2, 4 … 60 ──▶ PROBING ── success ──▶ CLOSED
                          ▲                                      │
                          └────────────── failure ───────────────┘

It must not know: clocks (times are arguments), what a call is. Failures are transient ones only: no answer, 5xx. A
throttle, an unknown product or a refusal shows that the gateway is alive: a success here.

What is an outage (the constants start from the reliability notes, "Retry, throttle, breakers"):

* 20 failures in a row, among them so many first attempts that chance would do it once in 10 000 times: p^f <= 0.0001,
  at least 4, with p the part of first attempts that failed before the row began. Retries alone prove nothing: an ID
  that failed is likely to fail again, and at the end of a run nothing else is left. With p learned, faults that only
  look like an outage (half of the IDs always fail; each ID fails its first tries) raise a false alarm or two, no more.
  A failure whose call began before one that went well does not count: timeouts end last, whenever they began, and a
  call that began later has shown since that the gateway answers.
* or surely more than three quarters of the last 30 s: failed first attempts > 3/4 n + 2·√n. By Hoeffding's bound a
  gateway below three quarters trips it at one look with at most e^-8 = 0.03 %. (A bare "half of 20 in 30 s" opens and
  closes all day at 50 % of 503s, and such runs have to go on.)

Which ID is the probe: up to four times the same one, because a fault that ends after a few tries of an ID then ends the
alarm; from the fifth probe on one that was never tried (`wants_fresh`), because the IDs tried so far may be the reason.
"""

from __future__ import annotations

import math
from enum import StrEnum
from typing import Final

IN_A_ROW: Final = 20
FIRST_IN_A_ROW: Final = 4
CHANCE: Final = 1e-4
EXPECTED_FAILURES: Final = 1.0
EXPECTED_CALLS: Final = 5.0
"""What is reckoned with before anything was seen: one in five, at the weight of five calls."""
MOST_SEEN: Final = 200.0
"""First attempts that are remembered, about: what failed an hour ago says little about now."""
SHARE: Final = 0.75
DEVIATIONS: Final = 2.0
WINDOW_S: Final = 30
FIRST_PROBE_S: Final = 1.0
LONGEST_PROBE_S: Final = 60.0
MAX_OUTAGE_S: Final = 900.0
SAME_ID_PROBES: Final = 4


class BreakerState(StrEnum):
    """See the drawing at the head of the file."""

    CLOSED = "closed"
    OPEN = "open"
    PROBING = "probing"


class Breaker:
    """Judges by results whether the gateway is out.

    Args:
        max_outage_s: how long an outage may last before the run should stop, resumable.
    """

    def __init__(self, max_outage_s: float = MAX_OUTAGE_S) -> None:
        self._max_outage_s = max_outage_s
        self.state = BreakerState.CLOSED
        self.open_since_s: float | None = None
        """Monotonic time at which the present outage was seen; None when there is none."""
        self._changed_s = -math.inf
        self._running_since_s: float | None = None
        self._failed_in_a_row = self._first_in_a_row = 0
        self._ok_started_s = -math.inf
        self._seen_failed, self._seen_calls = EXPECTED_FAILURES, EXPECTED_CALLS
        self._probe_wait_s = FIRST_PROBE_S
        self._next_probe_s = math.inf
        self._probes = 0
        self._clear()

    @property
    def is_open(self) -> bool:
        """An outage is on: only probes may start."""
        return self.state is not BreakerState.CLOSED

    @property
    def failing(self) -> bool:
        """The last that was heard of the gateway was a failure: an outage may just have begun."""
        return self._failed_in_a_row > 0

    @property
    def wants_fresh(self) -> bool:
        """The next probe should be an ID that was never tried, if there is one."""
        return self.is_open and self._probes >= SAME_ID_PROBES

    def record(self, ok: bool, now_s: float, first: bool = True, started_s: float | None = None) -> bool:
        """A call, or an attempt to connect, has ended.

        Args:
            ok: the gateway answered, and not with a transient failure.
            now_s: when.
            first: it was the first attempt of its ID (or belongs to no ID).
            started_s: when it began. What began before the last change of state says nothing about now.

        Returns:
            It was a probe, and it failed: let its ID be the first to be tried again, unless `wants_fresh`.
        """
        if started_s is not None and started_s < self._changed_s:
            return False
        if self._running_since_s is None:
            self._running_since_s = now_s
        probed = self.state is BreakerState.PROBING and not ok
        if ok and started_s is not None:
            self._ok_started_s = max(self._ok_started_s, started_s)
        if self.state is BreakerState.CLOSED:
            if not ok and started_s is not None and started_s <= self._ok_started_s:
                return False
            self._count(ok, now_s, first)
            if not ok and self._is_outage(now_s):
                self._open(now_s)
        elif ok:
            self._close(now_s)
        elif self.state is BreakerState.PROBING or now_s >= self._next_probe_s:
            self._wait_longer(now_s)
        return probed

    def succeeded(self, calls: int, now_s: float, started_s: float) -> None:
        """So many calls went well, up to `now_s`; the one that began last began at `started_s`.

        What `record` makes of each. While all is well they only count, so they are counted in one go.
        """
        self.record(True, now_s, started_s=started_s)
        if calls > 1 and started_s >= self._changed_s:
            self._seen_calls += calls - 1
            self._calls[math.floor(now_s) % WINDOW_S] += calls - 1
            while self._seen_calls > MOST_SEEN:
                self._seen_failed, self._seen_calls = self._seen_failed / 2, self._seen_calls / 2

    def allows(self, now_s: float) -> bool:
        """May a call start? While open: one, whenever a probe is due; then say `probe_started`."""
        return self.state is BreakerState.CLOSED or now_s >= self._next_probe_s

    def wait_s(self, now_s: float) -> float:
        """Seconds until a call may start; 0 when it may."""
        return 0.0 if self.allows(now_s) else self._next_probe_s - now_s

    def probe_started(self, now_s: float) -> None:
        """The one call that looks whether it is over has started. If its result is lost, the next is due in 60 s."""
        if self.is_open:
            self.state = BreakerState.PROBING
            self._probes += 1
            self._next_probe_s = now_s + LONGEST_PROBE_S

    def given_up(self, now_s: float) -> bool:
        """The outage has outlasted `max_outage_s`."""
        return self.open_since_s is not None and now_s - self.open_since_s >= self._max_outage_s

    def _count(self, ok: bool, now_s: float, first: bool) -> None:
        if ok:
            self._learn()
        else:
            self._failed_in_a_row += 1
            self._first_in_a_row += first
        if not ok and not first:
            return
        second = math.floor(now_s)
        slot = second % WINDOW_S
        if self._second[slot] != second:
            self._second[slot], self._calls[slot], self._failures[slot] = second, 0, 0
        self._calls[slot] += 1
        self._failures[slot] += not ok

    def _is_outage(self, now_s: float) -> bool:
        first = self._first_in_a_row
        if self._failed_in_a_row >= IN_A_ROW and first >= FIRST_IN_A_ROW:
            by_chance = (self._seen_failed / self._seen_calls) ** first
            if by_chance <= CHANCE:
                return True
        if self._running_since_s is None or now_s - self._running_since_s < WINDOW_S:
            return False  # a share is a matter of the whole window, so every opening is paid for by 30 s of running
        oldest = math.floor(now_s) - WINDOW_S
        calls = failures = 0
        for second, n, failed in zip(self._second, self._calls, self._failures, strict=True):
            if second > oldest:
                calls += n
                failures += failed
        return failures > SHARE * calls + DEVIATIONS * math.sqrt(calls)

    def _open(self, now_s: float) -> None:
        self.state = BreakerState.OPEN
        self.open_since_s = self._changed_s = now_s
        self._probes = 0
        self._probe_wait_s = FIRST_PROBE_S
        self._next_probe_s = now_s + FIRST_PROBE_S

    def _wait_longer(self, now_s: float) -> None:
        self.state = BreakerState.OPEN
        self._probe_wait_s = min(LONGEST_PROBE_S, self._probe_wait_s * 2)
        self._next_probe_s = now_s + self._probe_wait_s

    def _close(self, now_s: float) -> None:
        self._learn()
        self.state, self.open_since_s = BreakerState.CLOSED, None
        self._changed_s = self._running_since_s = now_s
        self._clear()

    def _learn(self) -> None:
        """A success ends a row of failures: they belong to what happens without an outage."""
        self._seen_failed += self._first_in_a_row
        self._seen_calls += self._first_in_a_row + 1
        self._failed_in_a_row = self._first_in_a_row = 0
        if self._seen_calls > MOST_SEEN:
            self._seen_failed, self._seen_calls = self._seen_failed / 2, self._seen_calls / 2

    def _clear(self) -> None:
        self._second = [-WINDOW_S] * WINDOW_S  # a ring of seconds, so memory does not follow the rate
        self._calls = [0] * WINDOW_S
        self._failures = [0] * WINDOW_S
