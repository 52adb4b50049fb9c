"""The place of a job's files: a folder, or a URI that fsspec knows (`s3://…`, `gs://…`, `memory://…`).

A name in it is written whole or not at all. It knows names and bytes, not what a job is. fsspec is imported only when a
URI is given; the nodes of the cluster have the rights to the place by themselves, none are handed to them here.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol

from fetcher.errors import FetcherError, OutputError, UsageError

BLOCK_BYTES: Final = 1 << 20
_URI: Final = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)
_FLAT: Final = frozenset({"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "oss", "oci", "memory"})
"""These have no folders; asked for one, their libraries would make a bucket of a name that was mistyped."""
_USER: Final = re.compile(r"(://)[^/@\s]*@")


class Store(Protocol):
    """Names are relative, with `/`. Every method raises `OutputError` where the place refuses."""

    place: str
    """As the user named it, without a password."""
    is_local: bool

    def names(self, folder: str) -> list[str]:
        """Of the files right in this folder, without it; none where it does not exist."""
        ...

    def has(self, name: str) -> bool:
        """Whether it is there."""
        ...

    def read(self, name: str, start: int = 0, end: int | None = None) -> bytes:
        """The bytes from `start` up to `end`. Raises `FileNotFoundError` where there is none."""
        ...

    def write(self, name: str, data: bytes) -> None:
        """All of it or nothing, in place of what was there."""
        ...

    def put(self, path: str, name: str) -> None:
        """A file of this machine becomes `name`. The file may be gone afterwards."""
        ...

    def get(self, name: str, path: str) -> bool:
        """`name` becomes a file of this machine and may be gone from here. False: there is none."""
        ...

    def copy_to(self, name: str, target: BinaryIO) -> int:
        """Write its bytes to `target`. Returns how many."""
        ...

    def writing(self, name: str) -> AbstractContextManager[BinaryIO]:
        """A stream that becomes `name` when the block ends well."""
        ...

    def remove(self, *names: str) -> None:
        """One that is not there is as good."""
        ...


def is_uri(place: str) -> bool:
    """Whether this is a URI; a path otherwise (`file://…` counts as one)."""
    return bool(_URI.match(place)) and not place.startswith("file://")


def shown(place: str) -> str:
    """The place without the user and password that a URI may carry."""
    return _USER.sub(r"\1", place)


def open_store(place: str) -> Store:
    """The store at `place`; nothing is made yet.

    Raises:
        UsageError: fsspec, or what it needs for this kind of URI, is not installed.
    """
    return RemoteStore(place) if is_uri(place) else LocalStore(place.removeprefix("file://"))


class LocalStore:
    """A folder on a file system that every node sees."""

    is_local = True

    def __init__(self, folder: str) -> None:
        self.place = folder
        self.folder = Path(folder)

    def path(self, name: str) -> Path:
        """Where `name` lies."""
        return self.folder / name

    def names(self, folder: str) -> list[str]:
        """See `Store`."""
        with _told(self.place):
            return sorted(each.name for each in self.path(folder).iterdir()) if self.path(folder).is_dir() else []

    def has(self, name: str) -> bool:
        """See `Store`."""
        return self.path(name).exists()

    def read(self, name: str, start: int = 0, end: int | None = None) -> bytes:
        """See `Store`."""
        with _told(self.place), self.path(name).open("rb") as file:
            file.seek(start)
            return file.read(-1 if end is None else end - start)

    def write(self, name: str, data: bytes) -> None:
        """See `Store`. Durable when it returns."""
        with self.writing(name) as file:
            file.write(data)

    @contextmanager
    def writing(self, name: str) -> Iterator[BinaryIO]:
        """See `Store`. Durable when it returns."""
        with _told(self.place):
            target = self.path(name)
            target.parent.mkdir(parents=True, exist_ok=True)
            descriptor, beside = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".new", dir=target.parent)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    yield file
                    file.flush()
                    os.fsync(file.fileno())
                Path(beside).chmod(0o666 & ~_umask())
                self._move(Path(beside), target)
            except BaseException:
                Path(beside).unlink(missing_ok=True)
                raise

    def put(self, path: str, name: str) -> None:
        """See `Store`: moved where both are on one file system. Durable when it returns."""
        with _told(self.place):
            source, target = Path(path), self.path(name)
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.stat().st_dev != target.parent.stat().st_dev:
                beside = target.with_name(f".{target.name}.new")
                shutil.copyfile(source, beside)
                source = beside
            _sync(source)
            self._move(source, target)

    def get(self, name: str, path: str) -> bool:
        """See `Store`."""
        with _told(self.place):
            if not self.has(name):
                return False
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            shutil.move(self.path(name), path)
            return True

    def copy_to(self, name: str, target: BinaryIO) -> int:
        """See `Store`."""
        with _told(self.place), self.path(name).open("rb") as file:
            return _pour(file, target)

    def remove(self, *names: str) -> None:
        """See `Store`."""
        with _told(self.place):
            for name in names:
                self.path(name).unlink(missing_ok=True)

    def _move(self, source: Path, target: Path) -> None:
        source.replace(target)
        _sync(target.parent)


class RemoteStore:
    """Anything that fsspec opens. Object stores show an object only when all of it is there."""

    is_local = False

    def __init__(self, uri: str) -> None:
        try:
            import fsspec
        except ImportError:
            raise UsageError(
                f"{shown(uri)} needs the library fsspec, which is not installed", "pip install 'fetcher[remote]'"
            ) from None
        self.place = shown(uri)
        try:
            self.fs, self._root = fsspec.core.url_to_fs(uri)
        except (ImportError, ValueError) as error:
            raise UsageError(f"{self.place} cannot be used: {error}", "install what fsspec names") from None
        self._root = str(self._root).rstrip("/")

    def _at(self, name: str) -> str:
        return f"{self._root}/{name}" if name else self._root

    def names(self, folder: str) -> list[str]:
        """See `Store`."""
        with _told_by_any(self.place):
            self.fs.invalidate_cache()
            try:
                found = self.fs.ls(self._at(folder), detail=True)
            except FileNotFoundError:
                return []
            return sorted(str(each["name"]).rpartition("/")[2] for each in found if each["type"] == "file")

    def has(self, name: str) -> bool:
        """See `Store`."""
        with _told_by_any(self.place):
            self.fs.invalidate_cache()
            return bool(self.fs.exists(self._at(name)))

    def read(self, name: str, start: int = 0, end: int | None = None) -> bytes:
        """See `Store`."""
        with _told_by_any(self.place):
            data: bytes = self.fs.cat_file(self._at(name), start=start or None, end=end)
            return data

    def write(self, name: str, data: bytes) -> None:
        """See `Store`."""
        with _told_by_any(self.place, writing=True):
            self._prepare(name)
            self.fs.pipe_file(self._at(name), data)

    def put(self, path: str, name: str) -> None:
        """See `Store`."""
        with _told_by_any(self.place, writing=True):
            self._prepare(name)
            self.fs.put_file(path, self._at(name))

    def get(self, name: str, path: str) -> bool:
        """See `Store`."""
        if not self.has(name):
            return False
        with _told_by_any(self.place):
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            self.fs.get_file(self._at(name), path)
        return True

    def copy_to(self, name: str, target: BinaryIO) -> int:
        """See `Store`."""
        with _told_by_any(self.place), self.fs.open(self._at(name), "rb") as file:
            return _pour(file, target)

    @contextmanager
    def writing(self, name: str) -> Iterator[BinaryIO]:
        """See `Store`."""
        with _told_by_any(self.place, writing=True):
            self._prepare(name)
            file = self.fs.open(self._at(name), "wb", autocommit=False)
            try:
                yield file
            except BaseException:
                file.close()
                file.discard()  # closing alone would publish half of it
                raise
            file.close()
            file.commit()

    def remove(self, *names: str) -> None:
        """See `Store`."""
        with _told_by_any(self.place):
            for name in names:
                try:
                    self.fs.rm_file(self._at(name))
                except FileNotFoundError:
                    continue

    def _prepare(self, name: str) -> None:
        if not _FLAT.intersection([self.fs.protocol] if isinstance(self.fs.protocol, str) else self.fs.protocol):
            self.fs.makedirs(self._at(name).rpartition("/")[0], exist_ok=True)


def _pour(source: Any, target: BinaryIO) -> int:
    count = 0
    while block := source.read(BLOCK_BYTES):
        target.write(block)
        count += len(block)
    return count


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@contextmanager
def _told(place: str) -> Iterator[None]:
    """What the file system refuses, as our own error. A name that is not there is the caller's affair."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise OutputError(f"{place}: {error.strerror or error}", _GO_ON) from None


@contextmanager
def _told_by_any(place: str, *, writing: bool = False) -> Iterator[None]:
    """The same, where each kind of URI has exceptions of its own library."""
    try:
        yield
    except FetcherError:
        raise
    except FileNotFoundError as error:
        if not writing:
            raise
        raise OutputError(f"{place} is not there: {error.strerror or error}", "make the bucket first") from None
    except Exception as error:  # noqa: BLE001 - botocore's, gcsfs's, aiohttp's: nothing in common
        raise OutputError(f"{place}: {type(error).__name__}: {error}", _GO_ON) from None


_GO_ON: Final = "what was committed stands and nothing is lost: repair it, then run the same command again"
