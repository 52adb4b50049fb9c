"""One cap for many processes: slots leased from one place that keeps the time of the next free one. Pure arithmetic.

It must not know: clocks (times are arguments), where the place is (a file, Redis, an actor), how one talks to it.

A *slot* is a moment at which one call may start. The place hands out spans of even slots, several per exchange, and
only ever moves on: what somebody has leased nobody else gets, and what a dead process had leased is lost, not doubled.

Why no window of sent times holds more than the limit. Let w be the window (1 s), limit = floor(cap), and lateness the
longest time from a slot to the sending that uses it; who is later lets the slot go. Two laws:

1. any two slots, whoever has them, lie at least gap apart, and gap > (w + lateness) / limit;
2. a call that uses slot s is sent in [s, s + lateness].

What is sent in [t, t + w] uses slots in [t - lateness, t + w], of which there are at most (w + lateness) / gap rounded
down + 1, hence at most the limit. Clocks that disagree by an error of e each way shorten what the place's lateness
leaves: a process begins e after the slot by its own reckoning and ends e before the slot is over (`as_seen_from`).
A place's clock that is set makes earlier and later leases overlap. Who knew it before sees that at its next exchange,
lets go of what it holds and waits; a newcomer cannot see it, so it knows the clock for as long as a lease reaches
before its first slot: whoever was leased something by an earlier time has used it by then.

Changes keep the law. A longer lateness comes with longer gaps from the next slot on, and earlier slots keep their own;
before a shorter one the difference is left empty. A place that has forgotten everything (a new file, a restarted
server) begins `AHEAD_S` and a gap later: no lease reaches further than that, so all earlier ones are over.
"""

from __future__ import annotations

import math
from typing import Final, Protocol

import msgspec

EPSILON_S: Final = 2e-6
"""By this much the gaps are longer than the law asks, so that no rounding makes it false."""
AHEAD_S: Final = 1.0
"""No slot is leased that lies further than this in the future."""
REACH_S: Final = 0.4
"""A lease is over after this, as a rule."""
USABLE: Final = 0.7
"""This part of the lateness at least is to be left when what clocks may disagree by is taken off."""
FORGET_S: Final = 30.0
"""A smaller cap, or a longer lateness, counts this long after somebody has last asked with it (at caps below 0.1/s,
three gaps)."""


def least_gap_s(cap_per_s: float, lateness_s: float) -> float:
    """The shortest distance of two slots with which no window of sent times can hold more than the cap."""
    return (max(1.0, 1 / cap_per_s) + lateness_s + EPSILON_S) / max(1, math.floor(cap_per_s))


class Slowdown(msgspec.Struct, frozen=True):
    """What one process has learnt from a throttle answer, for all others. See `Throttle`."""

    resume_s: float = -math.inf
    """Until then nothing starts."""
    rate_per_s: float = math.inf
    last_bad_per_s: float = math.inf
    streak: int = 0


NO_SLOWDOWN: Final = Slowdown()


class Ask(msgspec.Struct, frozen=True):
    """What a process asks of the place in one exchange."""

    slots: int
    """How many; 0: only look, or tell."""
    cap_per_s: float
    gap_s: float
    """Wished distance of slots; never less than `least_gap_s` is given."""
    lateness_s: float
    delay_s: float = 0.0
    """The answer is under way that long: slots before that would be of no use."""
    version: int = -1
    """Of the slowdown known here."""
    slowdown: Slowdown | None = None
    """A new one. It counts if nobody else has told of one since `version`: one throttled moment slows once."""
    calls_limit: int | None = None
    """Never more calls than this out of this place, all together; None: no matter."""
    unused: int = 0
    """Slots leased earlier that have not become calls."""


class Lease(msgspec.Struct, frozen=True):
    """A span of slots that nobody else has: first_s + k · gap_s for k in 0 … slots - 1."""

    first_s: float
    gap_s: float
    slots: int
    lateness_s: float
    """A slot may be used until so long after its moment."""


