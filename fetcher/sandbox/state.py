"""All that a sandbox remembers and that can change while it serves: settings in force, apps, faults, what it saw."""

from __future__ import annotations

import math
from collections.abc import Sequence

from fetcher.clock import Clock
from fetcher.sandbox.accounts import Account
from fetcher.sandbox.changes import Change, Outage, Timeline, app_named, changed
from fetcher.sandbox.faults import Faults
from fetcher.sandbox.ledger import Ledger
from fetcher.sandbox.options import SandboxSettings
from fetcher.sandbox.rules import RuleBook


class State:
    """Begins as its settings say; the time line and the control page change it."""

    ledger: Ledger
    faults: Faults
    rules: RuleBook
    settings: SandboxSettings

    def __init__(self, settings: SandboxSettings, clock: Clock, changes: Sequence[Change] = ()) -> None:
        self._began_with = settings
        self._changes = changes
        self.clock = clock
        self._refused = 0
        self.accounts = {app.app_key: Account(app, settings, clock) for app in settings.registered}
        self.first = self.accounts[settings.app_key]
        self.begin()

    def begin(self) -> None:
        """Forget all calls: counts, limits, faults, usage, changes, and how far the time line has come. Tokens stay."""
        self.ledger = Ledger()
        self._first_s: float | None = None
        self._outage: Outage = "503"
        self._outage_until_s = -math.inf
        self._timeline = Timeline(self._changes)
        self._take(self._began_with)
        for account in self.accounts.values():
            account.left = account.app.usage

    def _take(self, settings: SandboxSettings) -> None:
        self.settings = settings
        self.faults = Faults(settings)
        self.rules = RuleBook(settings.parsed_rules, settings.seed)
        for key, account in self.accounts.items():
            account.renew(app_named(settings, key), settings)

    def pass_time(self, now_s: float) -> None:
        """A call came: make the changes that were due before it."""
        if self._first_s is None:
            self._first_s = now_s
        for change in self._timeline.due(self.ledger.calls, now_s - self._first_s):
            self.change(change, now_s if change.at_s is None else self._first_s + change.at_s)

    def change(self, change: Change, now_s: float) -> None:
        """Make one change, as of `now_s`."""
        if change.set:
            self._take(changed(self.settings, change))
        for key, account in self.accounts.items():
            if change.app is None or change.app == key:
                self._change_account(account, change)
        if change.outage_s:
            self._outage, self._outage_until_s = change.outage, now_s + change.outage_s

    def _change_account(self, account: Account, change: Change) -> None:
        if change.withdraw:
            account.withdraw()
        if "usage" in change.set:
            account.left = account.app.usage
        if change.use_up:
            account.left = 0
        if change.refill:
            account.left = (account.left or 0) + change.refill
        if change.expire_tokens or change.revoke:
            account.tokens.expire()
        if change.revoke or change.revoke_refresh:
            account.tokens.revoke()

    def outage(self, now_s: float) -> Outage | None:
        """How calls are met during an outage; None: there is none."""
        return self._outage if now_s < self._outage_until_s else None

    def now_ms(self) -> int:
        """This gateway's clock."""
        return self.clock.wall_ms() + int(self.settings.clock_offset_s * 1000)

    def new_request_id(self) -> str:
        """Another one each time."""
        self._refused += 1
        return f"sandbox-{self.settings.seed}-{self._refused:08x}"
