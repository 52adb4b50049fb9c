"""Types that admit clean answers and nothing else: the decoder refuses any word about an error and any unusual form.

The decoder checks the grammar of the whole document and builds only the envelope (1–7 µs for 4 KB). Fields have names
of our own making, whatever they are called in the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any, Final, Literal, TypeAlias

import msgspec

from fetcher.gateway.api import Path

Nothing: TypeAlias = Literal[""] | None
Success: TypeAlias = bool | Literal["true", "True", "1", 1] | None
Id: TypeAlias = int | str | None

BROKEN: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What a decoder raises for a document that is not of its type."""


class Level(msgspec.Struct, gc=False):
    """An object of the envelope: where errors would be told. `success` may be False: the decoder cannot refuse it."""

    success: Success = None
    error_response: Nothing = None
    error_code: Nothing = None
    error_message: Nothing = None
    exception: Nothing = None
    error: Nothing = None
    errorCode: Nothing = None
    errorMessage: Nothing = None
    errorMsg: Nothing = None
    extErrorMessage: Nothing = None
    errMsg: Nothing = None


def way_type(path: Path, leaf: Any, empty: Iterable[str] = ()) -> Any:
    """A type that admits a clean answer in which something of type `leaf` stands at `path`, or nothing.

    Args:
        path: names from the outside in.
        leaf: what stands there.
        empty: names beside the first that must hold nothing.
    """
    kind = leaf
    for name in reversed(path[1:]):
        kind = _struct([(name, kind | None)], (Level,))
    beside = [(name, type(None)) for name in dict.fromkeys(empty) if name != path[0]]
    return _struct([(path[0], kind | None), *beside], (Level,))


def way_reader(path: Path) -> Callable[[Any], Any]:
    """Reads what stands at `path` in an object of `way_type`; None where it, or what it stands in, is not there, or
    where an object on the way says `success: false`."""
    steps = len(path)
    if steps == 1:
        return lambda answer: None if answer.success is False else answer.f0
    flags = attrgetter("success", *(f"{_FIRST * depth}success" for depth in range(1, steps)))
    thing = attrgetter((_FIRST * steps).removesuffix("."))

    def read(answer: Any) -> Any:
        try:
            return None if False in flags(answer) else thing(answer)
        except AttributeError:
            return None

    return read


def ids_type(paths: Sequence[Path], bases: tuple[type, ...] = ()) -> Any:
    """A type of objects that say their ID at one of `paths`."""
    deeper = {name: [path[1:] for path in paths if path[0] == name and len(path) > 1] for name in _first_names(paths)}
    return _struct([(name, ids_type(more) | None if more else Id) for name, more in deeper.items()], bases)


def id_reader(paths: Sequence[Path]) -> Callable[[Any], Id]:
    """Reads the ID of an object of `ids_type`: the first that is there."""
    readers = [attrgetter(".".join(_fields_of(paths, path))) for path in paths]

    def read(thing: Any) -> Id:
        for reader in readers:
            try:
                found: Id = reader(thing)
            except AttributeError:
                continue
            if found is not None:
                return found
        return None

    return read


_FIRST: Final = "f0."


def _first_names(paths: Sequence[Path]) -> list[str]:
    return list(dict.fromkeys(path[0] for path in paths))


def _fields_of(paths: Sequence[Path], path: Path) -> list[str]:
    """The names of our own that lead where `path` does."""
    here = f"f{_first_names(paths).index(path[0])}"
    deeper = [other[1:] for other in paths if other[0] == path[0] and len(other) > 1]
    return [here, *(_fields_of(deeper, path[1:]) if len(path) > 1 else [])]


def _struct(fields: Sequence[tuple[str, Any]], bases: tuple[type, ...]) -> Any:
    own = [(f"f{number}", kind, None) for number, (_, kind) in enumerate(fields)]
    names = {f"f{number}": name for number, (name, _) in enumerate(fields)}
    return msgspec.defstruct("Clean", own, bases=bases or None, gc=False, rename=names)
