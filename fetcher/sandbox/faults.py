"""What goes wrong, by seed: which IDs are struck, with what, and how often before they go well. All invented."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from fetcher.sandbox.dice import share
from fetcher.sandbox.options import RATES, SandboxSettings

_PURPOSE: Final = 2


class Fault(StrEnum):
    """A way to go wrong; each has a rate of its own in the settings."""

    ERROR = "error"
    HTML = "html"
    RESET = "reset"
    CUT = "cut"
    MALFORMED = "malformed"
    WRONG_ID = "wrong_id"
    SLOW = "slow"
    SERVICE_TIMEOUT = "service_timeout"
    UNKNOWN_CODE = "unknown_code"


def fate(settings: SandboxSettings, id_number: int) -> Fault | None:
    """What is in store for an ID: a matter of the seed and the ID alone."""
    left = share(settings.seed, _PURPOSE, id_number)
    for rate in RATES:
        left -= getattr(settings, rate)
        if left < 0:
            return Fault(rate.removesuffix("_rate"))
    return None


class Faults:
    """Strikes each chosen ID the first few times. Remembers chosen IDs only."""

    def __init__(self, settings: SandboxSettings) -> None:
        self._settings = settings
        self._any = any(getattr(settings, rate) for rate in RATES)
        self._struck: dict[int, int] = {}

    def strike(self, id_number: int) -> Fault | None:
        """The fault of this call for the ID, if any. Counts the call."""
        if not self._any:
            return None
        fault = fate(self._settings, id_number)
        repeats = self._settings.fault_repeats
        if fault is None or repeats is None:
            return fault
        struck = self._struck.get(id_number, 0)
        if struck >= repeats:
            return None
        self._struck[id_number] = struck + 1
        return fault
