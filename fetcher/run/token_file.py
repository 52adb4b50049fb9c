"""The file in which tokens are kept between runs: JSON, readable by its owner alone, replaced as a whole.

Several runs on one host share it: whoever finds the token too old takes the lock, looks whether another has renewed it
meanwhile, and only then renews it.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec

from fetcher.errors import OutputError, UsageError
from fetcher.secret import Secret
from fetcher.settings import CommandSettings, settings_of_keys

LOOK_AGAIN_S: Final = 0.05
MAX_BYTES: Final = 65_536


class Kept(msgspec.Struct, frozen=True):
    """Tokens of one app, and how long they are good. Milliseconds since 1970 UTC; None: not known."""

    app_key: str
    access: Secret | None = None
    refresh: Secret | None = None
    access_until_ms: int | None = None
    renew_at_ms: int | None = None
    refresh_until_ms: int | None = None


class TokenPlace(Protocol):
    """Where those who use one app's tokens find the newest, and take turns to renew them."""

    def read(self, app_key: str) -> Kept:
        """The tokens of this app; empty ones if there are none here."""
        ...

    def write(self, kept: Kept) -> None:
        """Put these in place of the app's old ones. Raises `OutputError`."""
        ...

    def locked(self, app_key: str) -> AbstractAsyncContextManager[None]:
        """Alone with that app's tokens, inside; may wait. Raises `OutputError`."""
        ...


class TokenFile:
    """One file. Reading and writing are quick; `locked` may wait for another run."""

    def __init__(self, path: str) -> None:
        self.path = Path(os.path.realpath(path))
        self._lock_path = self.path.with_name(f".{self.path.name}.lock")

    def read(self, app_key: str) -> Kept:
        """The tokens of this app; empty ones if the file is not there or has none of it.

        Raises:
            UsageError: others can read the file, or it is none of ours.
        """
        try:
            with self.path.open("rb") as file:
                mode = os.fstat(file.fileno()).st_mode
                raw = file.read(MAX_BYTES)
        except FileNotFoundError:
            return Kept(app_key)
        except OSError as error:
            raise UsageError(f"the token file {self.path} cannot be read: {error.strerror}") from error
        if os.name == "posix" and stat.S_ISREG(mode) and mode & (stat.S_IRGRP | stat.S_IROTH):
            raise UsageError(
                f"{self.path} holds tokens and others can read it", f"Make it yours alone: chmod 600 {self.path}"
            )
        entry = self._entries(raw).get(app_key)
        return Kept(app_key) if entry is None else kept_of(app_key, entry)

    def _entries(self, raw: bytes) -> dict[str, Any]:
        try:
            value = json.loads(raw)
        except ValueError:
            value = None
        if not isinstance(value, dict) or not all(isinstance(each, dict) for each in value.values()):
            raise UsageError(
                f"{self.path} is no token file",
                "fetcher login makes one; take the file away, or name another with --token-file.",
            )
        return value

    def write(self, kept: Kept) -> None:
        """Put these tokens in place of the app's old ones; other apps' stay. All or nothing, also in a power cut.

        Raises:
            OutputError: it cannot be written.
        """
        try:
            old = self._entries(self.path.read_bytes()) if self.path.exists() else {}
            old[kept.app_key] = entry_of(kept)
            self._replace(json.dumps(old, indent=1).encode())
        except OSError as error:
            raise OutputError(f"the token file {self.path} cannot be written: {error.strerror}") from error

    def _replace(self, text: bytes) -> None:
        import tempfile

        descriptor, name = tempfile.mkstemp(prefix=f".{self.path.name}.", dir=self.path.parent)  # 0600 by its nature
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(self.path)
        except BaseException:
            with suppress(OSError):
                Path(name).unlink()
            raise

    @asynccontextmanager
    async def locked(self, app_key: str = "") -> AsyncIterator[None]:
        """Alone with the file among all runs of this host. It is a lock on a file beside it, since that is replaced.

        Raises:
            OutputError: the lock's file cannot be made.
        """
        try:
            descriptor = os.open(self._lock_path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
        except OSError as error:
            raise OutputError(f"the token file {self.path} cannot be locked: {error.strerror}") from error
        try:
            while not _try_lock(descriptor):  # noqa: ASYNC110  (another process holds it, and rings no bell)
                await asyncio.sleep(LOOK_AGAIN_S)
            yield
        finally:
            os.close(descriptor)


@contextmanager
def shared_tokens(settings: CommandSettings) -> Iterator[CommandSettings]:
    """Settings with which several processes of one run share their tokens: without a token file of the user's they get
    one for as long as the run lasts, so that one of them renews for all."""
    renewable = any(own.refresh_token is not None for _, own in settings_of_keys(settings) or [("", settings)])
    if not renewable or settings.token_file is not None:
        yield settings
        return
    import tempfile

    with tempfile.TemporaryDirectory(prefix="fetcher-") as folder:  # 0700 by its nature
        yield dataclasses.replace(settings, token_file=str(Path(folder, "tokens.json")))


def _try_lock(descriptor: int) -> bool:
    try:
        import fcntl
    except ImportError:  # Windows: runs that share a file may renew twice there, which harms nothing
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def kept_of(app_key: str, entry: dict[str, Any]) -> Kept:
    """What `entry_of` made."""

    def secret(name: str) -> Secret | None:
        value = entry.get(name)
        return Secret(value) if isinstance(value, str) and value else None

    def moment(name: str) -> int | None:
        value = entry.get(name)
        return value if isinstance(value, int) else None

    return Kept(
        app_key,
        secret("access_token"),
        secret("refresh_token"),
        moment("access_until_ms"),
        moment("renew_at_ms"),
        moment("refresh_until_ms"),
    )


def entry_of(kept: Kept) -> dict[str, Any]:
    """Tokens as plain values, laid open."""
    found: dict[str, Any] = {
        "access_token": kept.access.reveal() if kept.access else None,
        "refresh_token": kept.refresh.reveal() if kept.refresh else None,
        "access_until_ms": kept.access_until_ms,
        "renew_at_ms": kept.renew_at_ms,
        "refresh_until_ms": kept.refresh_until_ms,
    }
    return {name: value for name, value in found.items() if value is not None}
