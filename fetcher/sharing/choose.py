"""Which place a text means: `redis://…` or `rediss://…`, else a file's path."""

from __future__ import annotations

import hashlib
from urllib.parse import urlsplit

from fetcher.clock import Clock
from fetcher.pacing import LeasePlace
from fetcher.sharing.file_cap import FileCap
from fetcher.sharing.redis_cap import RedisCap


def open_place(where: str, *, app_key: str, origin: str, clock: Clock) -> LeasePlace:
    """The place, ready to be asked.

    Args:
        where: a path, or a URL whose password never leaves it.
        app_key: whose cap it is.
        origin: the gateway's, `scheme://host[:port]`; another gateway has another cap.
        clock: for all times that the place takes and gives.

    Raises:
        UsageError: it cannot be used; the sentence says why and what to do.
    """
    owner = owner_of(app_key, origin)
    if where.startswith(("redis://", "rediss://")):
        return RedisCap(where, owner, clock)
    return FileCap(where, owner, clock)


def owner_of(app_key: str, origin: str) -> bytes:
    """Whose cap it is, in 16 bytes that show neither.

    The scheme and its own port make no other gateway of it: who calls by `http` and who calls by `https` have one cap.
    """
    parts = urlsplit(origin)
    port = "" if parts.port in (None, {"http": 80, "https": 443}.get(parts.scheme)) else f":{parts.port}"
    return hashlib.sha256(f"{app_key}\n{parts.hostname}{port}".encode()).digest()[:16]
