"""The one table of settings. Options, environment variables, `fetcher.toml`, its template and the docs derive from it.

Each row is a field of `Settings` (what a library user sets too) or of `CommandSettings` (what only the command line
needs): name, type and default stand where Python expects them, all else in `setting(…)`. The table knows no files, no
environment and no options' parser.
"""

from __future__ import annotations

import dataclasses
from decimal import Decimal
from typing import Any, ClassVar, Final

from fetcher.errors import UsageError
from fetcher.secret import Secret
from fetcher.settings.compound import ErrorLimit, ErrorLimitKind, Parameters
from fetcher.settings.kinds import (
    AppKey,
    Choice,
    Encoding,
    Flag,
    Number,
    PathText,
    SecretText,
    Text,
    Upper,
)
from fetcher.settings.table import Converted, Field, record, rows_of, setting
from fetcher.settings.urls import GatewayUrl, ProxyUrl, environment_proxy_passwords, is_loopback, proxy_password

INPUT: Final = "Input"
OUTPUT: Final = "Output"
RATE: Final = "Rate"
GATEWAY: Final = "Gateway"
CREDENTIALS: Final = "Credentials"
CONNECTION: Final = "Connection"
RETRIES: Final = "Retries"
REPORT: Final = "What you see"
GROUPS: Final = (INPUT, OUTPUT, RATE, GATEWAY, CREDENTIALS, CONNECTION, RETRIES, REPORT)
"""The headings, in the order of help and template."""

_COUNT: Final = Number(least=1, whole=True, none_word="none")
_IN_FLIGHT: Final = Number(least=1, most=100_000, whole=True, none_word="auto")
_PERCENT: Final = Number(least=0, most=50, none_word="auto", metavar="PCT")
_MONEY: Final = Number(above=0, most=1e9, none_word="none")
_SECONDS: Final = Number(above=0, most=86_400, metavar="S")
_MAX_BODY: Final = Number(least=1024, most=2**31, whole=True, metavar="BYTES")


