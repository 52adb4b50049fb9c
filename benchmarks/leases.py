"""One cap for a thousand workers: how much of it is used, what the leases cost, what happens when their place dies.

    python -m benchmarks.leases            # about ten seconds

A simulation on a virtual clock with the program's own arithmetic (`LeasedPacer`, `SlotBook`); only the world is made
up: a round trip to the place of 1 to 3 ms, clocks that are wrong by half a millisecond, timers a millisecond late,
100 µs of work a call. Everybody always has work. The place is killed after a third of the time and comes back, knowing
nothing, a third later; at the moment of its death a tenth of the workers dies, too.
"""

from __future__ import annotations

import heapq
import itertools
import sys
from array import array
from bisect import bisect_right
from collections import Counter
from random import Random

from benchmarks.plot import line
from benchmarks.reports import Report, installed
from fetcher.pacing import LeasedPacer, SlotBook, as_seen_from, as_seen_from_place

CALL_S = 100e-6
TIMER_S = 0.001
ERROR_S = 0.0005
ALWAYS = 1_000_000


class Worker:
    """A pacer, and a life of its own."""

    def __init__(self, cap_per_s: float, dice: Random) -> None:
        self.pacer = LeasedPacer(cap_per_s, 0.0, 0.005, dice.random())
        self.mistake_s = dice.uniform(-ERROR_S, ERROR_S)
        self.asking = False
        self.alive = True
        self.again_s = 0.0
        self.tries = 0


class World:
    """Args:
    cap_per_s: of all together.
    workers: how many.
    duration_s: of virtual time.
    """

    def __init__(self, cap_per_s: float, workers: int, duration_s: float) -> None:
        self.cap_per_s, self.duration_s, self.dice = cap_per_s, duration_s, Random(1)
        self.dies_s, self.back_s = duration_s / 3, 2 * duration_s / 3
        self.workers = [Worker(cap_per_s, self.dice) for _ in range(workers)]
        self.place = SlotBook()
        self.reborn = False
        self.sent_s = array("d")
        self.exchanges = 0
        self.events: list[tuple[float, int, Worker, object]] = []
        self.order = itertools.count()

    def run(self) -> None:
        """To the end."""
        for worker in self.workers:
            self.later(self.dice.uniform(0, 0.05), worker)
        while self.events and self.events[0][0] < self.duration_s:
            now_s, _, worker, grant = heapq.heappop(self.events)
            if now_s >= self.dies_s and not self.reborn:
                self.reborn, self.place = True, SlotBook()
                for dead in self.workers[::10]:
                    dead.alive = False
            if not worker.alive:
                continue
            if grant is not None:
                worker.asking = False
                if grant == "lost":
                    worker.tries += 1
                    worker.again_s = now_s + min(2.0, 0.1 * 2**worker.tries) * self.dice.uniform(0.5, 1)
                else:
                    worker.tries = 0
                    worker.pacer.granted(as_seen_from(grant, worker.mistake_s, ERROR_S), now_s)  # type: ignore[arg-type]
            self.turn(worker, now_s)

    def later(self, when_s: float, worker: Worker, grant: object = None) -> None:
        heapq.heappush(self.events, (when_s, next(self.order), worker, grant))

    def turn(self, worker: Worker, now_s: float) -> None:
        """Send what is due, ask for more, sleep."""
        pacer = worker.pacer
        n = pacer.due(now_s)
        pacer.take(n, now_s)
        at_s = now_s
        for _ in range(n):
            if pacer.sent(at_s):
                self.sent_s.append(at_s)
                at_s += CALL_S
            else:
                pacer.returned()
        if not worker.asking and at_s >= worker.again_s and (wanted := pacer.wanted(at_s, ALWAYS)):
            self.ask(worker, wanted, at_s)
        waits = [pacer.wait_s(at_s)]
        if not worker.asking:
            waits.append(max(worker.again_s - at_s, pacer.look_again_s(at_s)))
        wait_s = min(waits)
        if wait_s < 1e9:
            self.later(at_s + max(TIMER_S, wait_s + self.dice.uniform(0, TIMER_S)), worker)

    def ask(self, worker: Worker, wanted: int, now_s: float) -> None:
        worker.asking = True
        there_s, back_s = self.dice.uniform(0.0005, 0.0015), self.dice.uniform(0.0005, 0.0015)
        asked = worker.pacer.ask(wanted)
        if self.dies_s <= now_s + there_s < self.back_s:
            worker.pacer.not_asked(asked)
            self.later(now_s + there_s + back_s, worker, "lost")
            return
        self.exchanges += 1
        asked = as_seen_from_place(asked, worker.mistake_s, ERROR_S, 2 * ERROR_S)
        self.later(now_s + there_s + back_s, worker, self.place.answer(asked, now_s + there_s))


def fullest(sent_s: list[float]) -> int:
    """The most starts in any window of a second."""
    return max((bisect_right(sent_s, at_s + 1.0) - k for k, at_s in enumerate(sent_s)), default=0)


def used(sent_s: list[float], from_s: float, to_s: float, cap_per_s: float) -> float:
    """Part of the cap that was used, in percent."""
    return 100 * (bisect_right(sent_s, to_s) - bisect_right(sent_s, from_s)) / (to_s - from_s) / cap_per_s


def row(cap_per_s: int, workers: int, duration_s: float) -> tuple[list[str], list[float], bool]:
    """One fleet: a line of the table, its sent times, whether the targets are met."""
    world = World(cap_per_s, workers, duration_s)
    world.run()
    sent_s = sorted(world.sent_s)
    settled_s = world.back_s + 2.0
    before = used(sent_s, 1.5, world.dies_s, cap_per_s)
    after = used(sent_s, settled_s, duration_s, cap_per_s)
    last_s = sent_s[bisect_right(sent_s, world.back_s) - 1] - world.dies_s
    first_s = sent_s[bisect_right(sent_s, world.back_s)] - world.back_s
    most = fullest(sent_s)
    per = len(sent_s) / world.exchanges
    rate = world.exchanges / (duration_s - (world.back_s - world.dies_s))
    seldom = per >= 10 or rate <= 1.5 * workers  # where a worker has a few calls a second it asks about once in one
    met = most <= cap_per_s and before >= 99 and after >= 99 and seldom
    cells = [f"{workers:,}", f"{cap_per_s:,}", f"{before:.1f} %", f"{100 * most / cap_per_s:.1f} %"]
    cells += [f"{rate:,.0f}", f"{per:.0f}", f"{last_s:.2f} s", f"{first_s:.2f} s", f"{after:.1f} %"]
    return cells, sent_s, met


def main() -> int:
    """Every fleet, one after the other."""
    fleets = [(300, 3, 18.0), (3_000, 30, 18.0), (10_000, 100, 12.0), (300, 100, 18.0), (100_000, 1_000, 12.0)]
    report = Report("leases", "One cap for many workers, on a virtual clock", installed("fetcher"))
    names = ("workers", "cap", "used", "fullest second", "exchanges/s", "calls each", "sent on for", "back after")
    report.head(*names, "used then", "target")
    good = True
    for cap_per_s, workers, duration_s in fleets:
        cells, sent_s, met = row(cap_per_s, workers, duration_s)
        good = good and met
        report.row(*cells, "met" if met else "missed")
    counted = Counter(int(at_s * 10) for at_s in sent_s)
    points = [(k / 10, counted[k] * 10.0) for k in range(int(duration_s * 10))]
    title = f"{workers:,} workers under one cap of {cap_per_s:,}/s; the place of the leases dies and comes back"
    report.picture(line(title, points, "seconds", "calls a second"))
    report.save()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
