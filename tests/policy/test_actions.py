"""The table: every exit of `decide`, a sentence a row."""

from __future__ import annotations

import pytest

from fetcher.model import (
    Action,
    Again,
    Asked,
    ErrorInfo,
    Fail,
    Free,
    Item,
    Keep,
    Kind,
    Lost,
    NoReply,
    Refresh,
    Stop,
    Throttled,
    Verdict,
    VerdictKind,
)
from fetcher.policy import Policy, rejected

FIRST = Item("1", line=1)
LAST = Item("1", line=1, attempt=5)
REFRESHED = Item("1", line=1, refreshed=(Asked(VerdictKind.REFRESH), Asked(VerdictKind.CLOCK)))
DOUBTED = Item("1", line=1, attempt=3, doubts=2)


def answer(kind: VerdictKind, error: Kind = Kind.SERVER, wait_s: float | None = None) -> Verdict:
    """A verdict with a code and a status that must come through."""
    return Verdict(kind, error=error, code="c", message="m", http_status=503, wait_s=wait_s)


def lost(kind: Lost, *, sent: bool = True, permanent: bool = False) -> NoReply:
    """An exchange without an answer."""
    return NoReply(kind, sent, "d", 0.0, 1.0, permanent)


def fail(kind: Kind, permanent: bool) -> Fail:
    """The failure of a verdict made by `answer`."""
    return Fail(ErrorInfo(kind, "c", "m", 503, permanent))


def fail_unanswered(kind: Kind, permanent: bool) -> Fail:
    """The failure of an exchange made by `lost`."""
    return Fail(ErrorInfo(kind, None, "d", None, permanent))


V = VerdictKind
ANSWERED: list[tuple[str, Verdict, Item, Action]] = [
    ("A product is kept, byte for byte.", Verdict(V.DONE, b"{}"), FIRST, Keep(b"{}")),
    ("An unknown product fails for good.", answer(V.ABSENT), FIRST, fail(Kind.NOT_FOUND, True)),
    ("A refused ID fails for good.", answer(V.REJECT), FIRST, fail(Kind.REJECTED, True)),
    ("A transient failure is tried again after jitter.", answer(V.RETRY), FIRST, Again(0.25)),
    ("The second wait is longer.", answer(V.RETRY), Item("1", 1, attempt=2), Again(0.5)),
    ("The fourth retry is still allowed.", answer(V.RETRY), Item("1", 1, attempt=4), Again(2.0)),
    ("The fifth attempt was the last; a later run may try.", answer(V.RETRY), LAST, fail(Kind.SERVER, False)),
    ("What was malformed is called so.", answer(V.RETRY, Kind.MALFORMED), LAST, fail(Kind.MALFORMED, False)),
    ("A wait that was asked for is a floor.", answer(V.RETRY, wait_s=9.0), FIRST, Again(9.0)),
    ("Asked to wait 0, the jitter counts.", answer(V.RETRY, wait_s=0.0), FIRST, Again(0.25)),
    ("Five minutes are waited for.", answer(V.RETRY, wait_s=300.0), FIRST, Again(300.0)),
    ("An unknown code is tried once more.", answer(V.RETRY, Kind.REJECTED), FIRST, Again(0.25)),
    (
        "An unknown code that comes again is a failure that a later run may try.",
        answer(V.RETRY, Kind.REJECTED),
        Item("1", 1, attempt=2),
        fail(Kind.REJECTED, False),
    ),
    ("A throttle is no attempt.", answer(V.THROTTLE), LAST, Throttled(None)),
    ("A throttle hands on what was asked.", answer(V.THROTTLE, wait_s=7.0), FIRST, Throttled(7.0)),
    ("A refused token is refreshed.", answer(V.REFRESH), FIRST, Refresh(V.REFRESH)),
    ("A token refused after the refresh ends the run.", answer(V.REFRESH), REFRESHED, Stop(answer(V.FATAL))),
    ("A refused timestamp asks for the clock's offset.", answer(V.CLOCK), FIRST, Refresh(V.CLOCK)),
    ("A timestamp refused again ends the run.", answer(V.CLOCK), REFRESHED, Stop(answer(V.FATAL))),
    ("A refusal of the run stops it.", answer(V.FATAL), FIRST, Stop(answer(V.FATAL))),
    ("No usage left stops it.", answer(V.QUOTA), LAST, Stop(answer(V.QUOTA))),
]
UNANSWERED: list[tuple[str, NoReply, Item, Action]] = [
    ("Refused before sending costs nothing.", lost(Lost.REFUSED, sent=False), LAST, Free(0.375)),
    ("So does a timeout of the connection.", lost(Lost.TIMEOUT, sent=False), DOUBTED, Free(0.375)),
    ("A timeout is tried again, in doubt.", lost(Lost.TIMEOUT), FIRST, Again(0.25, doubt=True)),
    ("So is a lost connection.", lost(Lost.DISCONNECTED), FIRST, Again(0.25, doubt=True)),
    ("So is broken HTTP.", lost(Lost.MALFORMED), FIRST, Again(0.25, doubt=True)),
    (
        "One doubt leaves another.",
        lost(Lost.TIMEOUT),
        Item("1", 1, attempt=2, doubts=1),
        Again(0.5, doubt=True),
    ),
    ("Two doubts are enough: a call may cost.", lost(Lost.TIMEOUT), DOUBTED, fail_unanswered(Kind.TIMEOUT, False)),
    ("Without attempts left it fails.", lost(Lost.DISCONNECTED), LAST, fail_unanswered(Kind.NETWORK, False)),
    ("Broken HTTP to the last fails as such.", lost(Lost.MALFORMED), LAST, fail_unanswered(Kind.MALFORMED, False)),
    ("Too large is too large the next time too.", lost(Lost.TOO_LARGE), FIRST, fail_unanswered(Kind.TOO_LARGE, True)),
]


