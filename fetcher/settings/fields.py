"""The one table of settings. Options, environment variables, `fetcher.toml`, its template and the docs derive from it.

Each row is a field of `Settings` (what a library user sets too) or of `CommandSettings` (what only the command line
needs). Rows stand in `rows_…`, a file for each group or two: name, type and default where Python expects them, all else
in `setting(…)`. The table knows no files, no environment and no options' parser.
"""

from __future__ import annotations

import dataclasses
from decimal import Decimal
from typing import Any, ClassVar, Final

from fetcher.errors import UsageError
from fetcher.secret import Secret
from fetcher.settings.groups import GROUPS
from fetcher.settings.rows_command import CommandRows
from fetcher.settings.rows_connection import ConnectionRows
from fetcher.settings.rows_gateway import GatewayRows
from fetcher.settings.rows_input import InputRows
from fetcher.settings.rows_output import OutputRows
from fetcher.settings.rows_rate import RateRows
from fetcher.settings.table import Field, record, rows_of
from fetcher.settings.urls import environment_proxy_passwords, is_loopback, url_password


@record
class Settings(ConnectionRows, GatewayRows, RateRows, OutputRows, InputRows):
    """What a run is to do; checked when it is made, and frozen. Times are seconds, sizes bytes.

    `None` means "find it out" for `concurrency` and `headroom`, and "not set" for all others.

    Raises:
        UsageError: a value is not possible; the sentence names the setting and never repeats a secret.

    Examples:
        >>> Settings(app_key="1234567", app_secret="not-shown", qps=20).app_secret
        ***
    """

    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            try:
                kept = field.metadata["row"].kind.accept(getattr(self, field.name))
            except ValueError as error:
                raise UsageError(f"{field.name} {error}") from None
            if kept is None and field.default is not None:
                raise UsageError(f"{field.name} must not be None")
            object.__setattr__(self, field.name, kept)
        if self.price is None and (own := dict(self.apis).get(self.api, {}).get("price")) is not None:
            object.__setattr__(self, "price", _accepted_price(self.api, own))
        check_together(self)

    @property
    def calls_allowed(self) -> int | None:
        """Calls that `max_calls` and `max_cost` allow together; None: as many as it takes."""
        return min((limit for limit in (self.max_calls, self.calls_payable) if limit is not None), default=None)

    @property
    def calls_payable(self) -> int | None:
        """Calls that `max_cost` pays for; None: as many as it takes."""
        if self.max_cost is None or self.price is None:
            return None
        # By their shortest decimals: 0.3 / 0.1 is 3 calls to a person, and 2.99… to a float.
        return int(Decimal(repr(self.max_cost)) / Decimal(repr(self.price)))

    @property
    def notes_attempts(self) -> bool:
        """Whether IDs are noted before they are called: where asked for, or where a call is worth something."""
        worth = self.price is not None or self.max_calls is not None
        return self.attempt_journal == "on" or (self.attempt_journal == "auto" and worth)


@record
class CommandSettings(CommandRows, Settings):
    """`Settings` with what only the command line needs: where to look for settings, and what to show."""


def _accepted_price(api: str, price: Any) -> Any:
    """What the user's own API says that a call of it costs."""
    try:
        return _BY_NAME["price"].kind.accept(price)
    except ValueError as error:
        raise UsageError(f"apis.{api}.price {error}") from None


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
    if settings.max_cost is not None and settings.price is None:
        raise UsageError("max_cost needs the price of a call", "Add --price (price), or use --max-calls.")
    if isinstance(settings, CommandSettings):
        _check_command(settings)


def _check_command(settings: CommandSettings) -> None:
    if settings.keys and settings.share_limits:
        raise UsageError(
            "--share-limits is counted where a cap is shared, and each of several keys ([[keys]]) has its own place",
            "Leave it out: then --max-calls and --max-cost are this run's alone.",
        )
    if settings.caps and (settings.processes > 1 or settings.share_cap):
        raise UsageError(
            "caps over longer times (--cap) go with one process: several would each count for themselves",
            "Leave out --processes and --share-cap, or divide the caps among runs of one process.",
        )
    caps_per_s = [key.qps or settings.qps for key in settings.keys]
    least_per_s = min(caps_per_s if caps_per_s and not settings.app_key else [settings.qps, *caps_per_s])
    if settings.processes > 1 and least_per_s < settings.processes:
        raise UsageError(
            f"{settings.processes} processes cannot share a cap of {least_per_s:g}/s: each needs one call a second",
            "Leave --processes out: one process carries thousands of calls a second.",
        )
    if settings.skip_fresh_s is not None and not settings.known:
        raise UsageError(
            "--skip-fresh needs the products of earlier runs", "Add --known products.jsonl: fetched_at stands there."
        )
    if settings.only_changed and not settings.diff:
        raise UsageError("--only-changed needs something to compare with", "Add --diff with earlier products.")
    if settings.quiet and settings.verbose:
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
    found += [secret for key in settings.keys for secret in key.secrets]
    if settings.proxy:
        found.append(url_password(settings.proxy))
    if settings.share_cap and "://" in settings.share_cap:
        found.append(url_password(settings.share_cap))
    if settings.trust_env:
        found += environment_proxy_passwords()
    return tuple(secret for secret in found if secret is not None)
