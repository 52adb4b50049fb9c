"""Which API the settings choose. What an API is, and which there are, it leaves to `apis` and `own_tables`."""

from __future__ import annotations

from fetcher.gateway.api import Api
from fetcher.gateway.apis import find_api
from fetcher.settings import Settings


def chosen_api(settings: Settings) -> Api:
    """One of the user's own, a preset, or any by its full name.

    Raises:
        UsageError: there is none, or one of the user's tables is wrong.
    """
    own: dict[str, Api] = {}
    if settings.apis:
        from fetcher.gateway.own_tables import own_apis

        own = own_apis(dict(settings.apis))
    return find_api(settings.api, settings.id_param, own)
