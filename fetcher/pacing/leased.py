"""A pacer that grants only inside leases. See `lease` for the law, `pacer` for the guard that it keeps as well.

It must not know: clocks (times are arguments), where leases come from, who fetches them.

How much it asks for: a fifth of a second's worth at the rate in force, and no more than there is work; in small
helpings while others want slots too, so that each comes to turn soon and nobody has to send more in a row than it can.
Half of what it last could not use it does not ask for again.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Final

from fetcher.errors import Defect
from fetcher.pacing.lateness import Lateness
from fetcher.pacing.lease import AHEAD_S, NO_SLOWDOWN, Ask, Grant, Lease, Slowdown, least_gap_s
from fetcher.pacing.pacer import EPSILON_S, ROUNDING_S, Pacer

RENEW_S: Final = 0.1
"""Ask again when what is held ends sooner than this."""
GATHER: Final = 0.3
"""Part of the lateness for which slots may gather."""
HELPING_S: Final = 0.2
HELPING: Final = 32
"""Slots at a time while others ask too: few enough to be sent in a row within the lateness, at any cap."""


class _Span:
    """What is left of a lease."""

    __slots__ = ("gap_s", "lateness_s", "next_s", "slots")

    def __init__(self, lease: Lease) -> None:
        self.next_s, self.gap_s, self.slots = lease.first_s, lease.gap_s, lease.slots
        self.lateness_s = lease.lateness_s

    @property
    def end_s(self) -> float:
        return self.next_s + self.slots * self.gap_s

    def before(self, now_s: float) -> int:
        """How many of its slots lie at or before `now_s`."""
        if now_s < self.next_s - ROUNDING_S:
            return 0
        if now_s >= self.end_s:
            return self.slots
        return min(self.slots, int((now_s - self.next_s + ROUNDING_S) / self.gap_s) + 1)

    def drop(self, n: int) -> None:
        self.next_s += n * self.gap_s
        self.slots -= n


class LeasedPacer(Pacer):
    """Grants permits for slots that were leased, and only while they last.

    Args:
        cap_per_s: as this process was told; the place may know of a smaller one.
        now_s: monotonic time of the start.
        headroom: see `Pacer`; at least half a percent is left, for what is late here.
        spread: 0 to 1, another for each process: those who wait for the same moment do not all ask in it.

    Raises:
        ValueError: a number outside its range.
    """

    def __init__(self, cap_per_s: float, now_s: float, headroom: float = 0.02, spread: float = 0.5) -> None:
        super().__init__(cap_per_s, now_s, headroom)
        self._spread = spread
        self._lateness = Lateness(headroom)
        self._awaited = False  # the dispatcher sleeps until the next slot
        self._spans: deque[_Span] = deque()
        self._deadlines_s: deque[float] = deque()  # of permits granted, in order
        self._end_s = -math.inf
        self._helping = 1
        self._alone = True
        self._used_lately = self._missed_lately = 0
        self._unused = 0
        self._again_s = -math.inf
        self.slowdown = NO_SLOWDOWN
        self._version = -1
        self._to_tell: Slowdown | None = None
        self.calls_left: int | None = None
        """Of a limit that is shared; None: there is none."""
        self.missed = 0
        """Slots that were leased and not used."""

    def due(self, now_s: float) -> int:
        """See `Pacer`."""
        self._forget(now_s)
        self._expire(now_s)
        self._awaited = False
        slots = 0
        for span in self._spans:
            slots += (n := span.before(now_s))
            if n < span.slots:
                break
        return min(slots, self._limit - self._used - self._granted)

    def take(self, n: int, now_s: float) -> None:
        """See `Pacer`."""
        self._forget(now_s)
        if n < 0 or self._used + self._granted + n > self._limit:
            raise Defect("more permits were taken than were due")
        self._granted += n
        while n and self._spans:  # what was due and is over by now is not there; `sent` will say so
            span = self._spans[0]
            part = min(n, span.slots)
            self._deadlines_s += [span.next_s + k * span.gap_s + span.lateness_s for k in range(part)]
            span.drop(part)
            n -= part
            if not span.slots:
                self._spans.popleft()

    def sent(self, now_s: float) -> bool:
        """See `Pacer`. False: its slot is over, it must not be sent; the permit is to be `returned`."""
        while self._deadlines_s and self._deadlines_s[0] < now_s:
            self._deadlines_s.popleft()
            self._lost(1)
            self._lateness.missed(1)
        if not self._deadlines_s:
            return False
        self._deadlines_s.popleft()
        self._used_lately += 1
        self._lateness.used()
        return super().sent(now_s)

    def returned(self) -> None:
        """See `Pacer`."""
        super().returned()
        while len(self._deadlines_s) > self._granted:
            self._deadlines_s.popleft()
            self._lost(1)

    def wait_s(self, now_s: float) -> float:
        """See `Pacer`; infinity also while no slot is held: then only a new lease helps."""
        self._forget(now_s)
        self._expire(now_s)
        if not self._spans:
            return math.inf
        self._awaited = True
        wait_s = max(0.0, self._spans[0].next_s - now_s)
        if self._used + self._granted < self._limit:
            return 0.0 if wait_s <= ROUNDING_S else wait_s
        return max(wait_s, self._sent_s[self._oldest] + self._window_s - now_s) if self._used else math.inf

    def wake_s(self, now_s: float) -> float:
        """See `Pacer`. Who is later than the lateness loses the slot, so most of it is left for what is late anyhow."""
        lateness_s = self._spans[0].lateness_s if self._spans else self._lateness.s
        return self.wait_s(now_s) + min(self._gather_s, GATHER * lateness_s)

    def pause_until(self, when_s: float) -> None:
        """See `Pacer`. What is leased before that is let go."""
        self.paused_until_s = max(self.paused_until_s, when_s)
        self._drop_before(when_s)

    def slow(self, slowdown: Slowdown) -> None:
        """The gateway has throttled us: everyone is to know."""
        self._to_tell = slowdown
        self.pause_until(slowdown.resume_s)

    def set_headroom(self, headroom: float) -> None:
        """See `Pacer`. The lateness is a part of it."""
        super().set_headroom(headroom)
        self._lateness.set_headroom(headroom)

    def _guarded_s(self) -> float:
        # Slots that lie apart as the law of leases wants them, used within their lateness, need no more than this.
        return max(1.0, 1 / self.cap_per_s) + EPSILON_S

    @property
    def held(self) -> int:
        """Slots that are leased and neither used nor over."""
        return sum(span.slots for span in self._spans)

    @property
    def has_news(self) -> bool:
        """Something is to be told at once."""
        return self._to_tell is not None

    def wanted(self, now_s: float, work: int) -> int:
        """How many slots to ask for now, when there is work for so many; 0: enough are held, or it is not yet time."""
        self._expire(now_s)
        held = self.held
        if now_s < self._again_s or work <= held or self._end_s - now_s > RENEW_S:
            return 0
        return min(self._helping, self._most(), work - held)

    def look_again_s(self, now_s: float) -> float:
        """Seconds until `wanted` could say something else, if there is work."""
        return max(0.0, self._again_s - now_s, self._end_s - RENEW_S - now_s)

    def ask(self, slots: int, calls_limit: int | None = None) -> Ask:
        """The question for the place. What it tells counts as told, unless `not_asked` says otherwise."""
        self._helping = self._next_helping()
        self._used_lately = self._missed_lately = 0
        unused, self._unused = self._unused, 0
        told, self._to_tell = self._to_tell, None
        lateness_s = self._lateness.s
        gap_s = max(self._gap_s, least_gap_s(self.cap_per_s, lateness_s))
        return Ask(slots, self.cap_per_s, gap_s, lateness_s, 0.0, self._version, told, calls_limit, unused)

    def not_asked(self, ask: Ask) -> None:
        """The place was not reached: what was to be told still is."""
        self._unused += ask.unused
        self._to_tell = self._to_tell or ask.slowdown

    def granted(self, grant: Grant, now_s: float) -> bool:
        """The place's answer. True: its `slowdown` is news, and may be another's."""
        self.calls_left = grant.calls_left
        if grant.forget:
            self._drop_before(math.inf)
        lease = grant.lease
        if lease is None:
            early_s = AHEAD_S * (0.2 + 0.6 * self._spread)
            self._again_s = max(now_s + (AHEAD_S if grant.calls_left == 0 else RENEW_S), grant.next_s - early_s)
        else:
            self._again_s = -math.inf
            self._alone = lease.first_s - max(self._end_s, now_s) < lease.gap_s
            self._spans.append(_Span(lease))
            self._end_s = lease.first_s + lease.slots * lease.gap_s
        news = grant.version > max(0, self._version)
        if news:
            self.slowdown = grant.slowdown
            self.pause_until(grant.slowdown.resume_s)
        self._version = grant.version
        return news

    def give_up(self) -> int:
        """Nothing more is to be sent: how many slots come back unused, of those that count against a shared limit."""
        self._drop_before(math.inf)
        return self._unused

    def _most(self) -> int:
        most = max(1, math.ceil(self.rate_per_s * HELPING_S))
        return most if self._alone else min(most, HELPING)

    def _next_helping(self) -> int:
        if self._again_s > -math.inf:
            return self._helping  # the last question brought none
        if self._missed_lately * 2 > self._used_lately + self._missed_lately:
            return max(1, self._used_lately)
        return min(self._most(), self._helping * 2)

    def _expire(self, now_s: float) -> None:
        """Let go of the slots that are over."""
        while self._spans:
            span = self._spans[0]
            over = span.before(now_s - span.lateness_s)
            span.drop(over)
            self._lost(over)
            if self._awaited:
                self._lateness.missed(over)
            if span.slots:
                return
            self._spans.popleft()

    def _drop_before(self, when_s: float) -> None:
        for span in self._spans:
            self._lost(over := span.before(when_s))
            span.drop(over)
        self._spans = deque(span for span in self._spans if span.slots)
        if not self._spans:
            self._end_s = -math.inf

    def _lost(self, n: int) -> None:
        self.missed += n
        self._missed_lately += n
        self._unused += n
