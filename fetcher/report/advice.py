"""The closing words: whatever the end, what happened, how many IDs are left, and the command that goes on.

Words only. Which end it was, the caller knows; how to correct a refusal, `gateway` has said in `remedy`.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from fetcher.metrics import KeyFigures, Snapshot
from fetcher.report.doubts import Doubts, doubt_lines
from fetcher.report.escaping import visible
from fetcher.report.figures import counted, duration, ids, money, number, rate
from fetcher.secret import STARS, Redactor

_HEADS: Final[dict[int, str]] = {
    0: "done",
    1: "finished, but some IDs failed",
    2: "stopped before anything was sent",
    3: "the gateway refused the whole run",
    4: "stopped at a limit",
    5: "stopped: too many IDs failed",
    7: "stopped: the answers have changed",
    6: "stopped: the output could not be written",
    70: "stopped by a defect of this program, not by anything of yours",
    130: "interrupted",
    143: "terminated",
}
"""By exit code; see the table of exit codes."""
_TRY_AGAIN: Final = "no ID was lost; the same command goes on where this run stopped"
_REMEDIES: Final[dict[int, str]] = {
    4: _TRY_AGAIN,
    5: "look at the failed file and correct the cause; the same command goes on",
    6: "make room or repair the disk; the same command goes on, nothing that was written is lost",
    70: "what was written stands; please report this with the lines above",
    130: _TRY_AGAIN,
    143: _TRY_AGAIN,
}
"""What to do, where nobody has said anything better."""

LEAST_FOR_A_RATE_S: Final = 1.0
"""A shorter run has no rate worth telling."""
_NOT_AGAIN: Final = frozenset({"--overwrite", "--dry-run"})
"""Switches that would not go on but begin anew, or not begin."""
_URL_USER: Final = r"(://)[^/@\s]*@"


class End(msgspec.Struct, frozen=True, kw_only=True):
    """How a run ended, for a person."""

    code: int
    """The exit code."""
    reason: str = ""
    """One sentence: what happened. Empty when it ended by itself."""
    left: int = 0
    """IDs still to be done."""
    left_is_exact: bool = True
    """False: the input was not read to its end, so there may be more."""
    command: tuple[str, ...] = ()
    """The arguments with which this run was started, the program's name first."""
    out: str = ""
    failed_path: str = ""
    unchanged_path: str = ""
    """Where what was the same is listed; empty: nowhere."""
    failed_earlier: int = 0
    """IDs that earlier runs could not fetch, and that stay in the failed file."""
    snapshot: Snapshot = Snapshot()
    keys: tuple[KeyFigures, ...] = ()
    doubts: Doubts = Doubts()
    remedy: str = ""
    """One line: what to do about it."""


def closing_words(end: End, redactor: Redactor | None = None) -> list[str]:
    """Lines for stderr, without secrets and without control characters; the first says how it ended."""
    redactor = redactor or Redactor()
    lines = [_head(end), *_counts(end.snapshot, end.out), *_changes(end), *_failures(end)]
    lines += doubt_lines(end.doubts)
    lines += [_key(key) for key in end.keys]
    if end.code == 1:
        lines += _failed_advice(end.snapshot)
    if end.code not in (0, 1, 2) or end.left or _on_the_way(end):
        lines.append(_left(end))
    if remedy := end.remedy or _REMEDIES.get(end.code, ""):
        lines.append(f"what to do: {remedy}")
    lines = [redactor.redact(visible(line)) for line in lines]
    return lines + list(_going_on(end, redactor))


def _key(key: KeyFigures) -> str:
    line = f"key {key.name}: {number(key.calls)} {'call' if key.calls == 1 else 'calls'}"
    line += f", at most {number(key.worst_1s)} in a second of {rate(key.cap_per_s)}"
    return f"{line}; left the pool: {key.left_pool}" if key.left_pool else line


def _on_the_way(end: End) -> bool:
    """An input that turned out to be damaged (2) after calls had been made."""
    return end.code == 2 and end.snapshot.attempts > 0


def head_of(exit_code: int) -> str:
    """How it ended, in a few words."""
    return _HEADS.get(exit_code, f"ended with exit code {exit_code}")


def _head(end: End) -> str:
    head = "stopped on the way" if _on_the_way(end) else head_of(end.code)
    return f"{head}: {end.reason}" if end.reason else head


