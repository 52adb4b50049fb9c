"""Whatever the end: what happened, what is left, how to go on."""

from __future__ import annotations

import shlex

import pytest

from fetcher.metrics import Snapshot
from fetcher.report import End, closing_words, command_that_goes_on
from fetcher.secret import Redactor, Secret

COMMAND = ("fetcher", "run", "my ids.txt", "-o", "products.jsonl", "--qps", "20")
GOES_ON = "  fetcher run 'my ids.txt' -o products.jsonl --qps 20"
HALF = Snapshot(
    read=100,
    fetched=57,
    failed=3,
    failed_permanent=2,
    failed_by_kind={"timeout": 1, "not_found": 2},
    left=40,
    attempts=65,
    retries=4,
    throttles=1,
    mean_rate_per_s=19.2,
    cap_per_s=20.0,
    elapsed_s=200.0,
)


def words(code: int, left: int = 40, snapshot: Snapshot = HALF, reason: str = "", remedy: str = "") -> list[str]:
    """The closing words of such an end."""
    return closing_words(
        End(
            code=code,
            reason=reason,
            left=left,
            command=COMMAND,
            out="products.jsonl",
            failed_path="products.failed.jsonl",
            snapshot=snapshot,
            remedy=remedy,
        )
    )


def test_an_input_that_is_damaged_further_on() -> None:
    """Exit 2 after calls: it is not said that nothing was sent, and what is left is told."""
    assert words(2, snapshot=Snapshot(), left=0, reason="no file ids.txt")[0].startswith(
        "stopped before anything was sent"
    )
    said = words(2, reason="ids.gz is truncated")
    assert said[0] == "stopped on the way: ids.gz is truncated"
    assert "left to be done: 40 IDs" in said and GOES_ON in said


def test_done() -> None:
    """All fetched: what, how long, where; nothing to go on with."""
    snapshot = Snapshot(
        read=102,
        fetched=100,
        skipped_known=1,
        duplicates=1,
        attempts=100,
        mean_rate_per_s=19.2,
        cap_per_s=20,
        elapsed_s=5,
    )
    assert words(0, 0, snapshot) == [
        "done",
        "fetched 100 IDs in 5 s → products.jsonl, 1 done before, 1 duplicate",
        "100 calls at 19.2/s of 20/s",
    ]


def test_some_failed() -> None:
    """Failures by kind, the most frequent first, where they stand, and what the same command would do."""
    snapshot = Snapshot(
        read=60, fetched=57, failed=3, failed_permanent=2, failed_by_kind={"timeout": 1, "not_found": 2}
    )
    lines = words(1, 0, snapshot)
    assert lines[0] == "finished, but some IDs failed"
    assert "failed 3 IDs (2 not_found, 1 timeout) → products.failed.jsonl" in lines
    assert "what to do: the same command tries the 1 transient ones again" in lines
    assert lines[-1] == GOES_ON


def test_only_permanent_failures() -> None:
    """The same command would do nothing, so it is not offered."""
    snapshot = Snapshot(read=2, fetched=1, failed=1, failed_permanent=1, failed_by_kind={"not_found": 1})
    lines = words(1, 0, snapshot)
    assert lines[-1] == "what to do: all are permanent; --retry-failed all would try them again"


def test_lines_that_are_no_ids_are_to_be_corrected() -> None:
    """To try them again as they are would change nothing."""
    snapshot = Snapshot(read=2, fetched=1, failed=1, failed_permanent=1, failed_by_kind={"bad_id": 1})
    assert words(1, 0, snapshot)[-1] == ("what to do: correct these lines of the input; the same command goes on")


def test_an_input_without_a_single_id_is_the_wrong_one() -> None:
    """There is nothing to correct in it: it is another file, or another column of it."""
    snapshot = Snapshot(read=3, duplicates=1, failed=2, failed_permanent=2, failed_by_kind={"bad_id": 2})
    assert "--id-column" in words(1, 0, snapshot)[-1]


def test_what_failed_in_earlier_runs_is_not_forgotten() -> None:
    """A run that finds nothing to do says why it does not end with 0."""
    end = End(
        code=1, failed_path="products.failed.jsonl", failed_earlier=2, snapshot=Snapshot(read=30, skipped_known=30)
    )
    assert "failed in earlier runs: 2 IDs → products.failed.jsonl" in closing_words(end)


def test_refused() -> None:
    """The gateway's remedy is passed on."""
    lines = words(3, 100, Snapshot(read=100, left=100), "gw.SignatureInvalid", "check FETCHER_APP_SECRET")
    assert lines[0] == "the gateway refused the whole run: gw.SignatureInvalid"
    assert "left to be done: 100 IDs" in lines
    assert "what to do: check FETCHER_APP_SECRET" in lines
    assert lines[-1] == GOES_ON


