"""One question outside the stream of IDs: the gateway's time, a token, a single product. Under the caps like any call.

It must not know what is asked.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

from fetcher.errors import UsageError
from fetcher.model import NoReply, Reply, Request
from fetcher.run.assemble import Parts
from fetcher.run.event_loop import SHORTEST_SLEEP_S, sleep_of
from fetcher.run.keys import Key, moment
from fetcher.transport import Connection


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


async def ask(parts: Parts, make: Callable[[], Request], key: Key | None = None) -> Reply | NoReply:
    """Ask once: a connection first, then a permit, then the exchange. Nothing is tried again.

    Args:
        parts: whose connections are used.
        make: the request, made and signed at the moment of sending.
        key: whose caps it falls under; None: the first one's.

    Raises:
        OutputError: it cannot be noted under the caps over longer times, so it was not asked.
    """
    key = key or parts.keys[0]
    while True:
        connection = await parts.transport.ready()
        if isinstance(connection, NoReply):
            return connection
        if not await _permitted(parts, key, connection):
            continue
        if key.pacer.sent(now_s := parts.clock.monotonic_s()):
            break
        key.pacer.returned()  # the slot was leased, and its time is over
        key.asking(parts.clock, -1)
        connection.release()
    for proof in {id(each): each for each in (parts.cap_proof, key.cap_proof)}.values():
        proof.sent(now_s)
    answer = await connection.exchange(make(), parts.settings.timeout_s)
    if isinstance(answer, NoReply) and not answer.sent:
        key.asking(parts.clock, -1)
    return answer


async def _permitted(parts: Parts, key: Key, connection: Connection) -> bool:
    """Take a permit, and count the call under the caps over longer times. False: the connection has gone meanwhile."""
    try:
        while wait_s := _wait_s(parts, key):
            if wait_s == math.inf and key.leasing is not None:
                await key.leasing.fetch_one()
            else:
                await asyncio.sleep(sleep_of(wait_s))
        if not connection.usable():
            connection.release()
            return False
        if parts.quota_book is not None:
            parts.quota_book.starting(key, 1)
    except BaseException:
        connection.release()
        raise
    key.asking(parts.clock)
    key.pacer.take(1, parts.clock.monotonic_s())
    return True


def _wait_s(parts: Parts, key: Key) -> float:
    """Seconds until it may be asked; 0 when it may. Infinity: a slot has to be leased first."""
    now = moment(parts.clock)
    quota_s = 0.0 if key.quotas is None else key.quotas.wait_s(now)
    if quota_s or key.pacer.due(now.monotonic_s) > 0:
        return quota_s
    return max(key.pacer.wait_s(now.monotonic_s), SHORTEST_SLEEP_S)
