"""What the sandbox saw, exactly: the referee of a run. Times are monotonic seconds, passed in."""

from __future__ import annotations

from collections import Counter, deque
from typing import Any, Final

WINDOW_S: Final = 1.0
IDLE_S: Final = 5.0
"""A longer gap between calls is a pause, not part of a busy spell."""


class Arrivals:
    """When calls came: how many, the fullest second, how busily."""

    __slots__ = ("_arrivals", "_busy_s", "_first_s", "_last_s", "_spells", "calls", "worst")

    def __init__(self) -> None:
        self._arrivals: deque[float] = deque()
        self.calls = 0
        self.worst = 0
        self._first_s = 0.0
        self._last_s = 0.0
        self._busy_s = 0.0
        self._spells = 0

    def arrived(self, now_s: float) -> None:
        """One more. A time before the last one's counts as that."""
        if self.calls:
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
        self.calls += 1
        arrivals = self._arrivals
        arrivals.append(now_s)
        while now_s - arrivals[0] >= WINDOW_S:
            arrivals.popleft()
        self.worst = max(self.worst, len(arrivals))

    def stats(self) -> dict[str, Any]:
        """As JSON can say it."""
        gaps = self.calls - self._spells
        return {
            "calls": self.calls,
            "worst_window": self.worst,
            "first_s": self._first_s,
            "last_s": self._last_s,
            "span_s": self._last_s - self._first_s,
            "busy_s": self._busy_s,
            "mean_per_s": gaps / self._busy_s if self._busy_s > 0 else 0.0,
        }


class KeyLedger:
    """What one app did."""

    def __init__(self) -> None:
        self.arrivals = Arrivals()
        self.answers: Counter[str] = Counter()
        self.charged = 0

    def stats(self, usage_left: int | None) -> dict[str, Any]:
        """As JSON can say it."""
        answers = dict(sorted(self.answers.items()))
        return {**self.arrivals.stats(), "answers": answers, "charged": self.charged, "usage_left": usage_left}


class Ledger:
    """Calls, answers, the worst second and how often each ID was served; each app's own beside. Nothing is sampled."""

    def __init__(self) -> None:
        self._answers: Counter[str] = Counter()
        self._served: dict[int, int] = {}
        self._arrivals = Arrivals()
        self._keys: dict[str, KeyLedger] = {}

    @property
    def calls(self) -> int:
        """All that came, whatever became of them."""
        return self._arrivals.calls

    def arrived(self, now_s: float) -> None:
        """A call's first byte came in; counted before anything is known of it."""
        self._arrivals.arrived(now_s)

    def called_by(self, app_key: str, now_s: float) -> None:
        """The same call, now that it is known whose it is. Only registered apps have a ledger of their own."""
        ledger = self._keys.get(app_key)
        if ledger is None:
            ledger = self._keys[app_key] = KeyLedger()
        ledger.arrivals.arrived(now_s)

    def charged(self, app_key: str) -> None:
        """A call reached the API's service: the package has one less."""
        self._keys[app_key].charged += 1

    def served(self, id_number: int) -> None:
        """A call for this ID came through all checks: on the real gateway it may be charged."""
        self._served[id_number] = self._served.get(id_number, 0) + 1

    def answered(self, code: str, app_key: str = "") -> None:
        """An answer was decided: `ok`, `absent`, a gateway code, or `fault:` and its kind."""
        self._answers[code] += 1
        if app_key in self._keys:
            self._keys[app_key].answers[code] += 1

    def stats(self, usage_left: dict[str, int | None] | None = None) -> dict[str, Any]:
        """Everything counted so far, as JSON can say it. `usage_left`: by app key, what is left of each package."""
        counts = self._served.values()
        left = usage_left or {}
        return {
            **self._arrivals.stats(),
            "answers": dict(sorted(self._answers.items())),
            "throttled": sum(count for code, count in self._answers.items() if is_throttle(code)),
            "window_s": WINDOW_S,
            "ids": len(self._served),
            "ids_repeated": sum(1 for times in counts if times > 1),
            "most_calls_for_one_id": max(counts, default=0),
            "charged": sum(ledger.charged for ledger in self._keys.values()),
            "keys": {key: ledger.stats(left.get(key)) for key, ledger in sorted(self._keys.items())},
        }


def is_throttle(code: str) -> bool:
    """Whether an answer said "over the rate"."""
    return code.startswith("gw.Qos") or code == "top:7"


def summary(stats: dict[str, Any]) -> str:
    """The ledger in a few lines for a person."""
    answers = ", ".join(f"{code} {count}" for code, count in stats["answers"].items())
    lines = [
        f"calls      {stats['calls']} in {stats['span_s']:.1f} s; {stats['mean_per_s']:.1f}/s while busy",
        f"answers    {answers or 'none'}",
        f"worst 1 s  {stats['worst_window']} arrivals; {stats['throttled']} throttled",
        f"IDs        {stats['ids']} served, {stats['ids_repeated']} more than once"
        f" (one of them {stats['most_calls_for_one_id']} times)"
        if stats["ids_repeated"]
        else f"IDs        {stats['ids']} served, none more than once",
    ]
    for key, each in stats["keys"].items() if len(stats["keys"]) > 1 else ():
        lines.append(f"key        {key}: {each['calls']} calls, {each['worst_window']} in the fullest second")
    return "\n".join(lines)