@record
class Settings:
    """What a run is to do; checked when it is made, and frozen. Times are seconds, sizes bytes.

    `None` means "find it out" for `concurrency` and `headroom`, and "not set" for all others.

    Raises:
        UsageError: a value is not possible; the sentence names the setting and never repeats a secret.

    Examples:
        >>> Settings(app_key="1234567", app_secret="not-shown", qps=20).app_secret
        ***
    """

    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]

    ids_column: str | None = setting(
        None,
        (INPUT, "column of a .csv or .tsv, by name or index", Text("NAME|INDEX")),
        flag="--id-column",
        key="id_column",
        env=False,
    )
    ids_field: str | None = setting(
        None,
        (INPUT, "field of a .jsonl line, dotted: item.id", Text("NAME")),
        flag="--id-field",
        key="id_field",
        env=False,
    )
    encoding: str | None = setting(None, (INPUT, "text encoding of IDS; unset: UTF-8", Encoding("NAME")), env=False)
    limit: int | None = setting(None, (INPUT, "stop after so many new IDs", _COUNT), env=False)

    failed: str | None = setting(
        None, (OUTPUT, "where failures go; unset: OUT with .failed.jsonl", PathText()), env=False
    )
    overwrite: bool = setting(False, (OUTPUT, "start anew; without it a run resumes OUT", Flag()), env=False, key=False)
    retry_failed: str = setting(
        "transient",
        (OUTPUT, "which earlier failures a resumed run tries again", Choice("transient", "all", "none")),
        env=False,
    )
    on_doubt: str = setting(
        "retry",
        (
            OUTPUT,
            "calls of a killed run that may have been charged: fetch again, or hold back",
            Choice("retry", "hold"),
        ),
        env=False,
    )
    attempt_journal: str = setting(
        "auto",
        (
            OUTPUT,
            "note IDs before they are called; auto: where calls have a price or a limit",
            Choice("auto", "on", "off"),
        ),
    )
    sync_interval_s: float = setting(
        1.0, (OUTPUT, "seconds until a stored line is sure to survive a power cut", _SECONDS), flag=False
    )

    qps: float = setting(
        5.0,
        (RATE, "the cap: never more starts in any 1-second window, retries included", Number(above=0, most=100_000)),
    )
    concurrency: int | None = setting(None, (RATE, "requests in flight; auto: what cap and latency need", _IN_FLIGHT))
    headroom: float | None = setting(
        None, (RATE, "percent of the cap left unused; auto: 2.5, more where calls are refused", _PERCENT)
    )
    max_calls: int | None = setting(None, (RATE, "stop before the call that would pass it", _COUNT))
    price: float | None = setting(None, (RATE, "price of a call, for the cost before, during and after", _MONEY))
    max_cost: float | None = setting(None, (RATE, "stop before the call that would pass it; needs --price", _MONEY))
    max_errors: Converted[ErrorLimit | None, ErrorLimit | int | str | None] = setting(
        None, (RATE, "stop when so many IDs, or such a part of them, have failed", ErrorLimitKind())
    )

    api: str = setting(
        "product", (GATEWAY, "a preset (product, order-buyer, ...) or namespace/name/version", Text("NAME"))
    )
    id_param: str | None = setting(None, (GATEWAY, "parameter of the API that takes the ID", Text("NAME")))
    params: Converted[tuple[tuple[str, str], ...], Any] = setting(
        (),
        (GATEWAY, "extra parameter of the API, such as scene=1; repeatable", Parameters()),
        flag="--param",
        env=False,
    )
    protocol: str = setting("param2", (GATEWAY, "how requests are signed", Choice("param2", "guide")))
    method: str | None = setting(None, (GATEWAY, "unset: POST for param2, GET for guide", Upper("GET", "POST")))
    timestamp: bool = setting(False, (GATEWAY, "send the time with param2 requests", Flag()))
    gateway: str = setting("https://gw.open.1688.com/openapi", (GATEWAY, "base URL", GatewayUrl()))
    allow_http: bool = setting(False, (GATEWAY, "let plain http go to other hosts than this one", Flag()))

    app_key: str | None = setting(None, (CREDENTIALS, "key of your app", AppKey("KEY")))
    app_secret: Converted[Secret | None, Secret | str | None] = setting(
        None, (CREDENTIALS, "secret of your app", SecretText()), flag=False
    )
    access_token: Converted[Secret | None, Secret | str | None] = setting(
        None,
        (CREDENTIALS, "token of the user who authorised your app, where the API needs one", SecretText()),
        flag=False,
    )
    refresh_token: Converted[Secret | None, Secret | str | None] = setting(
        None, (CREDENTIALS, "renews the access token when it has run out", SecretText()), flag=False
    )

    timeout_s: float = setting(30.0, (CONNECTION, "seconds for one attempt, connect to last byte", _SECONDS))
    connect_timeout_s: float = setting(5.0, (CONNECTION, "seconds for making a connection", _SECONDS), flag=False)
    proxy: str | None = setting(
        None, (CONNECTION, "proxy to go through; none is taken by itself", ProxyUrl()), show=False
    )
    trust_env: bool = setting(False, (CONNECTION, "take the proxy from HTTPS_PROXY and the like", Flag()))
    transport: str = setting("auto", (CONNECTION, "the HTTP engine", Choice("auto", "fast", "httpx")))
    http2: bool = setting(False, (CONNECTION, "speak HTTP/2 (needs the extra http2)", Flag()))
    ca_file: str | None = setting(None, (CONNECTION, "certificates to trust, PEM; unset: the usual ones", PathText()))
    max_body_bytes: int = setting(64 * 2**20, (CONNECTION, "longest answer taken, inflated", _MAX_BODY), flag=False)

    retries: int = setting(
        4,
        (
            RETRIES,
            "further attempts after a passing failure; throttling does not count",
            Number(least=0, most=1000, whole=True),
        ),
    )
    paid_retries: int = setting(
        2,
        (
            RETRIES,
            "further attempts after a call that was sent and never answered, so may be charged",
            Number(least=0, most=1000, whole=True),
        ),
    )
    max_outage_s: float = setting(
        900.0,
        (RETRIES, "seconds that an outage may last before the run ends, resumable", _SECONDS),
        flag="--max-outage",
    )
    stall_timeout_s: float = setting(
        300.0,
        (RETRIES, "seconds without any movement, known waits aside, until the run ends as defective", _SECONDS),
        flag="--stall-timeout",
    )

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            try:
                kept = field.metadata["row"].kind.accept(getattr(self, field.name))
            except ValueError as error:
                raise UsageError(f"{field.name} {error}") from None
            if kept is None and field.default is not None:
                raise UsageError(f"{field.name} must not be None")
            object.__setattr__(self, field.name, kept)
        check_together(self)

    @property
    def calls_allowed(self) -> int | None:
        """Calls that `max_calls` and `max_cost` allow together; None: as many as it takes."""
        limits = [] if self.max_calls is None else [self.max_calls]
        if self.max_cost is not None and self.price is not None:
            # By their shortest decimals: 0.3 / 0.1 is 3 calls to a person, and 2.99… to a float.
            limits.append(int(Decimal(repr(self.max_cost)) / Decimal(repr(self.price))))
        return min(limits, default=None)

    @property
    def notes_attempts(self) -> bool:
        """Whether IDs are noted before they are called: where asked for, or where a call is worth something."""
        worth = self.price is not None or self.max_calls is not None
        return self.attempt_journal == "on" or (self.attempt_journal == "auto" and worth)


