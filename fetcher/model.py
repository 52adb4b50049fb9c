"""The words that every room shares: what flows from an ID in a file to a line in OUT.

They are frozen and know nothing: no behaviour beyond reading themselves. The hot ones are `msgspec.Struct` without
garbage-collector tracking (0.14 µs to make one; a frozen dataclass takes 1.9 µs).

    Item ─▶ Call ─▶ Request ─▶ Reply | NoReply ─▶ Verdict ─▶ Action ─▶ Outcome = Product | Failure
"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Any, Final, TypeAlias

import msgspec


class Kind(StrEnum):
    """Why an ID has no product: `error.kind` of a line of the failed file."""

    NOT_FOUND = "not_found"
    REJECTED = "rejected"
    THROTTLED = "throttled"
    TIMEOUT = "timeout"
    NETWORK = "network"
    SERVER = "server"
    MALFORMED = "malformed"
    TOO_LARGE = "too_large"
    BAD_ID = "bad_id"


class Asked(msgspec.Struct, frozen=True, gc=False):
    """A question of the run's own, asked because a call was refused."""

    what: VerdictKind
    key: str = ""
    """Name of the key whose call it was; a single one has none."""


class Item(msgspec.Struct, frozen=True, gc=False):
    """One ID on its way. Queues hold Items, never signed requests, so a stale signature cannot be written down."""

    id: str
    line: int
    """Line of the input, counted from 1."""
    attempt: int = 1
    """Which counted attempt comes next; throttle answers and sends that never left do not count."""
    doubts: int = 0
    """Earlier attempts that were sent and never answered: each may have been charged."""
    refreshed: tuple[Asked, ...] = ()
    """What has been done about refusals of this ID's calls: a new token, a new offset of the clock, a look whether the
    key still stands. Each once a key; then the refusal counts."""
    lot: int = 0
    """It may share a call with so many IDs, itself included; 0: with as many as the API takes."""

    def within(self, lot: int) -> Item:
        """The same, to share a call with no more than so many."""
        return Item(self.id, self.line, self.attempt, self.doubts, self.refreshed, lot)


class Call(msgspec.Struct, frozen=True, gc=False):
    """What is asked of the gateway, before it is signed."""

    items: tuple[Item, ...]
    path: str
    """`{version}/{namespace}/{name}`, without protocol and app key."""
    params: tuple[tuple[str, str], ...]
    """Values as they are signed: unencoded text."""


FORM: Final = "application/x-www-form-urlencoded; charset=utf-8"


class Request(msgspec.Struct, frozen=True, gc=False):
    """A signed call, ready to be written. It is a secret: its repr shows neither query nor body."""

    method: str
    target: str
    """Origin form: path and query, already encoded (RFC 9112, 3.2.1)."""
    body: bytes = b""
    content_type: str = FORM

    def __repr__(self) -> str:
        path, _, query = self.target.partition("?")
        return f"Request({self.method} {path}{'?***' if query else ''}, body of {len(self.body)} bytes)"


class Reply(msgspec.Struct, frozen=True, gc=False):
    """An answer that arrived whole, body inflated."""

    status: int
    body: bytes
    started_s: float
    """Monotonic time at which the first byte of the request was written."""
    ended_s: float
    content_type: str = ""
    retry_after: str | None = None
    """The header as it came: seconds or a date."""
    date: str | None = None
    """The `Date` header as it came; tells the gateway's clock."""

    @property
    def latency_s(self) -> float:
        """Seconds from the request's first byte to the answer's last."""
        return self.ended_s - self.started_s


class Lost(StrEnum):
    """How an exchange ended without a whole answer."""

    DNS = "dns"
    REFUSED = "refused"
    CONNECT = "connect"
    """Any other failure before a connection stood: unreachable, reset while connecting, no free descriptor."""
    TLS = "tls"
    TIMEOUT = "timeout"
    DISCONNECTED = "disconnected"
    MALFORMED = "malformed"
    """The answer broke HTTP or its compression was truncated or corrupt."""
    TOO_LARGE = "too_large"


class NoReply(msgspec.Struct, frozen=True, gc=False):
    """A failed exchange, as a value: cheap, and no exception text carries a URL."""

    kind: Lost
    sent: bool
    """False only when it is certain that no byte of the request left."""
    detail: str
    """A few words for a person. Never a URL, a header or a body of ours."""
    started_s: float
    ended_s: float
    permanent: bool = False
    """Trying again cannot help: a certificate that does not verify, a scheme that is not spoken."""

    @property
    def latency_s(self) -> float:
        """Seconds until it was given up."""
        return self.ended_s - self.started_s


