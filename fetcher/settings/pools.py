"""The settings with which each key of a pool calls."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from typing import TypeVar

from fetcher.settings.fields import Settings

Set = TypeVar("Set", bound=Settings)


def settings_of_keys(settings: Settings) -> list[tuple[str, Settings]]:
    """Each key's name, and the settings with which it calls: one of each, first the plain one where there is one.

    All of them know all of the secrets, so that none shows another's.
    """
    several = [(settings.app_key, settings)] if settings.app_key and settings.app_secret else []
    for key in settings.keys:
        own = dataclasses.replace(
            settings,
            app_key=key.app_key,
            app_secret=key.app_secret,
            access_token=key.access_token,
            refresh_token=key.refresh_token,
            qps=key.qps or settings.qps,
            token_file=key.token_file or settings.token_file,
        )
        several.append((key.name, own))
    return several


def without_keys(settings: Set, names: Collection[str]) -> Set:
    """The same settings without the keys of these names."""
    kept = dataclasses.replace(settings, keys=tuple(key for key in settings.keys if key.name not in names))
    if settings.app_key not in names:
        return kept
    return dataclasses.replace(kept, app_key=None, app_secret=None, access_token=None, refresh_token=None)