@pytest.mark.parametrize(("sentence", "verdict", "item", "action"), ANSWERED, ids=[row[0] for row in ANSWERED])
def test_answers(sentence: str, verdict: Verdict, item: Item, action: Action) -> None:
    """What an understood answer leads to, with dice that always show a half."""
    assert Policy(4, random=lambda: 0.5).decide(verdict, item) == action, sentence


@pytest.mark.parametrize(("sentence", "reply", "item", "action"), UNANSWERED, ids=[row[0] for row in UNANSWERED])
def test_exchanges_without_an_answer(sentence: str, reply: NoReply, item: Item, action: Action) -> None:
    """What a lost exchange leads to, with dice that always show a half."""
    assert Policy(4, random=lambda: 0.5).decide(reply, item) == action, sentence


@pytest.mark.parametrize(("kind", "word"), [(Lost.TLS, "certificate"), (Lost.CONNECT, "proxy")])
def test_what_can_never_connect_stops_the_run(kind: Lost, word: str) -> None:
    """A certificate that does not verify will not verify later: stop, say what to look at, fail no ID."""
    action = Policy(4, random=lambda: 0.5).decide(lost(kind, sent=False, permanent=True), FIRST)
    assert isinstance(action, Stop)
    assert (action.verdict.kind, action.verdict.error, action.verdict.message) == (V.FATAL, Kind.NETWORK, "d")
    assert word in action.verdict.remedy


def test_a_wait_of_an_hour_stops_the_run_resumably() -> None:
    """A transient answer that asks for more than 300 s: the run ends as out of usage and says when to come back."""
    action = Policy(4, random=lambda: 0.5).decide(answer(V.RETRY, wait_s=3600.0), FIRST)
    assert isinstance(action, Stop)
    assert action.verdict.kind is V.QUOTA
    assert "3600 s" in action.verdict.remedy


def test_doubts_do_not_count_where_calls_cost_nothing() -> None:
    """With `doubts=None` only the attempts count."""
    policy = Policy(4, doubts=None, random=lambda: 0.5)
    assert policy.decide(lost(Lost.TIMEOUT), DOUBTED) == Again(1.0, doubt=True)
    assert policy.decide(lost(Lost.TIMEOUT), LAST) == fail_unanswered(Kind.TIMEOUT, False)


def test_without_retries_the_first_failure_is_the_last() -> None:
    """`--retries 0`: one attempt; a throttle or a call that was never sent still costs none."""
    policy = Policy(0, random=lambda: 0.5)
    assert policy.decide(answer(V.RETRY), FIRST) == fail(Kind.SERVER, False)
    assert policy.decide(answer(V.RETRY, Kind.REJECTED), FIRST) == fail(Kind.REJECTED, False)
    assert policy.decide(answer(V.THROTTLE), FIRST) == Throttled(None)
    assert isinstance(policy.decide(lost(Lost.DNS, sent=False), FIRST), Free)


def test_an_outage_fails_no_id() -> None:
    """While the breaker is open attempts count, but what would be the last one's failure waits instead."""
    policy = Policy(4, random=lambda: 0.5)
    assert policy.decide(answer(V.RETRY), FIRST, outage=True) == Again(0.25)
    assert policy.decide(answer(V.RETRY), LAST, outage=True) == Free(4.0)
    assert policy.decide(lost(Lost.TIMEOUT), DOUBTED, outage=True) == Free(1.0)
    assert policy.decide(answer(V.ABSENT), LAST, outage=True) == fail(Kind.NOT_FOUND, True)
    assert policy.decide(lost(Lost.TOO_LARGE), LAST, outage=True) == fail_unanswered(Kind.TOO_LARGE, True)


def test_a_fatal_answer_can_be_an_ids_own() -> None:
    """`rejected` makes a permanent failure of it that shows the code."""
    assert rejected(answer(V.FATAL)) == fail(Kind.REJECTED, True)


@pytest.mark.parametrize(("dice", "pause_s"), [(0.0, 0.25), (0.999, 0.49975)])
def test_a_pause_before_connecting_again_is_never_nothing(dice: float, pause_s: float) -> None:
    """A refusing port is not hammered: a quarter to half a second."""
    assert Policy(4, random=lambda: dice).pause_s(lost(Lost.REFUSED, sent=False)) == pytest.approx(pause_s)


@pytest.mark.parametrize("outage", [False, True])
@pytest.mark.parametrize("kind", list(VerdictKind))
def test_every_verdict_has_an_action(kind: VerdictKind, outage: bool) -> None:
    """No verdict falls through the table, with the first attempt or long after the last."""
    for item in (FIRST, LAST, REFRESHED, DOUBTED, Item("1", 1, attempt=99, doubts=99, refreshed=REFRESHED.refreshed)):
        action = Policy(4, random=lambda: 0.5).decide(answer(kind), item, outage=outage)
        assert isinstance(action, Action.__args__)  # type: ignore[attr-defined]


@pytest.mark.parametrize("sent", [False, True])
@pytest.mark.parametrize("kind", list(Lost))
def test_every_loss_ends_within_its_attempts(kind: Lost, sent: bool) -> None:
    """What was sent and lost again and again fails after at most five attempts; what was not sent never does."""
    policy, item, calls = Policy(4, random=lambda: 0.5), FIRST, 1
    while isinstance(action := policy.decide(lost(kind, sent=sent), item), Again):
        item, calls = Item("1", 1, item.attempt + 1, item.doubts + action.doubt), calls + 1
    assert calls <= 3
    assert isinstance(action, Fail if sent or kind is Lost.TOO_LARGE else Free)
