"""When is the whole run refused, and when only one ID?

It must not know: clocks, which codes exist; it only compares them.

    FATAL, nothing ever succeeded         Stop at once; a missing permission at the third answer: until then
                                          it may be one product's, so Free
    FATAL, after successes                Free: ask again; 3 different IDs, same code, no success between: Stop
    FATAL, same ID, a success between     Fail: it is that ID's own, and its code is known as such from now on
    FATAL with such a code                Fail; 20 different IDs without a success between: Stop
    REJECT of the call (HTTP 3xx, 4xx,    nothing ever succeeded: Free; 3 different IDs alike: Stop
      or the gateway's own word)
      without a word of the gateway's     such as a page "not found": Stop at an ID's third answer, not Fail
    REJECT otherwise                      Fail

Free ("ask again") and not Fail, because a refusal of the run must mark no ID failed. It cannot go on for ever: at its
third answer an ID is judged, whatever the others do. Where no other ID is left to tell (the last ones of a run), the
gateway is asked whether key and signature still stand (Refresh FATAL); if they do, the ID fails at its next answer. Of
a permission that proves nothing: then the failure is not permanent, and a resumed run tries the ID again. Source: the
reliability notes, "Retry, throttle, breakers", P7.
"""

from __future__ import annotations

from typing import Final

from fetcher.model import Asked, Fail, Free, Item, Refresh, Stop, Verdict, VerdictKind
from fetcher.policy.actions import rejected

ALIKE: Final = 3
ALIKE_OWN: Final = 20
"""Once a code has proved to be an ID's own, three in a row are chance."""
MOST_ANSWERS: Final = 3
ASK_AGAIN_S: Final = 1.0
MOST_SUSPECTS: Final = 1000
BY_STATUS: Final = "http_"
"""With this begins a code where the answer had none: only its HTTP status is known."""
PERMISSION: Final = "ACL"
"""Part of the code of a missing permission."""


class Refusals:
    """Remembers one key's refusals until its next success, and the IDs that are asked again.

    Args:
        key: its name.
    """

    def __init__(self, key: str = "") -> None:
        self._key = key
        self._successes = 0
        self._fatal_at_first = 0
        self._alike: dict[str, set[str]] = {}
        self._own_codes: set[str] = set()
        self._suspects: dict[str, tuple[int, int]] = {}  # ID → answers so far, successes at the first of them

    def succeeded(self, calls: int = 1) -> None:
        """The gateway took so many calls: a product, an unknown product, or a refusal by the API's own service."""
        self._successes += calls
        if self._alike:
            self._alike.clear()

    def judge(self, verdict: Verdict, item: Item) -> Stop | Free | Fail | Refresh:
        """What a FATAL or REJECT verdict about `item` means. Call it for nothing else.

        A rejection inside an answer of the API (HTTP 200, no code of the gateway) is Fail and a success.
        """
        fatal = verdict.kind is VerdictKind.FATAL
        if not fatal and (self._successes or not _refuses_the_call(verdict)):
            return rejected(verdict)
        code = verdict.code or f"http_{verdict.http_status}"
        if fatal and not self._successes:
            return self._never_accepted(verdict, code)
        answers, successes_then = self._suspect(item.id)
        alike = self._alike.setdefault(code, set())
        alike.add(item.id)
        never_gateway = not fatal and not self._successes and code.startswith(BY_STATUS) and answers >= MOST_ANSWERS
        if never_gateway or len(alike) >= (ALIKE_OWN if code in self._own_codes else ALIKE):
            return Stop(_as_fatal(verdict))
        return self._about_one(verdict, code, item, answers, self._successes > successes_then)

    def _never_accepted(self, verdict: Verdict, code: str) -> Stop | Free:
        self._fatal_at_first += 1
        if PERMISSION in code and self._fatal_at_first < ALIKE:
            return Free(ASK_AGAIN_S)
        return Stop(verdict)

    def _about_one(
        self, verdict: Verdict, code: str, item: Item, answers: int, success_between: bool
    ) -> Free | Fail | Refresh:
        if success_between and answers > 1:
            self._own_codes.add(code)
        elif code not in self._own_codes:
            if answers < MOST_ANSWERS:
                return Free(ASK_AGAIN_S)
            if verdict.kind is VerdictKind.FATAL and Asked(verdict.kind, self._key) not in item.refreshed:
                return Refresh(VerdictKind.FATAL)
        self._suspects.pop(item.id, None)
        return rejected(verdict, permanent=PERMISSION not in code or code in self._own_codes)

    def _suspect(self, id_: str) -> tuple[int, int]:
        answers, successes_then = self._suspects.pop(id_, (0, self._successes))
        if len(self._suspects) >= MOST_SUSPECTS:  # IDs that succeeded when asked again are never taken out
            del self._suspects[next(iter(self._suspects))]
        self._suspects[id_] = found = (answers + 1, successes_then)
        return found


def _refuses_the_call(verdict: Verdict) -> bool:
    by_status = verdict.http_status is not None and 300 <= verdict.http_status < 500
    return by_status or verdict.refuses_call


def _as_fatal(verdict: Verdict) -> Verdict:
    if verdict.kind is VerdictKind.FATAL:
        return verdict
    remedy = (
        verdict.remedy or "every call was refused alike: check the API's name, its parameters and the gateway's URL"
    )
    return Verdict(
        VerdictKind.FATAL,
        error=verdict.error,
        code=verdict.code,
        message=verdict.message,
        http_status=verdict.http_status,
        remedy=remedy,
    )
