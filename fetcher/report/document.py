"""The summary as types: what every key of it is, with its unit. `docs/summary.schema.json` is made from this file.

It reads no counters and knows no files. A key that changes its meaning or goes away makes `SCHEMA` grow; new keys may
come at any time, so a reader has to pass over those that it does not know, and here every later key has a default: a
summary of an older version is still drawn.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from fetcher.metrics import KeyFigures, Pause, Percentile, Slow, Trouble

SCHEMA: Final = 2


class Input(msgspec.Struct, kw_only=True):
    """Lines of the input by what they were: `lines` is the sum of all others but `repaired`."""

    lines: int = 0
    blank: int = 0
    comments: int = 0
    header: int = 0
    duplicates: int = 0
    known: int = 0
    """Done by an earlier run."""
    fresh: int = 0
    """Passed over, since other files hold them (`--known`)."""
    bad: int = 0
    """No IDs: each became a `bad_id` failure."""
    items: int = 0
    """To be done."""
    repaired: dict[str, int] = {}
    """IDs that were put right on the way, by what was done."""


class Ids(msgspec.Struct, kw_only=True):
    """How many IDs came to which end: `read = fetched + failed + skipped_known + duplicates + left` at the end."""

    total: int | None
    """Distinct IDs of the input; null: unknown."""
    read: int
    fetched: int
    failed: int
    """Bad IDs included."""
    failed_permanent: int
    """Those of them that no further try can help."""
    failed_by_kind: dict[str, int]
    skipped_known: int
    """Done by an earlier run."""
    skipped_fresh: int = 0
    """Those of them that other files hold (`--known`)."""
    duplicates: int
    left: int
    """Still to be done: the run ended first."""
    left_is_exact: bool
    """False: the input was not read to its end."""


class Calls(msgspec.Struct, kw_only=True):
    """Attempts at the gateway."""

    sent: int
    """Calls that left this machine."""
    own: int = 0
    """Those of them that were questions of the run's own: for a token, the gateway's time. They have no price."""
    unsent: int
    """Attempts of which no byte left: no connection."""
    results: dict[str, int]
    """Attempts, sent or not, by what came of them; `own`: questions of the run's own."""
    retries: int
    """Counted attempts after the first one of an ID."""
    throttles: int
    """Answers that said: over the rate."""
    paused_s: float
    """Seconds of pauses ordered after such answers."""
    paid_doubts: int
    """Calls sent and never answered: each may have been charged."""
    stored_nothing: int
    """Calls for IDs that brought nothing to store: refused, failed, or never answered."""


class Cost(msgspec.Struct, kw_only=True):
    """Money, in the unit of `--price`."""

    price: float
    """Of a call."""
    total: float
    """Of all calls that left this machine, as if each were charged."""
    unanswered: float
    """Its part for calls that were never answered."""
    stored_nothing: float
    """Its part for calls that brought nothing to store, the unanswered ones included."""
    limit: float | None = None
    """`--max-cost`; null: none."""


class DoubtfulIds(msgspec.Struct, kw_only=True):
    """IDs whose call may have been charged without its answer being stored."""

    noted: bool
    """This run noted its calls, so that none is missing here."""
    earlier: list[str]
    """Called by runs that were killed before this one."""
    held: bool
    """Those are held back in the failed file."""
    open: list[str]
    """Called by this run, and neither answered nor stored at its end."""


class Rates(msgspec.Struct, kw_only=True):
    """A second."""

    cap: float
    allowed_at_end: float
    """What pacing allowed at last."""
    calls_mean: float
    """Starts, since the beginning."""
    done_last_minute: float
    """IDs."""


class Bytes(msgspec.Struct, kw_only=True, rename={"in_": "in"}):
    """Of answers' bodies, inflated, and of the products stored."""

    in_: int
    out: int


class Windows(msgspec.Struct, kw_only=True):
    """The proof of the cap, over the times at which calls were sent."""

    worst_1s: int
    """Calls in the fullest window of one second."""
    worst_100ms: int
    mean_per_s: float
    """While busy: pauses left out."""
    used: float
    """Share of the cap that was used while busy, 0 to 1."""
    holds: bool
    """No window was over the cap."""
    exact: bool
    """Nothing was missed by the watch."""
    clock_error_ms: float | None = None
    """By how much the clocks of the machines that sent may disagree; null: there was one."""


