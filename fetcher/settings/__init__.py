"""The settings: one table (`FIELDS`), the records made of it, and where the values come from.

Nothing heavy is imported here: the command line's help reads the table.
"""

from fetcher.settings.compound import ErrorLimit, field_steps
from fetcher.settings.fields import FIELDS, CommandSettings, Settings, field_named, known_secrets
from fetcher.settings.groups import GROUPS
from fetcher.settings.key_tables import KeyTable
from fetcher.settings.load import Loaded, load, require_credentials
from fetcher.settings.pools import settings_of_keys, without_keys
from fetcher.settings.spelling import closest, did_you_mean
from fetcher.settings.table import Field
from fetcher.settings.template import template
from fetcher.settings.times import Hours, Limit
from fetcher.settings.urls import is_loopback

__all__ = [
    "FIELDS",
    "GROUPS",
    "CommandSettings",
    "ErrorLimit",
    "Field",
    "Hours",
    "KeyTable",
    "Limit",
    "Loaded",
    "Settings",
    "closest",
    "did_you_mean",
    "field_named",
    "field_steps",
    "is_loopback",
    "known_secrets",
    "load",
    "require_credentials",
    "settings_of_keys",
    "template",
    "without_keys",
]
