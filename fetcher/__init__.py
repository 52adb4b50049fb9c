"""Bulk product fetcher for the 1688 open platform: exactly at the rate cap, resumable, every ID accounted for.

    from fetcher import Fetcher, Settings

    async with Fetcher(Settings(app_key="…", app_secret="…", qps=20)) as fetcher:
        async for outcome in fetcher.stream(["610947572360"]):
            ...

The names are imported when they are first used, so that the command line's help does not wait for an HTTP client.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fetcher._version import __version__

if TYPE_CHECKING:
    from fetcher.errors import (
        Defect,
        FetcherError,
        InputError,
        LimitReached,
        OutputBusy,
        OutputError,
        OutputMismatch,
        Refused,
        SchemaChanged,
        TooManyErrors,
        UsageError,
    )
    from fetcher.model import Failure, Kind, Product
    from fetcher.run import Fetcher
    from fetcher.settings import Settings

__all__ = [
    "Defect",
    "Failure",
    "Fetcher",
    "FetcherError",
    "InputError",
    "Kind",
    "LimitReached",
    "OutputBusy",
    "OutputError",
    "OutputMismatch",
    "Product",
    "Refused",
    "SchemaChanged",
    "Settings",
    "TooManyErrors",
    "UsageError",
    "__version__",
]

_ROOMS = {
    "Failure": "fetcher.model",
    "Fetcher": "fetcher.run",
    "Kind": "fetcher.model",
    "Product": "fetcher.model",
    "Settings": "fetcher.settings",
}
"""Where the names come from; those that are not here are errors."""


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_ROOMS.get(name, "fetcher.errors")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