class Grant(msgspec.Struct, frozen=True):
    """The place's answer."""

    lease: Lease | None
    """None: nothing now; ask again within `AHEAD_S` before `next_s`."""
    next_s: float
    """The next free slot."""
    cap_per_s: float
    """In force: the smallest that anybody has asked with lately."""
    version: int
    slowdown: Slowdown
    calls_left: int | None = None
    """Of `calls_limit`."""
    forget: bool = False
    """What was leased before counts no more."""


class LeasePlace(Protocol):
    """Where slots come from. All times that it takes and gives are the caller's monotonic seconds."""

    @property
    def where(self) -> str:
        """For a person; without secrets."""
        ...

    async def lease(self, ask: Ask) -> Grant:
        """One exchange.

        Raises:
            PlaceLost: not to be had just now; ask again.
            FetcherError: never to be had.
        """
        ...

    async def aclose(self) -> None:
        """Let go of it."""
        ...


class PlaceLost(Exception):
    """The place cannot be reached just now. The text says why, for a person, without secrets."""


class SlotBook(msgspec.Struct):
    """What the place keeps, and how it answers. Times are seconds of the place's own clock."""

    next_s: float = -math.inf
    """No slot before this has not been given away."""
    asked_s: float = -math.inf
    cap_per_s: float = math.inf
    cap_asked_s: float = -math.inf
    lateness_s: float = 0.0
    lateness_asked_s: float = -math.inf
    version: int = 0
    slowdown: Slowdown = NO_SLOWDOWN
    calls: int = 0
    """Slots given, less those that came back unused."""
    forgetful: bool = True
    """Earlier leases may be out there of which nothing is known here."""

    def answer(self, ask: Ask, now_s: float) -> Grant:
        """One exchange, at `now_s`."""
        now_s = self._never_back(now_s)
        if ask.slots:  # who only looks has no say
            self._agree(ask, now_s)
        gap_s = max(ask.gap_s, least_gap_s(min(self.cap_per_s, ask.cap_per_s), self.lateness_s))
        if self.forgetful:
            self.next_s, self.forgetful = max(self.next_s, now_s + AHEAD_S + gap_s), False
        self._slow(ask, gap_s)
        self.calls = max(0, self.calls - ask.unused)
        calls_left = None if ask.calls_limit is None else max(0, ask.calls_limit - self.calls)
        first_s = max(self.next_s, now_s + ask.delay_s)
        room = math.floor((now_s + AHEAD_S - first_s) / gap_s) + 1
        slots = max(0, min(ask.slots, room, ask.slots if calls_left is None else calls_left))
        lease = Lease(first_s, gap_s, slots, self.lateness_s) if slots else None
        if lease is not None:
            self.next_s = first_s + slots * gap_s
            self.calls += slots
        left = None if calls_left is None else calls_left - slots
        return Grant(lease, self.next_s, self.cap_per_s, self.version, self.slowdown, left)

    def _never_back(self, now_s: float) -> float:
        """The time that counts. A clock that was set back carries all that was noted with it, so that the schedule goes
        on where it was; one that trembles is waited for."""
        back_s = self.asked_s - now_s
        if back_s > AHEAD_S and math.isfinite(back_s):
            self.next_s -= back_s
            self.cap_asked_s -= back_s
            self.lateness_asked_s -= back_s
            self.slowdown = _later(self.slowdown, -back_s)
            self.asked_s = now_s
        self.asked_s = max(self.asked_s, now_s)
        return self.asked_s

    def _agree(self, ask: Ask, now_s: float) -> None:
        """The smallest cap and the longest lateness of those who ask."""
        forget_s = max(FORGET_S, 3 / self.cap_per_s)
        if ask.cap_per_s <= self.cap_per_s or now_s - self.cap_asked_s > forget_s:
            self.cap_per_s, self.cap_asked_s = ask.cap_per_s, now_s
        if ask.lateness_s >= self.lateness_s or now_s - self.lateness_asked_s > forget_s:
            self.next_s += max(0.0, self.lateness_s - ask.lateness_s)
            self.lateness_s, self.lateness_asked_s = ask.lateness_s, now_s

    def _slow(self, ask: Ask, gap_s: float) -> None:
        if ask.slowdown is None or ask.version != self.version:
            return
        self.version += 1
        self.slowdown = ask.slowdown
        self.next_s = max(self.next_s, ask.slowdown.resume_s + gap_s)