@pytest.mark.parametrize(
    ("code", "head"),
    [
        (4, "stopped at a limit: why"),
        (5, "stopped: too many IDs failed: why"),
        (6, "stopped: the output could not be written: why"),
        (70, "stopped by a defect of this program, not by anything of yours: why"),
        (130, "interrupted: why"),
        (143, "terminated: why"),
        (99, "ended with exit code 99: why"),
    ],
)
def test_every_other_end_goes_on(code: int, head: str) -> None:
    """Limit, outage, too many errors, disk, defect, signals: the reason, what is left, and the command."""
    lines = words(code, reason="why")
    assert lines[0] == head
    assert "left to be done: 40 IDs" in lines
    assert "failed 3 IDs (2 not_found, 1 timeout) → products.failed.jsonl" in lines
    assert lines[-1] == GOES_ON
    assert code == 99 or any(line.startswith("what to do: ") for line in lines)


def test_usage_errors_are_short() -> None:
    """Nothing was sent: no counts, the remedy and the command to try again."""
    lines = words(2, 0, Snapshot(), "no such file: ids.txt", "give the path of a file")
    assert lines[0] == "stopped before anything was sent: no such file: ids.txt"
    assert lines[1] == "what to do: give the path of a file"


def test_unread_input_is_not_counted_as_nothing() -> None:
    """Stopped before the input was read to its end: at least so many."""
    lines = closing_words(End(code=4, left=40, left_is_exact=False, snapshot=HALF))
    assert "left to be done: 40 IDs at least, the input was not read to its end" in lines


def test_calls_that_may_have_been_charged_are_told() -> None:
    """Throttle answers, retries and doubts stand beside the calls."""
    snapshot = Snapshot(
        read=5,
        fetched=5,
        attempts=9,
        retries=2,
        throttles=1,
        paid_doubts=1,
        mean_rate_per_s=5,
        cap_per_s=5,
        elapsed_s=2,
    )
    line = words(0, 0, snapshot)[2]
    assert line == "9 calls at 5/s of 5/s, 2 retries, 1 answered over the rate, 1 never answered, perhaps charged"


def test_a_run_of_less_than_a_second_has_no_rate() -> None:
    """Five calls in forty milliseconds are not 116 a second."""
    assert words(0, 0, Snapshot(read=5, fetched=5, attempts=5, mean_rate_per_s=93, cap_per_s=100, elapsed_s=0.04))[
        2
    ] == ("5 calls")


def test_standard_streams_cannot_simply_go_on() -> None:
    """IDs from a pipe must be fed again; results to a pipe are not remembered."""
    fed = closing_words(End(code=130, left=3, command=("fetcher", "run", "-", "-o", "a.jsonl"), out="a.jsonl"))
    assert fed[-2:] == ["to go on, feed the same IDs again:", "  fetcher run - -o a.jsonl"]
    poured = closing_words(End(code=130, left=3, command=("fetcher", "run", "ids", "-o", "-"), out="-"))
    assert poured[-1] == "to go on, give -o a file: what went to standard output is not remembered"


def test_the_command_does_not_begin_anew() -> None:
    """`--overwrite` would throw away what this run has fetched."""
    assert command_that_goes_on(["fetcher", "run", "a", "-o", "b", "--overwrite"]) == "fetcher run a -o b"


def test_the_command_survives_a_shell() -> None:
    """Spaces, quotes and Chinese names come back as they were."""
    command = ["fetcher", "run", "it's 商品 $HOME.txt", "-o", "b"]
    assert shlex.split(command_that_goes_on(command)) == command


def test_no_secret_and_no_escape_in_the_words() -> None:
    """Parameters, a proxy's password, a message that echoes the request, escape sequences."""
    redactor = Redactor([Secret("t0ps3cret")])
    end = End(
        code=3,
        reason="echo: access_token=abcdef&_aop_signature=0123ABCD t0ps3cret \x1b[2J",
        left=1,
        command=(
            "fetcher",
            "run",
            "a",
            "--param",
            "access_token=abcdef",
            "--proxy",
            "http://me:pass@host:1",
            "t0ps3cret",
        ),
        remedy="t0ps3cret",
    )
    text = "\n".join(closing_words(end, redactor))
    for secret in ("t0ps3cret", "abcdef", "0123ABCD", "pass@", "me:", "\x1b"):
        assert secret not in text
    assert "--proxy 'http://***@host:1'" in text
