"""The parts of the page that are no plots: headline figures, the proof of the cap, money, tables. Words and numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Final

from fetcher.metrics import Trouble
from fetcher.report.advice import head_of
from fetcher.report.document import Summary
from fetcher.report.figures import counted, duration, ids, latency, money, number, percent, rate, size
from fetcher.report.markup import Child, Markup, el, table, together
from fetcher.report.plots import bars

SHOWN: Final = 10
"""Of the slowest; the summary holds more."""
_KINDS_OF_RESULT: Final = {"done": "good", "absent": "calm", "reject": "calm", "throttle": "throttle", "retry": "retry"}
_WORDS_FOR_RESULT: Final = {
    "done": "product",
    "absent": "no such product",
    "reject": "refused for this ID",
    "retry": "passing failure",
    "throttle": "over the rate",
    "refresh": "token refused",
    "clock": "time refused",
    "fatal": "refused for all",
    "quota": "no usage left",
    "timeout": "no answer in time",
    "disconnected": "connection broke",
    "malformed": "answer not readable",
    "too_large": "answer too large",
    "refused": "connection refused",
    "connect": "no connection",
    "dns": "name not found",
    "tls": "TLS failed",
}


def tone(exit_code: int) -> str:
    """How an end looks: `good`, `warn` or `bad`."""
    return "good" if exit_code == 0 else "warn" if exit_code in (1, 4, 5, 129, 130, 143) else "bad"


def heading(run: Summary, name: str) -> Markup:
    """Which run, how it ended, when."""
    verdict = head_of(run.exit_code) + (f": {run.reason}" if run.reason else "")
    api, gateway = run.settings.get("api"), run.settings.get("gateway")
    facts = [
        f"{when(run.started_at)} to {when(run.ended_at)} UTC",
        duration(run.elapsed_s),
        f"API {api}" if api else "",
        f"at {gateway}" if gateway else "",
        str(run.settings.get("purpose") or ""),
    ]
    return el(
        "header",
        el("h1", run.out if run.out not in ("", "-") else name),
        el("p", el("span", verdict, class_=f"pill {tone(run.exit_code)}")),
        el("p", " · ".join(fact for fact in facts if fact), class_="facts"),
    )


def when(stamp: str) -> str:
    """A moment as a person reads it, to the second."""
    return stamp.replace("T", " ").split(".")[0]


def tiles(run: Summary) -> Markup:
    """The headline figures."""
    found = [*_count_tiles(run), *_rate_tiles(run)]
    half, slow = latency(run.latency_ms.p50 / 1000), latency(run.latency_ms.p99 / 1000)
    found.append(_tile("Half of the calls within", half, f"99 % within {slow}"))
    if run.cost is not None:
        nothing = f"{money(run.cost.stored_nothing)} brought nothing to store"
        found.append(_tile("Cost at most", money(run.cost.total), nothing))
    return el("section", el("div", *found, class_="tiles"), _shares(run))


def _count_tiles(run: Summary) -> list[Markup]:
    counts, calls = run.ids, run.calls
    left = f"{number(counts.left)} left" + ("" if counts.left_is_exact else " at least")
    aside = [f"{number(counts.failed)} failed", left]
    if counts.skipped_known:
        aside.append(f"{number(counts.skipped_known)} done before")
    troubles = f"{number(calls.retries)} retries, {number(calls.throttles)} over the rate"
    return [
        _tile("IDs fetched", number(counts.fetched), ", ".join(aside)),
        _tile("Calls sent", number(calls.sent), troubles),
    ]


def _rate_tiles(run: Summary) -> list[Markup]:
    windows = run.windows
    if windows is None:
        return []
    used = f"{windows.used * 100:.1f} % of the cap of {rate(run.rates_per_s.cap)}"
    held = "the cap held" if windows.holds else "OVER THE CAP" if windows.exact else "not watched in full"
    return [
        _tile("While busy", rate(windows.mean_per_s), used),
        _tile("Fullest second", number(windows.worst_1s), held, "good" if windows.holds else "bad"),
    ]


def _tile(label: str, value: str, words: str, mood: str = "") -> Markup:
    parts = el("span", label, class_="label"), el("b", value), el("small", words)
    return el("div", *parts, class_=f"tile {mood}".strip())


def _shares(run: Summary) -> Markup:
    """One bar of all IDs, by where they stand."""
    counts = run.ids
    parts = [
        ("fetched", "good", counts.fetched),
        ("done before", "calm", counts.skipped_known),
        ("failed", "failed", counts.failed),
        ("left", "left", counts.left),
    ]
    whole = sum(count for _, _, count in parts)
    if not whole:
        return Markup("")
    seen = [part for part in parts if part[2]]
    strip = [
        el("i", class_=kind, style=f"flex-grow:{count}", title=f"{number(count)} {name}") for name, kind, count in seen
    ]
    keys = [
        el("span", el("i", class_=f"key {kind}"), f"{name} {number(count)} ({percent(count, whole)})")
        for name, kind, count in seen
    ]
    return together(el("div", *strip, class_="strip"), el("p", *keys, class_="legend"))


def cap_proof(run: Summary) -> Markup | None:
    """The fullest windows, beside what the cap allows them."""
    windows, cap = run.windows, run.rates_per_s.cap
    if windows is None:
        return None
    allowed, fullest = max(1, math.ceil(cap)), number(windows.worst_1s)
    verdict = (
        f"No window of one second held more than {fullest} calls, retries included; {number(allowed)} are allowed. "
        "Every call was counted at the moment when it was sent."
        if windows.holds
        else f"The fullest second held {fullest} calls; {number(allowed)} are allowed."
    )
    rows = [
        ("allowed in 1 s", "limit", float(allowed), number(allowed)),
        ("fullest 1 s", "sent" if windows.holds else "failed", float(windows.worst_1s), fullest),
        ("a tenth of the cap", "limit", cap / 10, f"{cap / 10:g}"),
        ("fullest 100 ms", "fullest", float(windows.worst_100ms), number(windows.worst_100ms)),
    ]
    note = "The short window says how even the calls were; no cap is promised for it."
    return el("section", el("h2", "Proof of the cap"), el("p", verdict), bars(rows), el("p", note, class_="note"))


def outcomes(run: Summary) -> Markup:
    """Calls by what came of them, and examples of what went wrong."""
    results = sorted(run.calls.results.items(), key=lambda pair: -pair[1])
    whole = sum(run.calls.results.values())
    rows = [
        (
            _WORDS_FOR_RESULT.get(name, name),
            _KINDS_OF_RESULT.get(name, "lost"),
            float(count),
            f"{number(count)} ({percent(count, whole)})",
        )
        for name, count in results
    ]
    permanent = number(run.ids.failed_permanent)
    failed = f"{ids(run.ids.failed)} failed, {permanent} of them for good; all stand in the failed file."
    return el(
        "section",
        el("h2", "What came of the calls"),
        bars(rows) if rows else el("p", "No call was made."),
        _troubles("Answers after which an ID was tried again", "", run.examples.answers),
        _troubles("IDs without a product", failed, run.examples.failures),
    )


def _troubles(title: str, words: str, troubles: Sequence[Trouble]) -> Markup | None:
    if not troubles:
        return None
    rows: list[list[Child]] = [
        [one.kind, el("code", one.code or "–"), number(one.count), one.message, _ids(one.ids)] for one in troubles
    ]
    shown = table(["kind", "code", "times", "message", "for example"], rows, numbers=(2,), wide=3)
    return together(el("h3", title), el("p", words) if words else None, shown)


def _ids(some: Iterable[str]) -> Markup:
    return el("span", *(el("code", one) for one in some), class_="ids")


def slowest(run: Summary) -> Markup | None:
    """The slowest outcomes."""
    if not run.examples.slowest:
        return None
    rows: list[list[Child]] = [
        [el("code", one.id), latency(one.latency_ms / 1000), number(one.attempts), "fetched" if one.ok else "failed"]
        for one in run.examples.slowest[:SHOWN]
    ]
    heads = ["ID", "last call took", "attempts", "outcome"]
    return el("section", el("h2", "Slowest IDs"), table(heads, rows, numbers=(1, 2)))


def money_section(run: Summary) -> Markup | None:
    """What was paid, and for what."""
    cost = run.cost
    if cost is None:
        return None
    rows: list[list[Child]] = [
        ["all calls that left this machine, as if each were charged", number(run.calls.sent), money(cost.total)],
        ["of these: brought nothing to store", number(run.calls.stored_nothing), money(cost.stored_nothing)],
        ["of these: never answered, perhaps not charged", number(run.calls.paid_doubts), money(cost.unanswered)],
    ]
    if run.ids.fetched:
        rows.append(["for each product", "", money(cost.total / run.ids.fetched)])
    if cost.limit is not None:
        rows.append(["limit", "", money(cost.limit)])
    heads = [f"at {money(cost.price)} a call", "calls", "cost"]
    return el("section", el("h2", "Money"), table(heads, rows, numbers=(1, 2)))


def keeping(run: Summary) -> Markup:
    """The books, the calls in doubt, the input."""
    said = []
    if run.books is not None:
        said.append(
            "The books balance: the IDs that were read are the IDs that were fetched, failed or left."
            if run.books.balanced
            else f"The books do not balance: {run.books.evidence}."
        )
    if run.doubts.open:
        said.append(f"In doubt, perhaps charged and not stored: {', '.join(run.doubts.open[:20])}.")
    if run.doubts.earlier:
        said.append(f"In doubt from an earlier run: {', '.join(run.doubts.earlier[:20])}.")
    lines = run.input
    aside = [(lines.duplicates, "duplicates"), (lines.known, "done before"), (lines.bad, "bad"), (lines.blank, "blank")]
    rest = ", ".join(counted(count, what) for count, what in aside if count)
    said.append(f"Input: {counted(lines.lines, 'lines')}" + (f" ({rest})." if rest else "."))
    said.append(f"Received {size(run.bytes.in_)}, stored {size(run.bytes.out)}.")
    return el("section", el("h2", "Books"), *(el("p", text) for text in said))


def is_unset(value: object) -> bool:
    """Whether a setting has no value worth showing."""
    return value in (None, False, "", "()", [], {})


def configuration(run: Summary) -> Markup:
    """The settings in force. Secrets are stars in the summary already."""
    pairs = [(name, value) for name, value in sorted(run.settings.items()) if not is_unset(value)]
    pairs += [(f"version of {name}", version) for name, version in run.versions.items()]
    cells = [el("div", el("dt", name), el("dd", str(value))) for name, value in pairs]
    return el("section", el("h2", "Settings"), el("dl", *cells, class_="settings"))