@record
class CommandSettings(Settings):
    """`Settings` with what only the command line needs: where to look for settings, and what to show."""

    sandbox: bool = setting(
        False, (INPUT, "try it: fetch from a gateway inside this program", Flag()), env=False, key=False
    )
    processes: int = setting(
        1, (RATE, "processes that share the cap, the input and OUT", Number(least=1, most=64, whole=True))
    )
    dry_run: bool = setting(False, (RATE, "read and check everything, send nothing", Flag()), env=False, key=False)
    config: str | None = setting(
        None, (CREDENTIALS, "settings; unset: ./fetcher.toml", PathText()), env=False, key=False
    )
    env_file: str | None = setting(None, (CREDENTIALS, "variables; unset: ./.env", PathText()), env=False, key=False)
    secrets: str | None = setting(
        None, (CREDENTIALS, "a file with app_secret=... that only you can read", PathText()), env=False, key=False
    )
    allow_open_secrets: bool = setting(
        False, (CREDENTIALS, "take a --secrets file that others can read", Flag()), flag=False
    )
    summary: str | None = setting(None, (REPORT, "the run's figures as JSON; - is stdout", PathText()), env=False)
    quiet: bool = setting(False, (REPORT, "errors only", Flag()), short="-q", env=False, key=False)
    verbose: bool = setting(False, (REPORT, "more detail", Flag()), short="-v", env=False, key=False)
    log_format: str = setting("text", (REPORT, "how log lines are written", Choice("text", "json")))
    no_progress: bool = setting(False, (REPORT, "no progress display", Flag()))


def check_together(settings: Settings) -> None:
    """Refuse values that are each possible and do not go together.

    Raises:
        UsageError: says which two, and what to change.
    """
    if settings.gateway.startswith("http:") and not settings.allow_http and not is_loopback(settings.gateway):
        raise UsageError(
            "the gateway's URL begins with http://, so secrets and answers would travel in the clear",
            "Use https://, or --allow-http (allow_http) if that host is yours and the way to it is safe.",
        )
    if settings.http2 and settings.transport == "fast":
        raise UsageError("the fast transport does not speak HTTP/2", "Leave out one of --http2 and --transport fast.")
    if isinstance(settings, CommandSettings) and settings.processes > 1 and settings.qps < settings.processes:
        raise UsageError(
            f"{settings.processes} processes cannot share a cap of {settings.qps:g}/s: each needs one call a second",
            "Leave --processes out: one process carries thousands of calls a second.",
        )
    if settings.max_cost is not None and settings.price is None:
        raise UsageError("max_cost needs the price of a call", "Add --price (price), or use --max-calls.")
    if isinstance(settings, CommandSettings) and settings.quiet and settings.verbose:
        raise UsageError("quiet and verbose exclude each other", "Leave out one of -q and -v.")


_LIBRARY: Final = frozenset(field.name for field in dataclasses.fields(Settings))
_COMMAND: Final = frozenset(field.name for field in dataclasses.fields(CommandSettings)) - _LIBRARY

FIELDS: Final[tuple[Field, ...]] = tuple(
    sorted(rows_of(CommandSettings, _COMMAND), key=lambda field: GROUPS.index(field.group))
)
"""Every setting, in the order of help and template."""


def field_named(name: str) -> Field:
    """The row of that name.

    Raises:
        KeyError: there is none.
    """
    return _BY_NAME[name]


_BY_NAME: Final = {field.name: field for field in FIELDS}


def known_secrets(settings: Settings) -> tuple[Secret, ...]:
    """Every secret in the settings, passwords of proxies included: what a `Redactor` has to know."""
    found = [getattr(settings, field.name) for field in FIELDS if field.secret]
    if settings.proxy:
        found.append(proxy_password(settings.proxy))
    if settings.trust_env:
        found += environment_proxy_passwords()
    return tuple(secret for secret in found if secret is not None)
