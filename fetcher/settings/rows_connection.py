"""Rows of the table: the way to the gateway, and what is tried again."""

from __future__ import annotations

from typing import Final

from fetcher.settings.groups import CONNECTION, RETRIES
from fetcher.settings.kinds import Choice, Flag, Number, PathText
from fetcher.settings.table import rows, setting
from fetcher.settings.urls import ProxyUrl

_SECONDS: Final = Number(above=0, most=86_400, metavar="S")
_MAX_BODY: Final = Number(least=1024, most=2**31, whole=True, metavar="BYTES")


@rows
class ConnectionRows:
    """A part of `Settings`."""

    timeout_s: float = setting(30.0, (CONNECTION, "seconds for one attempt, connect to last byte", _SECONDS))
    connect_timeout_s: float = setting(5.0, (CONNECTION, "seconds for making a connection", _SECONDS), flag=False)
    proxy: str | None = setting(
        None, (CONNECTION, "proxy to go through; none is taken by itself", ProxyUrl()), show=False
    )
    trust_env: bool = setting(False, (CONNECTION, "take the proxy from HTTPS_PROXY and the like", Flag()))
    transport: str = setting("auto", (CONNECTION, "the HTTP engine", Choice("auto", "fast", "httpx")))
    http2: bool = setting(False, (CONNECTION, "speak HTTP/2 (needs the extra http2)", Flag()))
    ca_file: str | None = setting(None, (CONNECTION, "certificates to trust, PEM; unset: the usual ones", PathText()))
    max_body_bytes: int = setting(64 * 2**20, (CONNECTION, "longest answer taken, inflated", _MAX_BODY), flag=False)

    retries: int = setting(
        4,
        (
            RETRIES,
            "further attempts after a passing failure; throttling does not count",
            Number(least=0, most=1000, whole=True),
        ),
    )
    paid_retries: int = setting(
        2,
        (
            RETRIES,
            "further attempts after a call that was sent and never answered, so may be charged",
            Number(least=0, most=1000, whole=True),
        ),
    )
    max_outage_s: float = setting(
        900.0,
        (RETRIES, "seconds that an outage may last before the run ends, resumable", _SECONDS),
        flag="--max-outage",
    )
    stall_timeout_s: float = setting(
        300.0,
        (RETRIES, "seconds without any movement, known waits aside, until the run ends as defective", _SECONDS),
        flag="--stall-timeout",
    )
