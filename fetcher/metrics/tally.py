"""Counts what happens: the edges of `fetcher.life` along which IDs move, and the Attempts made for them.

It counts and never decides. Where IDs stand (queued, in flight, waiting) is not counted but follows from the edges, so
the figures cannot contradict the table of an ID's life. It knows no clock: `snapshot` is told the time.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Final

from fetcher.errors import Defect
from fetcher.life import TRANSITIONS, Event, State
from fetcher.metrics.course import Course
from fetcher.metrics.latency import Histogram
from fetcher.metrics.snapshot import OWN, Snapshot
from fetcher.metrics.specimens import Specimens
from fetcher.metrics.story import Story
from fetcher.metrics.throughput import RateWindow
from fetcher.model import Attempt, Kind, Lost, VerdictKind

RECENT_S: Final = 5.0
"""Over which `rate_per_s` is taken: short enough to show a pause, long enough not to flicker."""
OUTLOOK_S: Final = 60.0
"""Over which the time left is guessed."""

EDGES: Final = tuple(TRANSITIONS)
_READ: Final = EDGES.index((State.NEW, Event.READ))
_KNOWN: Final = EDGES.index((State.NEW, Event.KNOWN))
_BAD: Final = EDGES.index((State.NEW, Event.BAD))
_START: Final = EDGES.index((State.QUEUED, Event.START))
_RESTART: Final = EDGES.index((State.WAITING, Event.START))
_ANSWERED: Final = EDGES.index((State.IN_FLIGHT, Event.ANSWERED))
_REFUSED: Final = EDGES.index((State.IN_FLIGHT, Event.REFUSED))
_AGAIN: Final = EDGES.index((State.IN_FLIGHT, Event.AGAIN))
_END: Final = {state: EDGES.index((state, Event.END)) for state in (State.QUEUED, State.IN_FLIGHT, State.WAITING)}

_LOST: Final = frozenset(Lost)


class Tally:
    """The run's counters. A product costs `started`, `attempt` and `fetched`: about a microsecond together.

    Each of the first group of methods moves one ID (or `n`) along one edge. For the seven actions:
    Keep → `fetched`, Fail → `failed`, Again → `again`, Free and Refresh → `again(retry=False)`,
    Throttled → `throttled`, Stop → `left(State.IN_FLIGHT)`.

    Args:
        cap_per_s: the cap, in requests a second.
        started_s: monotonic time of the run's beginning.
        price: of a call, where one is set.
    """

    def __init__(self, cap_per_s: float, started_s: float, price: float | None = None) -> None:
        self._price = price
        self._started_s = started_s
        self._cap_per_s = self._allowed_per_s = cap_per_s
        self._edges = [0] * len(EDGES)
        self._results: dict[str, int] = Counter()
        self._failed_by_kind: dict[str, int] = Counter()
        self._duplicates = self._failed_permanent = self._retries = 0
        self._calls = self._unsent = self._paid_doubts = self._bytes_in = self._bytes_out = 0
        self._paused_s = 0.0
        self._total: int | None = None
        self._input_ended = False
        self._waiting_for, self._waiting_until_s = "", -math.inf
        self._seen_waiting_s: float | None = None
        self._leases = (0, 0)
        self.latency = Histogram()
        """Of answered attempts; those given up would say more about the deadline than about the gateway."""
        self._recent = RateWindow(RECENT_S, started_s)
        self._outlook = RateWindow(OUTLOOK_S, started_s)
        self._fullest_1s = 0
        self._delayed, self._detours = Histogram(), Histogram()
        self.course = Course()
        self.specimens = Specimens()
        """Told of outcomes as they are stored, and of answers that hurt."""

    # What happens to IDs: one edge each.

    def read(self, new: int) -> None:
        """`new` IDs were read and queued."""
        self._edges[_READ] += new

    def skipped(self, known: int, duplicates: int) -> None:
        """So many more were done by an earlier run, so many more stood in the input before."""
        self._edges[_KNOWN] += known + duplicates
        self._duplicates += duplicates

    def bad(self, n: int = 1) -> None:
        """`n` lines of the input are no IDs: failed without a call."""
        self._edges[_BAD] += n
        self._failed_by_kind[Kind.BAD_ID] += n
        self._failed_permanent += n

    def started(self, waited: bool = False) -> None:
        """An ID goes out; `waited`: it comes from the heap of those to be tried again, not from the queue."""
        self._calls += 1
        self._edges[_RESTART if waited else _START] += 1

    def started_each(self, calls: int, fresh: int, waited: int) -> None:
        """So many calls go out, with so many IDs from the queue and so many that were to be tried again."""
        self._calls += calls
        self._edges[_START] += fresh
        self._edges[_RESTART] += waited

    def fetched(self, bytes_out: int = 0, products: int = 1) -> None:
        """Its product is kept, or so many are."""
        self._edges[_ANSWERED] += products
        self._bytes_out += bytes_out

    def failed(self, kind: Kind, permanent: bool) -> None:
        """It has no product."""
        self._edges[_REFUSED] += 1
        self._failed_by_kind[kind] += 1
        self._failed_permanent += permanent

    def again(self, retry: bool = True) -> None:
        """It will be tried again; `retry`: at the cost of an attempt."""
        self._edges[_AGAIN] += 1
        self._retries += retry

    def throttled(self, pause_s: float, ids: int = 1) -> None:
        """It (or so many of one call) will be tried again, since the gateway said over the rate.

        Args:
            pause_s: the pause that this answer ordered for all; 0 when an earlier answer had ordered it.
        """
        self._edges[_AGAIN] += ids
        self._paused_s += pause_s

    def left(self, state: State = State.QUEUED, n: int = 1) -> None:
        """The run ends before `n` IDs that stand in `state` (queued, in flight or waiting) are done."""
        self._edges[_END[state]] += n

    def cut_off(self) -> None:
        """A call was torn away from its ID by the end of the run: the ID is left."""
        self.left(State.IN_FLIGHT)

    def ended(self) -> None:
        """The run is over: whatever is queued, in flight or waiting is left. Then nothing more may happen."""
        places = self._places()
        for state in _END:
            self.left(state, places[state])

    @property
    def movements(self) -> int:
        """Grows whenever anything happens: an ID moves, a call ends."""
        return sum(self._edges) + sum(self._results.values())

    # What is seen on the way.

    def attempt(self, attempt: Attempt) -> None:
        """One exchange ended, with or without an answer."""
        result = attempt.result
        self._results[result] += 1
        self._bytes_in += attempt.bytes_in
        if not attempt.sent:
            self._unsent += 1
        elif result in _LOST:
            self._paid_doubts += 1
        else:
            self.latency.record(attempt.ended_s - attempt.started_s)

    def asked(self) -> None:
        """A question of the run's own left this machine, and was answered or not."""
        self._results[OWN] += 1

    def detour(self, service_s: float) -> None:
        """An answered call did not end its ID, or not in one go: its duration alone says too little of the ID's."""
        self._detours.record(service_s)

    def delayed(self, whole_s: float) -> None:
        """An ID that took more than one call has ended, so long after its first one began."""
        self._delayed.record(whole_s)

    def fullest(self, calls_in_1s: int) -> None:
        """Calls in the fullest second since the last snapshot."""
        self._fullest_1s = max(self._fullest_1s, calls_in_1s)

    def answered_each(self, result: str, latencies_s: Sequence[float], bytes_in: int) -> None:
        """Several exchanges ended with an answer of the same kind: `attempt` for each."""
        self._results[result] += len(latencies_s)
        self._bytes_in += bytes_in
        self.latency.record_each(latencies_s)

    def expect(self, total: int | None) -> None:
        """The input is thought to hold `total` distinct IDs."""
        self._total = total

    def input_ended(self) -> None:
        """There is nothing more to read: from now on the total is known."""
        self._input_ended = True

    def allowed(self, rate_per_s: float) -> None:
        """Pacing allows so many calls a second at present."""
        self._allowed_per_s = rate_per_s

    def cap(self, cap_per_s: float) -> None:
        """Another cap is in force."""
        self._cap_per_s = self._allowed_per_s = cap_per_s

    def leased(self, exchanges: int, missed: int) -> None:
        """More exchanges with the place where the cap is shared, and slots leased there that were not used."""
        self._leases = (self._leases[0] + exchanges, self._leases[1] + missed)

    def waiting(self, reason: str, until_s: float | None) -> None:
        """Nothing is sent until `until_s` (monotonic; None: nobody knows), and why: a few words for a person.

        An empty reason says that it goes on. A pause that has an end keeps it: answers to calls that had started
        before it do not mean that it is over.
        """
        if reason or math.isinf(self._waiting_until_s):
            self._waiting_for, self._waiting_until_s = reason, math.inf if until_s is None else until_s

    # What comes out.

    def edges(self) -> dict[tuple[State, Event], int]:
        """How often each edge of `fetcher.life` was taken."""
        return dict(zip(EDGES, self._edges, strict=True))

    def _places(self) -> dict[State, int]:
        """How many IDs stand where: what came in along the edges less what went out."""
        places = dict.fromkeys(State, 0)
        for count, ((source, _), target) in zip(self._edges, TRANSITIONS.items(), strict=True):
            places[source] -= count
            places[target] += count
        return places

    def check(self) -> None:
        """Look whether the edges make sense.

        Raises:
            Defect: more IDs left a state than had come to it.
        """
        for state, count in self._places().items():
            if count < 0 and state is not State.NEW:
                raise Defect(f"{-count} more IDs left the state {state} than came to it")

    def snapshot(self, now_s: float, *, last: bool = False) -> Snapshot:
        """The figures at `now_s` (monotonic). Costs about 0.1 ms, however long the run; meant for 4 times a second.

        Args:
            last: this is the end of the run, so the course ends here too.
        """
        places = self._places()
        elapsed_s = max(0.0, now_s - self._started_s)
        done = self._edges[_ANSWERED] + self._edges[_REFUSED]
        done_per_s = self._outlook.rate_per_s(now_s, done)
        p50_s, p90_s, p99_s = self.latency.quantiles(0.5, 0.9, 0.99)
        total = self._total_now(places)
        reason, wait_left_s = self._wait(now_s)
        figures = Snapshot(
            total=total,
            read=-places[State.NEW],
            fetched=places[State.FETCHED],
            failed=places[State.FAILED],
            failed_permanent=self._failed_permanent,
            failed_by_kind={str(kind): count for kind, count in self._failed_by_kind.items() if count},
            skipped_known=places[State.SKIPPED] - self._duplicates,
            duplicates=self._duplicates,
            queued=places[State.QUEUED],
            in_flight=places[State.IN_FLIGHT],
            waiting=places[State.WAITING],
            left=places[State.LEFT],
            started=self._calls,
            attempts=sum(self._results.values()) - self._unsent,
            unsent=self._unsent,
            results={str(result): count for result, count in self._results.items()},
            retries=self._retries,
            throttles=self._results.get(VerdictKind.THROTTLE, 0),
            paused_s=self._paused_s,
            paid_doubts=self._paid_doubts,
            price=self._price,
            bytes_in=self._bytes_in,
            bytes_out=self._bytes_out,
            rate_per_s=self._recent.rate_per_s(now_s, self._calls),
            mean_rate_per_s=max(0, self._calls - 1) / elapsed_s if elapsed_s else 0.0,
            done_per_s=done_per_s,
            cap_per_s=self._cap_per_s,
            rate_now_per_s=self._allowed_per_s,
            latency_p50_s=p50_s,
            latency_p90_s=p90_s,
            latency_p99_s=p99_s,
            latency_max_s=self.latency.max_s,
            latency_mean_s=self.latency.mean_s,
            elapsed_s=elapsed_s,
            eta_s=self._eta_s(total, places, done_per_s),
            wait_reason=reason,
            wait_left_s=wait_left_s,
            waits_since_s=0.0 if self._seen_waiting_s is None else now_s - self._seen_waiting_s,
            lease_exchanges=self._leases[0],
            slots_missed=self._leases[1],
            fullest_1s=self._fullest_1s,
            latency_counts=tuple(self.latency.coarse()),
        )
        self._fullest_1s = 0
        self.course.observe(figures, last=last)
        return figures

    def with_wait(self) -> Histogram:
        """How long IDs took from their first call to their end, retries and pauses included."""
        whole = self.latency.without(self._detours)
        whole.merge(self._delayed)
        return whole

    def story(self) -> Story:
        """All that is told of the run besides its last figures."""
        return Story.of(self.course, self.specimens, self.latency, self.with_wait())

    def _total_now(self, places: dict[State, int]) -> int | None:
        distinct = -places[State.NEW] - self._duplicates
        if self._input_ended:
            return distinct
        return None if self._total is None else max(self._total, distinct)

    def _eta_s(self, total: int | None, places: dict[State, int], done_per_s: float) -> float | None:
        if total is None:
            return None
        known = places[State.SKIPPED] - self._duplicates
        remaining = total - places[State.FETCHED] - places[State.FAILED] - known
        if not remaining:
            return 0.0
        return remaining / done_per_s if done_per_s else None

    def _wait(self, now_s: float) -> tuple[str, float | None]:
        if not self._waiting_for or self._waiting_until_s <= now_s:
            self._seen_waiting_s = None
            return "", None
        self._seen_waiting_s = now_s if self._seen_waiting_s is None else self._seen_waiting_s
        return self._waiting_for, None if math.isinf(self._waiting_until_s) else self._waiting_until_s - now_s
