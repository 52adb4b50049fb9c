"""The places that settings come from, each read into a `Layer`: options, variables, `.env`, `fetcher.toml`, secrets.

It must not know which place wins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from fetcher.errors import UsageError
from fetcher.settings.compound import Parameters
from fetcher.settings.fields import FIELDS, field_named
from fetcher.settings.files import Opened, line_of_key, parse_toml, read_settings_file
from fetcher.settings.groups import CREDENTIALS
from fetcher.settings.spelling import did_you_mean
from fetcher.settings.table import PREFIX, Field

CONFIG_NAME: Final = "fetcher.toml"
ENV_NAME: Final = ".env"

_BY_ENV: Final = {row.env: row for row in FIELDS if row.env}
_BY_KEY: Final = {row.key: row for row in FIELDS if row.key}
_CREDENTIALS: Final = {row.key: row for row in FIELDS if row.key and row.group == CREDENTIALS and not row.command_only}
_SANDBOX: Final = PREFIX + "SANDBOX_"
"""Variables that begin so are the sandbox's."""


class Layer:
    """What one place says: checked values and, for each, the words that name its place."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.origins: dict[str, str] = {}
        self.warnings: list[str] = []

    def take(self, row: Field, read: Callable[[Any], Any], raw: Any, origin: str, place: str) -> None:
        """Keep one value.

        Args:
            row: the setting.
            read: `parse` or `accept` of its kind.
            raw: what the place says.
            origin: the place, for a list of origins.
            place: the place as the subject of the sentence that says what is wrong.

        Raises:
            UsageError: the value is not possible.
        """
        try:
            value = read(raw)
        except ValueError as error:
            raise UsageError(f"{place} {error}") from None
        if value is None and row.default is not None:
            raise UsageError(f"{place} must not be empty")
        self.values[row.name] = value
        self.origins[row.name] = origin

    def has_secret(self) -> bool:
        """Whether one of the values is a secret."""
        return any(field_named(name).secret or (name == "keys" and value) for name, value in self.values.items())


def from_flags(flags: Mapping[str, Any]) -> Layer:
    """What the command line gave: texts, lists of texts for what repeats, True for switches."""
    layer = Layer()
    for name, raw in flags.items():
        row = field_named(name)
        origin = f"flag {row.flag or row.name}"
        layer.take(row, row.kind.parse if isinstance(raw, str) else row.kind.accept, raw, origin, origin)
    return layer


def from_environment(environ: Mapping[str, str]) -> Layer:
    """Variables of the process. An empty one counts as not set; one that nearly fits is warned of."""
    layer = Layer()
    for name, text in environ.items():
        row = _BY_ENV.get(name)
        if row is not None and text.strip():
            origin = f"environment {name}"
            layer.take(row, row.kind.parse, text, origin, origin)
        elif row is None:
            layer.warnings += _unknown_variable("environment", name)
    return layer


def from_env_file(folder: Path, named: str | None) -> Layer:
    """`.env`, if there is one, or the file that was named. Only `FETCHER_…` is looked at: others use the file too."""
    layer = Layer()
    path = folder / (named or ENV_NAME)
    if named is None and not path.is_file():
        return layer
    from fetcher.settings.env_file import Unreadable, parse_env

    opened = read_settings_file(path)
    for entry in parse_env(opened.text):
        where = f"{path} line {entry.line}"
        if isinstance(entry, Unreadable):
            if "never closed" in entry.reason:  # all lines after it are swallowed
                raise UsageError(f"{where} {entry.reason}")
            layer.warnings.append(f"{where} {entry.reason}; it is ignored")
        elif entry.key not in _BY_ENV:
            layer.warnings += _unknown_variable(where, entry.key)
        elif entry.value:
            row = _BY_ENV[entry.key]
            layer.take(row, row.kind.parse, entry.value, f"{path} {entry.key}", f"{where}: {entry.key}")
    _warn_if_open(layer, opened)
    return layer


def from_config(folder: Path, named: str | None) -> Layer:
    """`fetcher.toml`, if there is one, or the file that was named. Every key must be known."""
    layer = Layer()
    path = folder / (named or CONFIG_NAME)
    if named is None and not path.is_file():
        return layer
    opened = read_settings_file(path)
    for key, value in parse_toml(opened).items():
        line = line_of_key(opened.text, key)
        where = f"{path} line {line}" if line else str(path)
        if key not in _BY_KEY:
            raise UsageError(
                f"{where}: {key!r} is not a setting{did_you_mean(key, _BY_KEY)}",
                "`fetcher init` writes a file with every key there is.",
            )
        row = _BY_KEY[key]
        layer.take(row, row.kind.accept, value, str(path), f"{where}: {key}")
    _warn_if_open(layer, opened)
    return layer


def from_secrets_file(path: Path, *, allow_open: bool) -> Layer:
    """A file of credentials: TOML if its name ends in `.toml`, else `KEY=VALUE`; keys as in either place.

    Raises:
        UsageError: others can read it, or a line is not a credential.
    """
    layer = Layer()
    opened = read_settings_file(path)
    if opened.open_to_others and not allow_open:
        raise UsageError(
            f"{path} holds secrets and others can read it",
            f"Make it yours alone: chmod 600 {path}\n(FETCHER_ALLOW_OPEN_SECRETS=1 takes it as it is.)",
        )
    for key, value, line in _secret_entries(opened):
        where = f"{path} line {line}" if line else str(path)
        row = _CREDENTIALS.get(key.removeprefix(PREFIX).lower())
        if row is None:
            raise UsageError(f"{where}: {key!r} is not a credential{did_you_mean(key, _CREDENTIALS)}")
        read = row.kind.parse if isinstance(value, str) else row.kind.accept
        layer.take(row, read, value, str(path), f"{where}: {key}")
    return layer


def _secret_entries(opened: Opened) -> Iterable[tuple[str, Any, int | None]]:
    if opened.path.suffix == ".toml":
        for key, value in parse_toml(opened).items():
            yield key, value, line_of_key(opened.text, key)
        return
    from fetcher.settings.env_file import Variable, parse_env

    for entry in parse_env(opened.text):
        if not isinstance(entry, Variable):
            raise UsageError(f"{opened.path} line {entry.line} {entry.reason}", "A line reads: app_secret=…")
        yield entry.key, entry.value, entry.line


def _unknown_variable(where: str, name: str) -> list[str]:
    if not name.startswith(PREFIX) or name.startswith(_SANDBOX):
        return []
    return [f"{where}: {name} is not a setting of fetcher{did_you_mean(name, _BY_ENV)}"]


def _warn_if_open(layer: Layer, opened: Opened) -> None:
    if opened.open_to_others and layer.has_secret():
        layer.warnings.append(f"{opened.path} holds a secret and others can read it: chmod 600 {opened.path}")


def merged_params(layers: Iterable[Layer]) -> tuple[tuple[str, str], ...]:
    """Extra parameters of all layers: the first layer that names one wins; the weakest layer's come first."""
    found: dict[str, str] = {}
    for layer in reversed(list(layers)):
        found.update(layer.values.get("params", ()))
    return Parameters().check(found)