def _counts(snapshot: Snapshot, out: str) -> Iterator[str]:
    if not snapshot.read:
        return
    where = f" → {out}" if out and out != "-" else ""
    line = f"fetched {ids(snapshot.fetched)} in {duration(snapshot.elapsed_s)}{where}"
    aside = [
        (snapshot.skipped_known - snapshot.skipped_fresh, "done before"),
        (snapshot.skipped_fresh, "passed over: --known holds them"),
        (snapshot.duplicates, "duplicates"),
    ]
    yield ", ".join([line, *(counted(count, what) for count, what in aside if count)])
    if snapshot.cost is not None and snapshot.attempts:
        yield _cost(snapshot, snapshot.cost, snapshot.price or 0.0)
    if snapshot.attempts:
        calls = f"{number(snapshot.attempts)} {'call' if snapshot.attempts == 1 else 'calls'}"
        aside = [
            (snapshot.retries, "retries"),
            (snapshot.throttles, "answered over the rate"),
            (snapshot.paid_doubts, "never answered, perhaps charged"),
        ]
        if snapshot.elapsed_s >= LEAST_FOR_A_RATE_S:
            calls += f" at {rate(snapshot.mean_rate_per_s)} of {rate(snapshot.cap_per_s)}"
        yield ", ".join([calls, *(counted(count, what) for count, what in aside if count)])


def _cost(snapshot: Snapshot, cost: float, price: float) -> str:
    parts = [f"cost: {money(cost)} at most, at {money(price)} a call"]
    if snapshot.stored_nothing:
        parts.append(f"{money(snapshot.stored_nothing * price)} of it brought nothing to store")
    if snapshot.paid_doubts:
        parts.append(f"{money(snapshot.paid_doubts * price)} for calls never answered")
    return ", ".join(parts)


def _changes(end: End) -> Iterator[str]:
    changes = end.snapshot.changes
    if not sum(changes.values()):
        return
    line = ", ".join(f"{number(changes.get(what, 0))} {what}" for what in ("new", "changed", "same"))
    where = f" → {end.unchanged_path}" if end.unchanged_path and changes.get("same") else ""
    yield f"compared with earlier products: {line}{where}"


def _failures(end: End) -> Iterator[str]:
    snapshot, where = end.snapshot, f" → {end.failed_path}" if end.failed_path else ""
    if snapshot.failed:
        most_first = sorted(snapshot.failed_by_kind.items(), key=lambda pair: (-pair[1], pair[0]))
        kinds = ", ".join(f"{number(count)} {kind}" for kind, count in most_first)
        yield f"failed {ids(snapshot.failed)} ({kinds}){where}"
    if end.failed_earlier:
        yield f"failed in earlier runs: {ids(end.failed_earlier)}{where}"


def _failed_advice(snapshot: Snapshot) -> Iterator[str]:
    transient = snapshot.failed - snapshot.failed_permanent
    if transient:
        yield f"what to do: the same command tries the {number(transient)} transient ones again"
    elif snapshot.failed and snapshot.distinct == snapshot.failed_by_kind.get("bad_id"):
        yield "what to do: no line of the input is an ID: is it the right file, --id-column, --id-field?"
    elif snapshot.failed and snapshot.failed == snapshot.failed_by_kind.get("bad_id"):
        yield "what to do: correct these lines of the input; the same command goes on"
    else:
        yield "what to do: all are permanent; --retry-failed all would try them again"


def _left(end: End) -> str:
    if end.left_is_exact:
        return f"left to be done: {ids(end.left)}" if end.left else "left to be done: nothing"
    return f"left to be done: {ids(end.left)} at least, the input was not read to its end"


def _going_on(end: End, redactor: Redactor) -> Iterator[str]:
    transient_failed = end.snapshot.failed > end.snapshot.failed_permanent
    if end.code == 0 or not end.command or (end.code == 1 and not transient_failed and not end.left):
        return
    if end.out == "-":
        yield "to go on, give -o a file: what went to standard output is not remembered"
        return
    if "-" in end.command:
        yield "to go on, feed the same IDs again:"
    yield f"  {command_that_goes_on(end.command, redactor)}"


def command_that_goes_on(command: Sequence[str], redactor: Redactor | None = None) -> str:
    """The command as a shell takes it, without secrets and without switches that would begin anew.

    A secret has no place in an argument; where one stands all the same (`--param`, the user of a proxy's URL), it
    becomes stars.
    """
    redactor = redactor or Redactor()
    words = [re.sub(_URL_USER, rf"\1{STARS}@", redactor.redact(word)) for word in command if word not in _NOT_AGAIN]
    return visible(shlex.join(words))
