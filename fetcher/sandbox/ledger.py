"""What the sandbox saw, exactly: the referee of a run. Times are monotonic seconds, passed in."""

from __future__ import annotations

from collections import Counter, deque
from typing import Any, Final

WINDOW_S: Final = 1.0
IDLE_S: Final = 5.0
"""A longer gap between calls is a pause, not part of a busy spell."""
THROTTLED: Final = frozenset({"gw.QosAppFrequencyLimit", "gw.QosAPIFrequencyLimit"})


class Ledger:
    """Calls, answers, the worst second and how often each ID was served. Nothing is sampled."""

    def __init__(self) -> None:
        self._answers: Counter[str] = Counter()
        self._served: dict[int, int] = {}
        self._arrivals: deque[float] = deque()
        self._calls = 0
        self._worst = 0
        self._first_s = 0.0
        self._last_s = 0.0
        self._busy_s = 0.0
        self._spells = 0

    def arrived(self, now_s: float) -> None:
        """A call's first byte came in; counted before anything is known of it."""
        if self._calls:
            now_s = max(now_s, self._last_s)
            gap_s = now_s - self._last_s
            if gap_s < IDLE_S:
                self._busy_s += gap_s
            else:
                self._spells += 1
        else:
            self._first_s = now_s
            self._spells = 1
        self._last_s = now_s
        self._calls += 1
        arrivals = self._arrivals
        arrivals.append(now_s)
        while now_s - arrivals[0] >= WINDOW_S:
            arrivals.popleft()
        self._worst = max(self._worst, len(arrivals))

    def served(self, id_number: int) -> None:
        """A call for this ID came through all checks: on the real gateway it may be charged."""
        self._served[id_number] = self._served.get(id_number, 0) + 1

    def answered(self, code: str) -> None:
        """An answer was decided: `ok`, `absent`, a gateway code, or `fault:` and its kind."""
        self._answers[code] += 1

    def stats(self) -> dict[str, Any]:
        """Everything counted so far, as JSON can say it."""
        counts = self._served.values()
        gaps = self._calls - self._spells
        return {
            "calls": self._calls,
            "answers": dict(sorted(self._answers.items())),
            "throttled": sum(self._answers[code] for code in THROTTLED),
            "worst_window": self._worst,
            "window_s": WINDOW_S,
            "ids": len(self._served),
            "ids_repeated": sum(1 for times in counts if times > 1),
            "most_calls_for_one_id": max(counts, default=0),
            "first_s": self._first_s,
            "last_s": self._last_s,
            "span_s": self._last_s - self._first_s,
            "busy_s": self._busy_s,
            "mean_per_s": gaps / self._busy_s if self._busy_s > 0 else 0.0,
        }


def summary(stats: dict[str, Any]) -> str:
    """The ledger in a few lines for a person."""
    answers = ", ".join(f"{code} {count}" for code, count in stats["answers"].items())
    return "\n".join(
        [
            f"calls      {stats['calls']} in {stats['span_s']:.1f} s; {stats['mean_per_s']:.1f}/s while busy",
            f"answers    {answers or 'none'}",
            f"worst 1 s  {stats['worst_window']} arrivals; {stats['throttled']} throttled",
            f"IDs        {stats['ids']} served, {stats['ids_repeated']} more than once"
            f" (one of them {stats['most_calls_for_one_id']} times)"
            if stats["ids_repeated"]
            else f"IDs        {stats['ids']} served, none more than once",
        ]
    )
