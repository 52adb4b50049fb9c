"""What a row of the settings table is, and how one is written. The rows themselves stand in `fields`."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, NamedTuple, TypeVar, dataclass_transform

from fetcher.settings.kinds import Kind, SecretText

PREFIX: Final = "FETCHER_"
"""With what the names of environment variables begin."""


class Field(NamedTuple):
    """One row of the table."""

    name: str
    default: Any
    kind: Kind
    help: str
    """A phrase without a full stop, as help and template show it."""
    group: str
    flag: str | None
    """`--qps`; None where there is no option (secrets, fine tuning)."""
    short: str | None
    """`-q`."""
    env: str | None
    """`FETCHER_QPS`; None where a variable would surprise: what belongs to a single run."""
    key: str | None
    """Key of `fetcher.toml`; None for what a file must not say."""
    command_only: bool
    """Not part of `Settings`: only the command line needs it."""
    private: bool
    """Never shown: a secret, or something that may carry one."""

    @property
    def secret(self) -> bool:
        """Whether the value must never be an argument, nor be shown."""
        return isinstance(self.kind, SecretText)

    @property
    def unit(self) -> str:
        """Unit of the number, from the name's ending: `s`, `bytes` or none."""
        ending = self.name.rpartition("_")[2]
        return ending if ending in ("s", "bytes") else ""


class Row(NamedTuple):
    """What a field's definition adds to its name, type and default."""

    group: str
    help: str
    kind: Kind
    flag: bool | str
    short: str | None
    env: bool
    key: bool | str


def setting(
    default: Any,
    row: tuple[str, str, Kind],
    *,
    flag: bool | str = True,
    short: str | None = None,
    env: bool = True,
    key: bool | str = True,
    show: bool = True,
) -> Any:
    """One row of the table, as a dataclass field.

    Args:
        default: the value when nobody says anything.
        row: group, help and kind.
        flag: whether there is an option; its text where it does not follow from the name.
        short: a one-letter option.
        env: whether there is an environment variable.
        key: whether `fetcher.toml` may say it; the key where it does not follow from the name.
        show: False where the value may carry a secret.
    """
    return dataclasses.field(default=default, repr=show, metadata={"row": Row(*row, flag, short, env, key)})


def rows_of(record: type[Any], command_only: frozenset[str]) -> tuple[Field, ...]:
    """The table's rows, read from the record's fields in their order."""
    return tuple(_as_field(each, each.name in command_only) for each in dataclasses.fields(record))


def _as_field(field: dataclasses.Field[Any], command_only: bool) -> Field:
    """A dataclass field as a row. Outside, names have no unit: `timeout_s` is `--timeout` and `timeout`."""
    row: Row = field.metadata["row"]
    plain = field.name.removesuffix("_s")
    key = row.key if isinstance(row.key, str) else plain
    flag = row.flag if isinstance(row.flag, str) else "--" + plain.replace("_", "-")
    return Field(
        name=field.name,
        default=field.default,
        kind=row.kind,
        help=row.help,
        group=row.group,
        flag=flag if row.flag else None,
        short=row.short,
        env=PREFIX + key.upper() if row.env else None,
        key=key if row.key else None,
        command_only=command_only,
        private=not field.repr or isinstance(row.kind, SecretText),
    )


_Kept = TypeVar("_Kept", covariant=True)
_Given = TypeVar("_Given", contravariant=True)


class Converted(Generic[_Kept, _Given]):
    """Tells type checkers that a field takes more types than it keeps: `str` for a `Secret`. No object of it exists."""

    if TYPE_CHECKING:

        def __get__(self, owner: object, of: type) -> _Kept: ...
        def __set__(self, owner: object, value: _Given) -> None: ...


_Record = TypeVar("_Record")


@dataclass_transform(kw_only_default=True)
def record(cls: type[_Record]) -> type[_Record]:
    """A frozen, keyword-only dataclass. (Said this way as mypy overlooks `Converted` in one that it knows frozen.)"""
    return dataclass(frozen=True, kw_only=True)(cls)


@dataclass_transform(kw_only_default=True)
def rows(cls: type[_Record]) -> type[_Record]:
    """Fields for a `record` to inherit; no object of it is made, so it gets none of a record's methods."""
    return dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False, match_args=False)(cls)
