"""Files of IDs wherever they lie: paths as they are, URIs fetched to this machine first; whether one has changed.

What a line means is `ids`' affair.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Final

from fetcher.cluster.cutting import Opening
from fetcher.cluster.records import ENDINGS
from fetcher.cluster.store import is_uri, open_store, shown
from fetcher.errors import InputError, OutputError, UsageError
from fetcher.gateway import Api
from fetcher.ids import Source, open_source
from fetcher.idset import IdSet
from fetcher.output import read_known
from fetcher.report import iso_time
from fetcher.settings import CommandSettings

_CHANGES_WITH: Final = ("ETag", "etag", "md5Hash", "mtime", "LastModified", "last_modified", "created", "updated")
"""Keys by which the libraries under fsspec tell that a file has changed, most telling first."""


def resolved(places: Sequence[str]) -> list[str]:
    """Every input by name: patterns of URIs spelled out (a shell does that for paths).

    Raises:
        InputError: one is not there.
    """
    found = list[str]()
    for place in places:
        if place == "-":
            raise UsageError(
                "a cluster's job cannot read standard input: it could not go on after a stop", "Name a file."
            )
        if not is_uri(place):
            found.append(place.removeprefix("file://"))
            continue
        fs, path = _opened(place)
        names = sorted(fs.glob(path)) if "*" in path else [path]
        if not names or not fs.exists(names[0]):
            raise InputError(f"there is no file {shown(place)}", "IDS are paths or URIs of files")
        found += [place if name == path else fs.unstrip_protocol(name) for name in names]
    return found


def stamp(place: str) -> str:
    """A text that changes with the file. Raises `InputError` where it is not there."""
    if is_uri(place):
        fs, path = _opened(place)
        try:
            info: dict[str, Any] = fs.info(path)
        except FileNotFoundError:
            raise InputError(f"there is no file {shown(place)}", "IDS are paths or URIs of files") from None
        told = next((f"{key} {info[key]}" for key in _CHANGES_WITH if info.get(key)), "")
        return f"{info.get('size')} bytes, {told}"
    try:
        status = Path(place).stat()
    except OSError as error:
        raise InputError(
            f"{place} cannot be read: {error.strerror or error}", "IDS are paths or URIs of files"
        ) from None
    return f"{status.st_size} bytes, {status.st_mtime_ns}"


def reading_of(settings: CommandSettings) -> dict[str, Any]:
    """The options that say how the input is read: with others it would be another job."""
    names = ("ids_column", "ids_field", "encoding", "limit", "id_param")
    reading = {name: getattr(settings, name) for name in names}
    if settings.known:
        reading |= {"known": [shown(place) for place in settings.known], "skip_fresh_s": settings.skip_fresh_s}
    return reading


def fresh_of(settings: CommandSettings, wall_ms: int, folder: Path) -> IdSet | None:
    """IDs that other files hold (`--known`, `--skip-fresh`); None without them. What is far away is here meanwhile.

    Args:
        settings: of the job.
        wall_ms: now, from which ages are reckoned.
        folder: for files of URIs.

    Raises:
        UsageError: one is missing, or holds no product of ours.
    """
    if not settings.known:
        return None
    age_s = settings.skip_fresh_s
    since = "" if age_s is None else iso_time(wall_ms - round(age_s * 1000))
    paths = list[str]()
    for number, place in enumerate(settings.known):
        (folder / str(number)).mkdir()
        paths += _products_at(place.rstrip("/"), folder / str(number))
    return read_known(paths, since)


def _products_at(place: str, folder: Path) -> list[str]:
    """A file, or the parts of a folder: paths on this machine."""
    if place.endswith(tuple(f".{ending}" for ending in ENDINGS)):
        return [_fetched(place, folder)] if is_uri(place) else [place]
    names = [name for name in open_store(place).names("") if name.startswith("part-") and ".failed." not in name]
    if not names:
        raise UsageError(
            f"there are no parts at {shown(place)}", "--known takes an OUT of an earlier run, or a folder of parts."
        )
    return [_fetched(f"{place}/{name}", folder) if is_uri(place) else f"{place}/{name}" for name in names]


def openings(
    places: Sequence[str], settings: CommandSettings, api: Api, wall_ms: Callable[[], int], folder: Path
) -> Iterator[tuple[str, Opening]]:
    """Name and opening of each input in turn. One that is far away is here while it is read, in `folder`."""
    fresh = fresh_of(settings, wall_ms(), folder)
    for place in places:
        here = _fetched(place, folder) if is_uri(place) else place

        def opening(known: IdSet, limit: int | None, path: str = here) -> Source:
            return open_source(
                path,
                numeric=api.numeric_ids,
                id_parameter=api.id_parameter,
                column=settings.ids_column,
                field=settings.ids_field,
                encoding=settings.encoding,
                limit=limit,
                known=known,
                fresh=fresh,
                wall_ms=wall_ms,
            )

        yield PurePosixPath(shown(place)).name, opening
        if here != place:
            Path(here).unlink(missing_ok=True)


def _fetched(place: str, folder: Path) -> str:
    """The file here, under its own name: it says the format."""
    parent, _, name = place.rpartition("/")
    path = str(folder / name)
    try:
        if not open_store(parent).get(name, path):
            raise InputError(f"there is no file {shown(place)}", "IDS are paths or URIs of files")
    except OutputError as error:
        raise InputError(f"{shown(place)} cannot be read: {error}") from None
    return path


def _opened(place: str) -> tuple[Any, str]:
    open_store(place)  # says in a sentence what is not installed
    import fsspec

    fs, path = fsspec.core.url_to_fs(place)
    return fs, str(path)
