"""Which place a text means: `redis://…` or `rediss://…`, else a file's path."""

from __future__ import annotations

import hashlib

from fetcher.clock import Clock
from fetcher.pacing import LeasePlace
from fetcher.sharing.file_cap import FileCap
from fetcher.sharing.redis_cap import RedisCap


def open_place(where: str, *, app_key: str, origin: str, clock: Clock) -> LeasePlace:
    """The place, ready to be asked.

    Args:
        where: a path, or a URL whose password never leaves it.
        app_key: whose cap it is.
        origin: the gateway's; another gateway has another cap.
        clock: for all times that the place takes and gives.

    Raises:
        UsageError: it cannot be used; the sentence says why and what to do.
    """
    owner = hashlib.sha256(f"{app_key}\n{origin}".encode()).digest()[:16]
    if where.startswith(("redis://", "rediss://")):
        return RedisCap(where, owner, clock)
    return FileCap(where, owner, clock)
