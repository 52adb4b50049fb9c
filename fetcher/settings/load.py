"""Finds the settings: flag > secrets file > environment > `.env` > `fetcher.toml` > default, and where each came from.

It must not know options' parsers: what the command line gave comes in as a mapping.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from fetcher.errors import UsageError
from fetcher.secret import Secret
from fetcher.settings.fields import CommandSettings, Settings
from fetcher.settings.sources import (
    Layer,
    from_config,
    from_env_file,
    from_environment,
    from_flags,
    from_secrets_file,
    merged_params,
)


class Loaded(NamedTuple):
    """What `load` found."""

    settings: CommandSettings
    origins: dict[str, str]
    """Setting's name → where its value came from, as `flag --qps`, `environment FETCHER_QPS`, `fetcher.toml`; defaults
    are not in it."""
    warnings: tuple[str, ...]
    """Sentences for the user; none of them contains a secret."""


def load(
    flags: Mapping[str, Any] | None = None, *, environ: Mapping[str, str] | None = None, folder: Path | None = None
) -> Loaded:
    """Find the settings.

    Args:
        flags: setting's name → the text (or list of texts, or True) that an option gave.
        environ: variables; the process's own when None.
        folder: where `.env` and `fetcher.toml` are looked for; the working folder when None.

    Raises:
        UsageError: a value is not possible, a key is unknown, a named file is missing or open to others. The sentence
            says where the value came from and never repeats a secret.
    """
    flags = flags or {}
    folder = folder or Path()
    layers = [
        from_flags(flags),
        from_environment(os.environ if environ is None else environ),
        from_env_file(folder, flags.get("env_file")),
        from_config(folder, flags.get("config")),
    ]
    if flags.get("secrets"):
        allow_open = next((each.values[_ALLOW] for each in layers if _ALLOW in each.values), False)
        layers.insert(1, from_secrets_file(folder / flags["secrets"], allow_open=allow_open))
    return _merged(layers)


_ALLOW = "allow_open_secrets"


def _merged(layers: list[Layer]) -> Loaded:
    """The first layer that names a setting wins; extra parameters are merged name by name."""
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for layer in reversed(layers):
        values.update(layer.values)
        origins.update(layer.origins)
    if "params" in values:
        values["params"] = merged_params(layers)
        origins["params"] = ", ".join(each.origins["params"] for each in layers if "params" in each.origins)
    warnings = tuple(warning for layer in layers for warning in layer.warnings)
    return Loaded(CommandSettings(**values), origins, warnings)


def require_credentials(settings: Settings) -> tuple[str, Secret]:
    """App key and app secret.

    Raises:
        UsageError: one of them is missing; the advice says how to give it.
    """
    if settings.app_key and settings.app_secret:
        return settings.app_key, settings.app_secret
    if settings.keys and not (settings.app_key or settings.app_secret):
        return settings.keys[0].app_key, settings.keys[0].app_secret
    missing = [
        variable
        for variable, value in (("FETCHER_APP_KEY", settings.app_key), ("FETCHER_APP_SECRET", settings.app_secret))
        if not value
    ]
    what = {"FETCHER_APP_KEY": "app key", "FETCHER_APP_SECRET": "app secret"}
    raise UsageError(
        f"there is no {' and no '.join(what[each] for each in missing)}: {' and '.join(missing)} "
        f"{'is' if len(missing) == 1 else 'are'} not set",
        "\n".join(
            [
                *(f"export {each}=…" for each in missing),
                "or write them into .env, or into fetcher.toml (`fetcher init` makes one).",
                "To try without an account: fetcher run --sandbox",
            ]
        ),
    )
