"""What a sandbox can be told. Knows nothing of how it is done.

"Invented" marks what no public source documents about the real gateway: rates, windows, tolerances, XML, faults.
"""

from __future__ import annotations

import ipaddress
from typing import Final, Literal, get_args

import msgspec

from fetcher.errors import UsageError
from fetcher.secret import Secret

PUBLISHED_SECRET: Final = Secret("sandbox-secret")
"""Everybody knows it: it opens nothing but a sandbox."""

Window = Literal["sliding", "fixed"]
LimitScope = Literal["app", "api"]


class SandboxSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One sandbox. Shares (`absent`, `…_rate`) are parts of all IDs, 0 to 1, chosen by `seed`.

    Raises:
        UsageError: a value that cannot be meant, or a host that others can reach without `allow_remote`.
    """

    host: str = "127.0.0.1"
    port: int = 8600
    """0: any free port."""
    allow_remote: bool = False
    """Listen where other machines reach it. Its answers are made up, but whoever calls it costs this machine's time."""

    app_key: str = "1000000"
    app_secret: Secret = PUBLISHED_SECRET
    access_token: Secret = Secret("sandbox-access-token")
    refresh_token: Secret = Secret("sandbox-refresh-token")
    require_token: bool = False
    """Off: an app of a single user, which needs none."""
    token_life_s: float | None = None
    """Each access token, the first included, is refused after so long. The real one lives 36 000 s."""
    strict: bool = False
    """Refuse the tutorial's scheme (`sign`, no app key in the path) as the live gateway does."""
    denied_apis: tuple[str, ...] = ()
    """`namespace/name` of APIs for which the app has no permission."""

    seed: int = 0
    """Which products there are, what they look like, and which calls go wrong."""
    absent: float = 0.02
    xml: bool = False
    """Invented: nobody publishes an XML answer of this gateway."""

    qps: float | None = None
    """Invented, and so is the rest of the limit: no source documents it. Calls per second; None: no limit."""
    window: Window = "sliding"
    limit_scope: LimitScope = "app"
    limit_status: int = 400
    """Status of a throttle answer: one source saw 400, others look for 200; 429 is what an edge in front would send."""
    retry_after_s: int | None = None
    """Send `Retry-After` with a throttle answer."""
    ban_s: float = 0.0
    """After a throttle answer everything is throttled for so long."""
    refused_count: bool = False
    """Throttled calls count too, as with some real enforcers: whoever does not slow down never recovers."""
    usage: int | None = None
    """Calls in the app's package; then `gw.NoUsageLeftError`."""

    timestamp_tolerance_s: float = 900.0
    """Invented: how far a timestamp may be from our clock."""
    demand_timestamp: bool = False
    """Refuse calls without `_aop_timestamp`."""
    clock_offset_s: float = 0.0
    """How far this gateway's clock is ahead of the machine's. (The `Date` header is not moved.)"""

    latency_ms: float = 0.0
    jitter_ms: float = 0.0
    """Up to so much more latency, by seed."""
    fault_repeats: int | None = 1
    """How many calls for a chosen ID go wrong before it goes well; None: all of them."""
    error_rate: float = 0.0
    """HTTP 503."""
    html_rate: float = 0.0
    """HTTP 502 with a page of HTML, as from a load balancer."""
    reset_rate: float = 0.0
    """The connection is reset without an answer."""
    cut_rate: float = 0.0
    """The connection is closed in mid-body."""
    malformed_rate: float = 0.0
    """A whole answer whose JSON ends too early."""
    wrong_id_rate: float = 0.0
    """The answer is for another ID."""
    slow_rate: float = 0.0
    slow_ms: float = 5_000.0
    """What a slow answer takes on top."""
    service_timeout_rate: float = 0.0
    """`ISPInvokeTimeout`: the service behind the gateway did not answer."""
    unknown_code_rate: float = 0.0
    """A `gw.` code that nobody has heard of."""

    def __post_init__(self) -> None:
        shares = [getattr(self, name) for name in RATES]
        _demand(all(0 <= share <= 1 for share in (self.absent, *shares)), "a share lies between 0 and 1")
        _demand(sum(shares) <= 1, "the shares of all faults together are at most 1")
        _demand(0 <= self.port <= 65535, "port lies between 0 and 65535")
        _demand(self.qps is None or 0 < self.qps < float("inf"), "qps is above 0")
        _demand(self.window in get_args(Window), "window is sliding or fixed")
        _demand(self.limit_scope in get_args(LimitScope), "limit_scope is app or api")
        _demand(self.limit_status in (200, 400, 429), "limit_status is 200, 400 or 429")
        times = (self.latency_ms, self.jitter_ms, self.slow_ms, self.ban_s, self.timestamp_tolerance_s)
        _demand(all(0 <= time < float("inf") for time in times), "a duration is at least 0, and finite")
        counts = (self.fault_repeats, self.usage, self.token_life_s, self.retry_after_s)
        _demand(all(each is None or each >= 0 for each in counts), "a count or a life is at least 0")
        _demand(bool(self.app_key) and "/" not in self.app_key, "app_key is not empty and has no slash")
        if not self.allow_remote:
            _demand(is_loopback(self.host), f"{self.host} is not this machine's loopback address")


RATES: Final = (
    "error_rate",
    "html_rate",
    "reset_rate",
    "cut_rate",
    "malformed_rate",
    "wrong_id_rate",
    "slow_rate",
    "service_timeout_rate",
    "unknown_code_rate",
)
"""Fields that are shares of faults, in the order in which IDs are dealt to them."""


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches it. Of names only localhost counts: others may resolve to anything."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _demand(holds: bool, rule: str) -> None:
    if not holds:
        raise UsageError(f"sandbox: {rule}")
