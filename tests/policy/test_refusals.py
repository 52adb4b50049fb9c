"""Refusals of the whole run: found on the first calls, never mistaken for one ID's, and no ID marked failed by them."""

from __future__ import annotations

import pytest

from fetcher.model import Asked, Fail, Free, Item, Kind, Refresh, Stop, Verdict, VerdictKind
from fetcher.policy import Refusals

SIGNATURE = Verdict(VerdictKind.FATAL, code="gw.SignatureInvalid", message="m", http_status=400)
PERMISSION = Verdict(VerdictKind.FATAL, code="gw.APIACLDecline", message="m", http_status=400)
CALL = Verdict(VerdictKind.REJECT, error=Kind.REJECTED, code="40 x", message="m", http_status=200, refuses_call=True)
ARGUMENT = Verdict(VerdictKind.REJECT, error=Kind.REJECTED, code="gw.ParamMissing", message="m", http_status=400)
REDIRECT = Verdict(VerdictKind.REJECT, error=Kind.REJECTED, code=None, message="m", http_status=302)
PAGE = Verdict(VerdictKind.REJECT, error=Kind.REJECTED, code="http_404", message="m", http_status=404)
BUSINESS = Verdict(VerdictKind.REJECT, error=Kind.REJECTED, code="E1", message="m", http_status=200)


def item(id_: int | str) -> Item:
    """An ID at its first attempt."""
    return Item(str(id_), line=1)


def test_a_wrong_key_costs_one_call() -> None:
    """Nothing ever succeeded: the first answer is enough."""
    assert Refusals().judge(SIGNATURE, item(1)) == Stop(SIGNATURE)


@pytest.mark.parametrize("ids", [(1, 2, 3), (1, 2, 1), (1, 1, 1)])
def test_a_missing_permission_costs_three_calls(ids: tuple[int, ...]) -> None:
    """It may be one product's, so it is asked twice more, about whichever ID; nothing is marked failed."""
    refusals = Refusals()
    judged = [refusals.judge(PERMISSION, item(id_)) for id_ in ids]
    assert [type(one) for one in judged] == [Free, Free, Stop]


def test_a_permission_that_one_product_lacks_does_not_stop_the_run() -> None:
    """A refusal, a success, the refusal again: it belongs to the ID, for good."""
    refusals = Refusals()
    assert isinstance(refusals.judge(PERMISSION, item(1)), Free)
    refusals.succeeded()
    assert isinstance(refusals.judge(PERMISSION, item(1)), Free)  # its first answer counted for the run, not for it
    refusals.succeeded()
    judged = refusals.judge(PERMISSION, item(1))
    assert isinstance(judged, Fail)
    assert (judged.error.kind, judged.error.code, judged.error.permanent) == (Kind.REJECTED, "gw.APIACLDecline", True)


def test_a_single_refusal_among_successes_belongs_to_its_id() -> None:
    """Asked again after others succeeded and refused again: a failure of that ID; the next such ID costs one call."""
    refusals = Refusals()
    refusals.succeeded()
    assert isinstance(refusals.judge(SIGNATURE, item(1)), Free)
    refusals.succeeded()
    assert isinstance(refusals.judge(SIGNATURE, item(1)), Fail)
    refusals.succeeded()
    assert isinstance(refusals.judge(SIGNATURE, item(2)), Fail)


def test_a_key_that_is_withdrawn_in_mid_run_stops_it() -> None:
    """Three different IDs with the same code and no success between: stop; none of them was marked failed."""
    refusals = Refusals()
    for _ in range(100):
        refusals.succeeded()
    judged = [refusals.judge(SIGNATURE, item(id_)) for id_ in (1, 2, 3)]
    assert [type(one) for one in judged] == [Free, Free, Stop]


def test_different_codes_do_not_add_up() -> None:
    """Two IDs with one code and two with another are not three alike."""
    refusals = Refusals()
    refusals.succeeded()
    for verdict, id_ in ((SIGNATURE, 1), (PERMISSION, 2), (SIGNATURE, 3), (PERMISSION, 4)):
        assert isinstance(refusals.judge(verdict, item(id_)), Free)


def test_a_success_between_starts_the_count_anew() -> None:
    """Two, a success, two: no refusal of the run."""
    refusals = Refusals()
    for start in (0, 10, 20):
        refusals.succeeded()
        for id_ in (1, 2):
            assert not isinstance(refusals.judge(SIGNATURE, item(start + id_)), Stop)


