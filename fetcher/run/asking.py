"""One question outside the stream of IDs: the gateway's time, a token, a single product. Under the cap like any call.

It must not know what is asked.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Final

from fetcher.errors import UsageError
from fetcher.model import NoReply, Reply, Request
from fetcher.run.assemble import Parts
from fetcher.transport import Connection

SHORTEST_SLEEP_S: Final = 0.001
LONGEST_SLEEP_S: Final = 0.25


def unreached(parts: Parts, detail: str) -> UsageError:
    """What to say where no call got as far as the gateway; with a proxy, it may be that which is not there."""
    settings, way, look_at = parts.settings, "", "--gateway; a proxy has to be named with --proxy"
    if settings.proxy is not None:
        way, look_at = " through the proxy", "--proxy"
    elif settings.trust_env:
        way, look_at = (
            ", by a proxy if the environment names one",
            "--gateway; --trust-env takes HTTPS_PROXY and the like",
        )
    return UsageError(f"cannot reach {parts.gateway.origin}{way}: {detail}", f"check the network and {look_at}")


async def ask(parts: Parts, make: Callable[[], Request]) -> Reply | NoReply:
    """Ask once: a connection first, then a permit, then the exchange. Nothing is tried again.

    Args:
        parts: whose cap and connections are used.
        make: the request, made and signed at the moment of sending.
    """
    while True:
        connection = await parts.transport.ready()
        if isinstance(connection, NoReply):
            return connection
        if not await _permitted(parts, connection):
            continue
        if parts.pacer.sent(now_s := parts.clock.monotonic_s()):
            break
        parts.pacer.returned()  # the slot was leased, and its time is over
        connection.release()
    for proof in {id(each): each for each in (parts.cap_proof, parts.keys[0].cap_proof)}.values():
        proof.sent(now_s)
    return await connection.exchange(make(), parts.settings.timeout_s)


async def _permitted(parts: Parts, connection: Connection) -> bool:
    """Take a permit. False: the connection has gone meanwhile, and none was taken."""
    try:
        while True:
            now_s = parts.clock.monotonic_s()
            if parts.pacer.due(now_s) > 0:
                break
            wait_s = parts.pacer.wait_s(now_s)
            if wait_s == math.inf and parts.leasing is not None:
                await parts.leasing.fetch_one()
            else:
                await asyncio.sleep(min(max(wait_s, SHORTEST_SLEEP_S), LONGEST_SLEEP_S))
    except BaseException:
        connection.release()
        raise
    if not connection.usable():
        connection.release()
        return False
    parts.pacer.take(1, now_s)
    return True
