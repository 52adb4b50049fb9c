"""Tokens of a job: one of its nodes renews them for all, on the board; the driver keeps them where the user does.

A renewal makes the former token worthless at some gateways, so a hundred shards must not renew a hundred times. Tokens
go from memory to memory, as all secrets here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final, Protocol

import msgspec

from fetcher.cluster.board import Order
from fetcher.errors import OutputError
from fetcher.run import Kept, TokenFile, entry_of, kept_of
from fetcher.settings import CommandSettings, require_credentials, settings_of_keys

LOOK_AGAIN_S: Final = 0.1

log = logging.getLogger("fetcher.cluster")


class TokenLink(Protocol):
    """The board, seen from a node. See `Board`."""

    def tokens(self, app_key: str) -> bytes: ...

    def keep_tokens(self, app_key: str, tokens: bytes) -> None: ...

    async def lock_tokens(self, app_key: str, shard: int, attempt: int) -> bool: ...

    def unlock_tokens(self, app_key: str) -> None: ...


class BoardTokens:
    """A `run.TokenPlace` on the board.

    Args:
        link: to it.
        order: whose try this is: the lock of one that is lost is nobody's.
    """

    def __init__(self, link: TokenLink, order: Order) -> None:
        self._link, self._order = link, order

    def read(self, app_key: str) -> Kept:
        """See `TokenPlace`."""
        return decoded(app_key, self._link.tokens(app_key))

    def write(self, kept: Kept) -> None:
        """See `TokenPlace`."""
        self._link.keep_tokens(kept.app_key, encoded(kept))

    @asynccontextmanager
    async def locked(self, app_key: str) -> AsyncIterator[None]:
        """See `TokenPlace`."""
        order = self._order
        while not await self._link.lock_tokens(app_key, order.shard, order.attempt):  # noqa: ASYNC110  (no bell there)
            await asyncio.sleep(LOOK_AGAIN_S)
        try:
            yield
        finally:
            self._link.unlock_tokens(app_key)


def encoded(kept: Kept) -> bytes:
    """For the board."""
    return msgspec.json.encode(entry_of(kept))


def decoded(app_key: str, tokens: bytes) -> Kept:
    """What `encoded` made; of nothing, empty ones."""
    return kept_of(app_key, msgspec.json.decode(tokens)) if tokens else Kept(app_key)


def tokens_of(settings: CommandSettings) -> dict[str, bytes]:
    """What the user's token file holds, for the board.

    Raises:
        UsageError: it is open to others, or none of ours.
    """
    if settings.token_file is None:
        return {}
    file = TokenFile(settings.token_file)
    found = {}
    for app_key in app_keys(settings):
        kept = file.read(app_key)
        if kept.access is not None or kept.refresh is not None:
            found[app_key] = encoded(kept)
    return found


def keep(settings: CommandSettings, renewed: Mapping[str, bytes]) -> None:
    """What nodes have renewed, into the user's token file if there is one. That it cannot be written ends nothing."""
    if settings.token_file is None or not renewed:
        return
    file = TokenFile(settings.token_file)

    async def write() -> None:
        async with file.locked():
            for app_key, tokens in renewed.items():
                file.write(decoded(app_key, tokens))

    try:
        asyncio.run(write())
    except OutputError as error:
        log.warning("%s; the new token lives as long as this job", error)


def app_keys(settings: CommandSettings) -> list[str]:
    """Of all keys."""
    return [require_credentials(own)[0] for _, own in settings_of_keys(settings)]