def test_a_code_that_proved_to_be_an_ids_own_needs_twenty_in_a_row() -> None:
    """A third of the products lacks the permission: three in a row are chance then, twenty are not."""
    refusals = Refusals()
    refusals.succeeded()
    refusals.judge(PERMISSION, item("a"))
    refusals.succeeded()
    refusals.judge(PERMISSION, item("a"))
    refusals.succeeded()
    judged = [refusals.judge(PERMISSION, item(id_)) for id_ in range(20)]
    assert [type(one) for one in judged] == [Fail] * 19 + [Stop]


def test_the_last_id_of_a_run_is_not_asked_for_ever() -> None:
    """Nothing else is left that could succeed: at its third answer the gateway is asked about the key."""
    refusals = Refusals()
    refusals.succeeded()
    judged = [refusals.judge(SIGNATURE, item(1)) for _ in range(3)]
    assert [type(one) for one in judged] == [Free, Free, Refresh]
    last = refusals.judge(SIGNATURE, Item("1", 1, refreshed=(Asked(VerdictKind.FATAL),)))
    assert isinstance(last, Fail) and last.error.permanent


def test_a_permission_that_only_the_last_id_lacks_is_not_for_good() -> None:
    """Nothing can prove whose it is: the ID fails, and a resumed run tries it again."""
    refusals = Refusals()
    refusals.succeeded()
    for _ in range(3):
        refusals.judge(PERMISSION, item(1))
    last = refusals.judge(PERMISSION, Item("1", 1, refreshed=(Asked(VerdictKind.FATAL),)))
    assert isinstance(last, Fail) and not last.error.permanent


@pytest.mark.parametrize(("verdict", "last"), [(REDIRECT, Stop), (PAGE, Stop), (ARGUMENT, Fail)])
def test_a_single_id_that_nobody_knows_how_to_ask_for(verdict: Verdict, last: type) -> None:
    """A page in place of an answer is no word about it: the address is wrong, and the ID stays to be done."""
    refusals = Refusals()
    judged = [refusals.judge(verdict, item(1)) for _ in range(3)]
    assert [type(one) for one in judged] == [Free, Free, last]


def test_a_page_in_place_of_an_answer_after_successes_is_the_ids_own() -> None:
    """The address is right then."""
    refusals = Refusals()
    refusals.succeeded()
    assert isinstance(refusals.judge(PAGE, item(1)), Fail)


@pytest.mark.parametrize("verdict", [ARGUMENT, REDIRECT, CALL])
def test_a_call_that_is_wrong_for_every_id_stops_the_run(verdict: Verdict) -> None:
    """The first three IDs are refused alike before anything succeeded: it is the call, so no ID is marked failed."""
    refusals = Refusals()
    judged = [refusals.judge(verdict, item(id_)) for id_ in (1, 2, 3)]
    assert [type(one) for one in judged] == [Free, Free, Stop]
    stop = judged[-1]
    assert isinstance(stop, Stop)
    assert (stop.verdict.kind, stop.verdict.code) == (VerdictKind.FATAL, verdict.code)
    assert stop.verdict.remedy


def test_a_first_id_that_is_bad_does_not_stop_the_run() -> None:
    """It is asked again after the others, and then fails alone."""
    refusals = Refusals()
    assert isinstance(refusals.judge(ARGUMENT, item(1)), Free)
    refusals.succeeded()
    assert isinstance(refusals.judge(ARGUMENT, item(1)), Fail)
    assert isinstance(refusals.judge(ARGUMENT, item(2)), Fail)


def test_two_bad_ids_alone_fail_and_end() -> None:
    """An input of two IDs, both refused: too few to blame the call, so they fail at their third answers."""
    refusals = Refusals()
    judged = [refusals.judge(ARGUMENT, item(id_)) for id_ in (1, 2, 1, 2, 1, 2)]
    assert [type(one) for one in judged] == [Free] * 4 + [Fail] * 2


def test_what_the_apis_service_says_about_an_id_is_never_the_runs() -> None:
    """A business rejection inside a 200 fails its ID at once, however many there are."""
    refusals = Refusals()
    assert all(isinstance(refusals.judge(BUSINESS, item(id_)), Fail) for id_ in range(10))


def test_memory_is_bounded() -> None:
    """Ten thousand IDs that are refused once and succeed when asked again leave a thousand traces at most."""
    refusals = Refusals()
    for id_ in range(10_000):
        refusals.succeeded()
        refusals.judge(SIGNATURE, item(id_))
    assert len(refusals._suspects) <= 1000
