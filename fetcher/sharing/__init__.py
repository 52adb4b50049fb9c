"""Where processes that share one cap meet: a file on this host, or a Redis for several hosts.

It holds what `pacing.SlotBook` keeps and answers one question, `lease`. It must not know what the slots are for.
"""

from __future__ import annotations

from fetcher.sharing.choose import open_place, owner_of
from fetcher.sharing.file_cap import FileCap
from fetcher.sharing.redis_cap import RedisCap

__all__ = ["FileCap", "RedisCap", "open_place", "owner_of"]
