"""Bulk product fetcher for the 1688 open platform: exactly at the rate cap, resumable, every ID accounted for.

    from fetcher import Fetcher, Settings

    async with Fetcher(Settings(app_key="…", app_secret="…", qps=20)) as fetcher:
        async for outcome in fetcher.stream(["610947572360"]):
            ...

The names are imported when they are first used, so that the command line's help does not wait for an HTTP client.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fetcher._version import __version__
from fetcher.doors import lazy

if TYPE_CHECKING:
    from fetcher.errors import Defect as Defect
    from fetcher.errors import FetcherError as FetcherError
    from fetcher.errors import InputError as InputError
    from fetcher.errors import LimitReached as LimitReached
    from fetcher.errors import OutputBusy as OutputBusy
    from fetcher.errors import OutputError as OutputError
    from fetcher.errors import OutputMismatch as OutputMismatch
    from fetcher.errors import Refused as Refused
    from fetcher.errors import SchemaChanged as SchemaChanged
    from fetcher.errors import TooManyErrors as TooManyErrors
    from fetcher.errors import UsageError as UsageError
    from fetcher.model import Failure as Failure
    from fetcher.model import Kind as Kind
    from fetcher.model import Product as Product
    from fetcher.run import Fetcher as Fetcher
    from fetcher.settings import Settings as Settings

_ROOMS: Final = {
    "Defect": "errors",
    "Failure": "model",
    "Fetcher": "run",
    "FetcherError": "errors",
    "InputError": "errors",
    "Kind": "model",
    "LimitReached": "errors",
    "OutputBusy": "errors",
    "OutputError": "errors",
    "OutputMismatch": "errors",
    "Product": "model",
    "Refused": "errors",
    "SchemaChanged": "errors",
    "Settings": "settings",
    "TooManyErrors": "errors",
    "UsageError": "errors",
}
"""Where the names come from."""

__all__ = ["__version__", *_ROOMS]
__getattr__ = lazy(__name__, _ROOMS)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
