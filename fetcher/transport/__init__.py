"""Carries a signed request to the gateway and brings an answer back, or says how it was lost.

Two lanes behind one contract: the fast one (keep-alive HTTP/1.1, nothing but what the job needs) and any
`httpx.AsyncClient`. The room knows bytes and time; it must not know products, rates or retries: it sends each request
once.

Names come in when they are asked for, so that neither asyncio nor httpx is loaded by a mere import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fetcher.doors import lazy

if TYPE_CHECKING:
    from fetcher.transport.as_httpx import FetcherTransport as FetcherTransport
    from fetcher.transport.choose import Options as Options
    from fetcher.transport.choose import open_transport as open_transport
    from fetcher.transport.contract import MAX_BODY_BYTES as MAX_BODY_BYTES
    from fetcher.transport.contract import Connection as Connection
    from fetcher.transport.contract import Transport as Transport
    from fetcher.transport.fast import FastTransport as FastTransport
    from fetcher.transport.httpx_lane import HttpxTransport as HttpxTransport
    from fetcher.transport.httpx_lane import default_client as default_client

_FILES: Final = {
    "Connection": "contract",
    "FastTransport": "fast",
    "FetcherTransport": "as_httpx",
    "HttpxTransport": "httpx_lane",
    "MAX_BODY_BYTES": "contract",
    "Options": "choose",
    "Transport": "contract",
    "default_client": "httpx_lane",
    "open_transport": "choose",
}

__all__ = [*_FILES]
__getattr__ = lazy(__name__, _FILES)
