"""What a sandbox can be told. Knows nothing of how it is done.

"Invented" marks what no public source documents about the real gateway: rates, windows, tolerances, XML, faults.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from typing import Any, Final, Literal, TypeVar, get_args

import msgspec

from fetcher.errors import UsageError
from fetcher.sandbox.limiter import Cap, parse_cap
from fetcher.sandbox.rules import Rule, parse_rule
from fetcher.secret import Secret

PUBLISHED_SECRET: Final = Secret("sandbox-secret")
"""Everybody knows it: it opens nothing but a sandbox."""

Window = Literal["sliding", "fixed"]
LimitScope = Literal["app", "api"]
_Read = TypeVar("_Read")


class AppSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A registered app: who it is, what it may, and how much of it."""

    app_key: str
    app_secret: Secret | None = None
    """None: a published one, `sandbox-secret-` with the key."""
    access_token: Secret | None = None
    """None: `sandbox-access-token-` with the key; likewise the refresh token."""
    refresh_token: Secret | None = None
    qps: float | None = None
    caps: tuple[str, ...] = ()
    usage: int | None = None
    denied_apis: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _demand(bool(self.app_key) and "/" not in self.app_key, "app_key is not empty and has no slash")
        _demand(self.qps is None or 0 < self.qps < float("inf"), "qps is above 0")
        _demand(self.usage is None or self.usage >= 0, "a count or a life is at least 0")
        _ = self.parsed_caps

    @property
    def parsed_caps(self) -> tuple[Cap, ...]:
        """`caps`, read."""
        return tuple(_parsed(parse_cap, text) for text in self.caps)

    def secret(self, name: str) -> str:
        """`app_secret`, `access_token` or `refresh_token`, revealed."""
        own: Secret | None = getattr(self, name)
        if own is not None:
            return own.reveal()
        return f"sandbox-{name.removeprefix('app_').replace('_', '-')}-{self.app_key}"


class SandboxSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
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
    apps: tuple[AppSettings, ...] = ()
    """Further apps that are registered, each with its own secret, tokens, caps, package and permissions."""
    require_token: bool = False
    """Off: an app of a single user, which needs none."""
    token_life_s: float | None = None
    """Each access token, the first included, is refused after so long. The real one lives 36 000 s."""
    refresh_token_life_s: float = 15_552_000.0
    """Half a year, as documented."""
    postpone_window_s: float = 2_592_000.0
    """`postponeToken` is taken in so many seconds before a refresh token expires: 30 days, as documented."""
    code_life_s: float = 120.0
    """An authorisation code can be used once, for two minutes (documented)."""
    oauth_errors: bool = False
    """`getToken` refuses as OAuth does (`error`, `error_description`), which some clients look for."""
    strict: bool = False
    """Refuse the tutorial's scheme (`sign`, no app key in the path) as the live gateway does."""
    denied_apis: tuple[str, ...] = ()
    """`namespace/name` of APIs for which the app has no permission."""
    refusal_status: int | None = None
    """Send all refusals under this status, such as 200 (met by some clients); None: 400, and 401 for tokens."""
    refusal_keys: Literal["snake", "camel"] = "snake"
    """`error_code` and `error_message`, or `errorCode` and `errorMessage` as some bodies say."""

    seed: int = 0
    """Which products there are, what they look like, and which calls go wrong."""
    absent: float = 0.02
    most_ids: int = 50
    """In one call of an API that takes lists. Met at one such API; of the others nothing is known."""
    xml: bool = False
    """Invented: nobody publishes an XML answer of this gateway."""

    qps: float | None = None
    """Invented, and so is the rest of the limit: no source documents it. Calls per second; None: no limit."""
    window: Window = "sliding"
    caps: tuple[str, ...] = ()
    """Further caps, stacked: `300/minute`, `5000/day`, `4/second/api` (each API on its own). A day is always fixed: it
    ends at midnight in China."""
    day_s: float = 86_400.0
    """A shorter day, for tests: it begins at midnight in China and every so many seconds after."""
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
    rules: tuple[str, ...] = ()
    """`ROW@WHERE`: a row of the error table (`rows`) for IDs that end in WHERE, for a share `5%` of all by seed, or for
    all, `*`; `x2` after it: the first two calls of each ID. Examples: `acl@77`, `isp-timeout@5%x2`."""

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
        times = [self.latency_ms, self.jitter_ms, self.slow_ms, self.ban_s, self.timestamp_tolerance_s]
        times += (self.day_s, self.code_life_s, self.refresh_token_life_s, self.postpone_window_s)
        _demand(all(0 <= time < float("inf") for time in times), "a duration is at least 0, and finite")
        counts = (self.fault_repeats, self.usage, self.token_life_s, self.retry_after_s)
        _demand(all(each is None or each >= 0 for each in counts), "a count or a life is at least 0")
        _demand(self.refusal_status in (None, 200, 400, 401), "refusal_status is 200, 400 or 401")
        _demand(self.most_ids >= 1, "most_ids is at least 1")
        _demand(self.day_s >= 1, "day_s is at least 1")
        keys = [each.app_key for each in self.registered]
        _demand(len(set(keys)) == len(keys), "no app key is registered twice")
        _ = self.parsed_rules
        if not self.allow_remote:
            _demand(is_loopback(self.host), f"{self.host} is not this machine's loopback address")

    @property
    def registered(self) -> tuple[AppSettings, ...]:
        """The app of these settings, and the further ones."""
        first = AppSettings(**{name: getattr(self, name) for name in AppSettings.__struct_fields__})
        return (first, *self.apps)

    @property
    def parsed_rules(self) -> tuple[Rule, ...]:
        """`rules`, read."""
        return tuple(_parsed(parse_rule, text) for text in self.rules)


def with_options(settings: SandboxSettings, options: dict[str, Any], apps: Sequence[str] = ()) -> SandboxSettings:
    """The settings with further options, and further apps by their keys alone.

    Raises:
        UsageError: a value that cannot be meant.
    """
    further = tuple(AppSettings(app_key=key) for key in apps)
    return msgspec.structs.replace(settings, apps=settings.apps + further, **options)


def to_builtins(settings: SandboxSettings) -> dict[str, Any]:
    """Settings as plain values, secrets and all: for a pipe, or to be changed and read back."""
    value: dict[str, Any] = msgspec.to_builtins(settings, enc_hook=_reveal)
    return value


def from_builtins(value: dict[str, Any], where: str) -> SandboxSettings:
    """The opposite.

    Raises:
        UsageError: a name or a value that cannot be meant. It begins with `where`.
    """
    try:
        return msgspec.convert(value, SandboxSettings, dec_hook=lambda kind, text: kind(text))
    except (msgspec.ValidationError, UsageError) as error:
        raise UsageError(f"{where}: {str(error).removeprefix('sandbox: ')}") from None


def _reveal(value: object) -> str:
    assert isinstance(value, Secret)
    return value.reveal()


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


def _parsed(parse: Callable[[str], _Read], text: str) -> _Read:
    try:
        return parse(text)
    except ValueError as error:
        raise UsageError(f"sandbox: {error}") from None


def _demand(holds: bool, rule: str) -> None:
    if not holds:
        raise UsageError(f"sandbox: {rule}")
