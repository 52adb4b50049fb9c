"""What can change while the sandbox serves, and when: one change, a time line of them, a scenario in a file. Pure but
for reading the file.

    [sandbox]                 # as the sandbox begins: any of its options
    qps = 20
    usage = 5000
    token_life_s = 60

    [[change]]                # then, in any order
    at_call = 1000            # before the 1000th call is answered …
    set = { qps = 10 }
    [[change]]
    at_s = 30                 # … or so many seconds after the first call
    expire_tokens = true
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from fetcher.errors import UsageError
from fetcher.sandbox.options import AppSettings, SandboxSettings, from_builtins, to_builtins

PER_APP: Final = frozenset({"qps", "caps", "usage", "denied_apis"})
FIXED: Final = frozenset(
    {"host", "port", "allow_remote", "apps", "app_key", "app_secret", "access_token", "refresh_token", "seed", "absent"}
)
"""Options that cannot change while it serves."""
Outage = Literal["503", "reset", "html"]


class Change(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One change. At most one of the two times; without one it comes with the first call."""

    at_call: int | None = None
    at_s: float | None = None
    app: str | None = None
    """The key of the app that it is about; None: all."""
    set: dict[str, Any] = {}
    """Options and their new values."""
    refill: int = 0
    """So many calls more in the package."""
    use_up: bool = False
    """The package is used up."""
    expire_tokens: bool = False
    """All access tokens given out so far."""
    revoke: bool = False
    """Access and refresh tokens: the member has to authorise again."""
    revoke_refresh: bool = False
    """The refresh token alone."""
    withdraw: bool = False
    """The app key is known no more."""
    outage_s: float = 0.0
    outage: Outage = "503"
    """What calls meet during an outage."""


class Scenario(msgspec.Struct, frozen=True):
    """How a sandbox begins, and what changes."""

    settings: SandboxSettings = SandboxSettings()
    changes: tuple[Change, ...] = ()


class _File(msgspec.Struct, forbid_unknown_fields=True):
    sandbox: dict[str, Any] = {}
    app: list[dict[str, Any]] = []
    change: list[Change] = []


def read_scenario(path: str) -> Scenario:
    """A scenario of a TOML file.

    Raises:
        UsageError: there is none, or it says what cannot be meant; the sentence says where.
    """
    try:
        value = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        read = msgspec.convert(value, _File)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise UsageError(f"{path}: {error}", "docs/sandbox.md shows what a scenario can say.") from None
    begins = read.sandbox | ({"apps": read.app} if read.app else {})
    settings = from_builtins(begins, f"{path}: [sandbox]")
    check_changes(read.change, settings)
    return Scenario(settings, tuple(read.change))


def parse_change(body: bytes, settings: SandboxSettings) -> Change:
    """A change as JSON, to be made at once.

    Raises:
        UsageError: it is none, or not possible with these settings.
    """
    try:
        change = msgspec.json.decode(body, type=Change)
    except msgspec.DecodeError as error:
        raise UsageError(f"no change: {error}") from None
    check_changes([change], settings)
    return change


def check_changes(changes: Sequence[Change], settings: SandboxSettings) -> None:
    """Refuse what cannot be meant.

    Raises:
        UsageError: the first that is wrong.
    """
    keys = {each.app_key for each in settings.registered}
    for number, change in enumerate(changes, 1):
        if change.at_call is not None and change.at_s is not None:
            raise UsageError(f"change {number} has two times: at_call and at_s")
        if change.app is not None and change.app not in keys:
            raise UsageError(f"change {number} is about {change.app!r}, and no such app is registered")
        for name in change.set:
            if name in FIXED or name not in SandboxSettings.__struct_fields__:
                raise UsageError(f"change {number}: {name} is not an option that can change")
            if change.app is not None and name not in PER_APP:
                raise UsageError(f"change {number}: {name} is not one app's own")
        changed(settings, change, f"change {number}")


def changed(settings: SandboxSettings, change: Change, where: str = "change") -> SandboxSettings:
    """The settings with what the change sets."""
    if not change.set:
        return settings
    if change.app is None or change.app == settings.app_key:
        value = to_builtins(settings) | change.set
        own = {name: each for name, each in change.set.items() if name in PER_APP} if change.app is None else {}
        value["apps"] = [app | own for app in value["apps"]]
    else:
        value = to_builtins(settings)
        value["apps"] = [app | change.set if app["app_key"] == change.app else app for app in value["apps"]]
    return from_builtins(value, where)


def app_named(settings: SandboxSettings, key: str) -> AppSettings:
    """The registered app of that key."""
    return next(app for app in settings.registered if app.app_key == key)


class Timeline:
    """The changes that are still to come."""

    def __init__(self, changes: Sequence[Change]) -> None:
        self._by_call = sorted((each for each in changes if each.at_s is None), key=lambda each: each.at_call or 0)
        self._by_time = sorted((each for each in changes if each.at_s is not None), key=lambda each: each.at_s or 0.0)
        self._next_call = self._next_s = 0.0
        self._look()

    def _look(self) -> None:
        self._next_call = (self._by_call[0].at_call or 0) if self._by_call else math.inf
        self._next_s = (self._by_time[0].at_s or 0.0) if self._by_time else math.inf

    def due(self, calls: int, elapsed_s: float) -> list[Change]:
        """The changes whose time has come.

        Args:
            calls: how many came, this one included.
            elapsed_s: seconds since the first.
        """
        found: list[Change] = []
        while calls >= self._next_call:
            found.append(self._by_call.pop(0))
            self._look()
        while elapsed_s >= self._next_s:
            found.append(self._by_time.pop(0))
            self._look()
        return found