class Latency(msgspec.Struct, kw_only=True):
    """Of answered calls, milliseconds, from the request's first byte to the answer's last."""

    p50: float
    p90: float
    p99: float
    max: float
    mean: float


class BookKeeping(msgspec.Struct, kw_only=True):
    """The IDs that were read, held against those that came to an end."""

    balanced: bool
    read: int
    fetched: int
    failed: int
    left: int
    evidence: str
    """What does not add up; empty when all does."""


class Columns(msgspec.Struct, kw_only=True):
    """The run's course: one entry a stretch in every list. Rates are a second, counts are of the stretch."""

    elapsed_s: list[float] = []
    """When the stretch ended."""
    calls_per_s: list[float | None] = []
    done_per_s: list[float | None] = []
    fullest_1s: list[int] = []
    """Calls in the fullest window of one second that ended in the stretch."""
    allowed_per_s: list[float | None] = []
    """The least that pacing allowed."""
    in_flight: list[int] = []
    """The most that were seen."""
    failed: list[int] = []
    retries: list[int] = []
    throttles: list[int] = []
    lost: list[int] = []
    """Calls never answered, or not sent for want of a connection."""
    latency_p50_ms: list[float | None] = []
    latency_p90_ms: list[float | None] = []
    latency_p99_ms: list[float | None] = []
    """Null: nothing was answered."""


class Percentiles(msgspec.Struct, kw_only=True):
    """Durations in seconds: `share` (0 to 1) of all did not exceed `duration_s`."""

    service: list[Percentile] = []
    """Of answered calls."""
    with_wait: list[Percentile] = []
    """Of IDs, from their first call to their end: retries and pauses included."""


class SharedCap(msgspec.Struct, kw_only=True):
    """A cap that other runs share (`--share-cap`), as this run used it."""

    exchanges: int
    """With the place where slots are leased."""
    slots_missed: int
    """Leased and not used: nothing to send, or too late."""


class Examples(msgspec.Struct, kw_only=True):
    """A few of each sort."""

    slowest: list[Slow] = []
    failures: list[Trouble] = []
    """IDs that ended without a product, by kind and code."""
    answers: list[Trouble] = []
    """Answers after which an ID was tried again, or that ended the run, by kind and code."""


class Summary(msgspec.Struct, kw_only=True):
    """A run of fetcher in figures. Times are UTC (RFC 3339); keys that are not listed here may come at any time."""

    schema: int
    """Grows when a key changes its meaning or goes away."""
    versions: dict[str, str]
    exit_code: int
    reason: str
    """Why it ended; empty when it ended by itself."""
    started_at: str
    ended_at: str
    elapsed_s: float
    """Monotonic seconds between the two."""
    out: str = ""
    """Where the products went."""
    input: Input = msgspec.field(default_factory=Input)
    ids: Ids
    changes: dict[str, int] | None = None
    """Products by what has become of them: `new`, `changed`, `same`; null: nothing to compare with (`--diff`)."""
    purpose: str | None = None
    """What the data is fetched for, as the user has said it."""
    calls: Calls
    cost: Cost | None
    """Null: no price was given."""
    doubts: DoubtfulIds
    rates_per_s: Rates
    bytes: Bytes
    windows: Windows | None
    """Null: not watched."""
    shared_cap: SharedCap | None = None
    """Null: no other run shares it."""
    keys: list[KeyFigures] = []
    """Each key of a pool of several; empty with one."""
    latency_ms: Latency
    percentiles: Percentiles = msgspec.field(default_factory=Percentiles)
    books: BookKeeping | None
    """Null: not kept."""
    course: Columns = msgspec.field(default_factory=Columns)
    pauses: list[Pause] = []
    """Times in which nothing was sent, seconds since the beginning."""
    examples: Examples = msgspec.field(default_factory=Examples)
    settings: dict[str, Any]
    """As they were in force, secrets as stars."""
