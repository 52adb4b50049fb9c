"""`[[keys]]` in `fetcher.toml`: several credentials, each with a cap of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fetcher.secret import Secret
from fetcher.settings.kinds import AppKey, Kind, Number, PathText, SecretText, Text

_PARTS: Final[dict[str, Kind]] = {
    "name": Text("NAME"),
    "app_key": AppKey("KEY"),
    "app_secret": SecretText(),
    "access_token": SecretText(),
    "refresh_token": SecretText(),
    "token_file": PathText(),
    "qps": Number(above=0, most=1_000_000),
}
_NEEDED: Final = ("app_key", "app_secret")


@dataclass(frozen=True)
class KeyTable:
    """One credential. `name` is what a person reads; without one it is the app key."""

    app_key: str
    app_secret: Secret
    access_token: Secret | None = None
    refresh_token: Secret | None = None
    qps: float | None = None
    """Its cap; None: that of the setting `qps`."""
    token_file: str | None = None
    """Where its tokens are kept; None: in the setting `token_file`'s, which holds those of each app apart."""
    name: str = ""

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """All that must not be shown."""
        return tuple(each for each in (self.app_secret, self.access_token, self.refresh_token) if each is not None)

    def laid_open(self) -> dict[str, str | float]:
        """As a plain table, secrets and all: for another process, from memory to memory."""
        values = {name: getattr(self, name) for name in _PARTS}
        return {
            name: value.reveal() if isinstance(value, Secret) else value
            for name, value in values.items()
            if value is not None
        }


class KeyTables(Kind):
    """A list of tables of credentials. What is wrong with one is said without repeating a secret."""

    def accept(self, value: Any) -> Any:
        return () if value is None else self.check(value)

    def check(self, value: Any) -> tuple[KeyTable, ...]:
        if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
            raise ValueError("must be tables, each headed [[keys]]")
        found = tuple(each if isinstance(each, KeyTable) else _table(each, n) for n, each in enumerate(value, 1))
        for what, texts in (
            ("name", [each.name for each in found]),
            ("app_key", [each.app_key for each in found]),
        ):
            twice = next((text for text in texts if texts.count(text) > 1), None)
            if twice is not None:
                raise ValueError(f"has the {what} {twice} twice: one key has one cap")
        return found

    def toml(self, value: Any) -> str:
        return "[]"


def _table(given: Any, number: int) -> KeyTable:
    if not isinstance(given, Mapping):
        raise ValueError("must be tables, each headed [[keys]]")
    values: dict[str, Any] = {}
    for name, raw in given.items():
        if name not in _PARTS:
            raise ValueError(f"number {number} has {name!r}, which is none of {', '.join(_PARTS)}")
        try:
            values[name] = _PARTS[name].accept(raw)
        except ValueError as error:
            raise ValueError(f"number {number}: {name} {error}") from None
    missing = next((name for name in _NEEDED if values.get(name) is None), None)
    if missing is not None:
        raise ValueError(f"number {number} has no {missing}")
    return KeyTable(**{"name": values["app_key"], **{name: value for name, value in values.items() if value}})