class VerdictKind(StrEnum):
    """What an answer means for a bulk fetcher."""

    DONE = "done"
    ABSENT = "absent"
    """The gateway knows no such product: permanent."""
    REJECT = "reject"
    """The gateway refuses this one ID: permanent."""
    RETRY = "retry"
    THROTTLE = "throttle"
    REFRESH = "refresh"
    """The token was refused."""
    CLOCK = "clock"
    """The timestamp was refused, or asked for."""
    FATAL = "fatal"
    """The gateway refuses the whole run: key, signature, API, permission."""
    QUOTA = "quota"
    """The package is used up: stop, resumable."""


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """An answer, understood."""

    kind: VerdictKind
    payload: bytes = b""
    """JSON of the answer (only with DONE); XML is already converted."""
    error: Kind = Kind.SERVER
    """The failure's kind, should this verdict become one."""
    code: str | None = None
    message: str = ""
    http_status: int | None = None
    wait_s: float | None = None
    """Seconds that the gateway asked to wait."""
    remedy: str = ""
    """One line for a person: what to do about it."""
    refuses_call: bool = False
    """REJECT by the gateway for how it was called, not by the API's service for this ID: others may fare alike."""
    names: tuple[str, ...] = ()
    """IDs of a refused call of several that the refusal itself names: the others may be well without them."""


class ErrorInfo(msgspec.Struct, frozen=True, gc=False):
    """`error` of a line of the failed file, in the order in which it is written."""

    kind: Kind
    code: str | None
    message: str
    http_status: int | None
    permanent: bool
    line: int | None = None
    """Line of the input; written for `bad_id` only."""


class Product(msgspec.Struct, frozen=True, gc=False):
    """An ID that was fetched: a line of OUT."""

    id: str
    fetched_at_ms: int
    """Wall clock, milliseconds since 1970 UTC."""
    attempts: int
    latency_ms: float
    """Of the attempt that brought the answer."""
    payload: bytes
    """The gateway's answer as JSON text, value for value."""

    ok = True

    def __repr__(self) -> str:
        head = f"{self.id!r}, attempts={self.attempts}, latency_ms={self.latency_ms:.1f}"
        return f"Product({head}, payload of {len(self.payload)} bytes)"

    @property
    def data(self) -> Any:
        """The answer as Python values. Integers of any size stay exact (the standard parser is used for that)."""
        return json.loads(self.payload)


class Failure(msgspec.Struct, frozen=True, gc=False):
    """An ID that has no product: a line of the failed file."""

    id: str
    fetched_at_ms: int
    attempts: int
    latency_ms: float
    error: ErrorInfo

    ok = False


Outcome: TypeAlias = Product | Failure


class Attempt(msgspec.Struct, frozen=True, gc=False):
    """The one record between doing and showing: every exchange drops one into `metrics`."""

    started_s: float
    ended_s: float
    result: str
    """A `VerdictKind` or, without an answer, a `Lost`."""
    bytes_in: int
    sent: bool = True


# What can be done about an answer: the seven actions.


class Keep(msgspec.Struct, frozen=True, gc=False):
    """Store the payload: the ID is FETCHED."""

    payload: bytes


class Fail(msgspec.Struct, frozen=True, gc=False):
    """Store the error: the ID is FAILED."""

    error: ErrorInfo


class Again(msgspec.Struct, frozen=True, gc=False):
    """Try again after `wait_s`; it counts as an attempt."""

    wait_s: float
    doubt: bool = False
    """The lost attempt may have been charged."""


class Free(msgspec.Struct, frozen=True, gc=False):
    """Nothing was sent: try again after `wait_s`, at no attempt's cost."""

    wait_s: float


class Throttled(msgspec.Struct, frozen=True, gc=False):
    """The gateway said over the rate: all slow down; at no attempt's cost."""

    wait_s: float | None


class Refresh(msgspec.Struct, frozen=True, gc=False):
    """Get a new token or clock offset, or find out whether the key still stands (FATAL), then try again; once."""

    what: VerdictKind


class Stop(msgspec.Struct, frozen=True, gc=False):
    """End the run; this ID stays to be done."""

    verdict: Verdict


Action: TypeAlias = Keep | Fail | Again | Free | Throttled | Refresh | Stop