def _later(slowdown: Slowdown, by_s: float) -> Slowdown:
    return msgspec.structs.replace(slowdown, resume_s=slowdown.resume_s + by_s)


def as_seen_from_place(ask: Ask, offset_s: float, error_s: float, delay_s: float) -> Ask:
    """A caller's question in the place's time: place's clock = caller's + offset_s, give or take error_s.

    What the clocks may disagree by comes out of the lateness, which an idle machine seldom needs in full; the gaps
    become longer for it only where too little would be left.
    """
    told = None if ask.slowdown is None else _later(ask.slowdown, offset_s)
    lateness_s = max(ask.lateness_s, USABLE * ask.lateness_s + 2 * error_s)
    return msgspec.structs.replace(ask, slowdown=told, lateness_s=lateness_s, delay_s=delay_s)


def as_seen_from(grant: Grant, offset_s: float, error_s: float) -> Grant:
    """The place's answer in the caller's time; what the clocks may disagree by is taken off both ends of a slot."""
    lease = grant.lease
    if lease is not None:
        first_s, lateness_s = lease.first_s - offset_s + error_s, lease.lateness_s - 2 * error_s
        lease = Lease(first_s, lease.gap_s, lease.slots, lateness_s)
    return msgspec.structs.replace(
        grant, lease=lease, next_s=grant.next_s - offset_s, slowdown=_later(grant.slowdown, -offset_s)
    )


class ClockOffset:
    """How another clock differs from ours, from round trips: the best counts (Cristian's algorithm).

    The other clock was read between sending and receiving, so each round trip bounds the offset from both sides; the
    bounds are widened as time passes, since clocks drift, and cut with those of the next round trip.
    """

    DRIFT: Final = 500e-6
    """Seconds a second by which two clocks may part: the fastest at which NTP turns one, ten times what crystals do."""

    def __init__(self) -> None:
        self._low_s, self._high_s, self._at_s = -math.inf, math.inf, -math.inf

    @property
    def offset_s(self) -> float:
        """The other clock less ours, at best knowledge."""
        return (self._low_s + self._high_s) / 2

    @property
    def error_s(self) -> float:
        """By how much `offset_s` may be wrong until the longest lease is over."""
        return self.error_within_s(AHEAD_S)

    def error_within_s(self, ahead_s: float) -> float:
        """Half the width of what is known, and what the clocks may part by in the next `ahead_s`; infinity before the
        first round trip."""
        return (self._high_s - self._low_s) / 2 + self.DRIFT * max(0.0, ahead_s)

    def heard(self, sent_s: float, got_s: float, other_s: float) -> bool:
        """A round trip in which the other clock said `other_s`. False: it was set; only this round trip counts now."""
        widened_s = self.DRIFT * max(0.0, got_s - self._at_s) if math.isfinite(self._at_s) else 0.0
        low_s = max(self._low_s - widened_s, other_s - got_s)
        high_s = min(self._high_s + widened_s, other_s - sent_s)
        self._at_s = got_s
        if low_s <= high_s:
            self._low_s, self._high_s = low_s, high_s
            return True
        self._low_s, self._high_s = other_s - got_s, other_s - sent_s
        return False

    def to_place(self, ask: Ask) -> Ask:
        """The question in the other clock's time."""
        error_s = self.error_within_s(REACH_S)
        if math.isinf(error_s):
            return ask
        return as_seen_from_place(ask, self.offset_s, error_s, 2 * error_s)

    def from_place(self, grant: Grant, other_s: float) -> Grant:
        """The answer of `other_s` in our time."""
        lease = grant.lease
        ahead_s = 0.0 if lease is None else lease.first_s + lease.slots * lease.gap_s + lease.lateness_s - other_s
        return as_seen_from(grant, self.offset_s, self.error_within_s(ahead_s))
