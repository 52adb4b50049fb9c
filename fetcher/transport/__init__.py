"""Carries a signed request to the gateway and brings an answer back, or says how it was lost.

Two lanes behind one contract: the fast one (keep-alive HTTP/1.1, nothing but what the job needs) and any
`httpx.AsyncClient`. The room knows bytes and time; it must not know products, rates or retries: it sends each request
once.

Names come in when they are asked for, so that neither asyncio nor httpx is loaded by a mere import.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from fetcher.transport.contract import MAX_BODY_BYTES, Connection, Transport

if TYPE_CHECKING:
    from fetcher.transport.as_httpx import FetcherTransport
    from fetcher.transport.choose import Options, open_transport
    from fetcher.transport.fast import FastTransport
    from fetcher.transport.httpx_lane import HttpxTransport, default_client

_LAZY: Final = {
    "FastTransport": "fast",
    "FetcherTransport": "as_httpx",
    "HttpxTransport": "httpx_lane",
    "Options": "choose",
    "default_client": "httpx_lane",
    "open_transport": "choose",
}


def __getattr__(name: str) -> Any:
    """PEP 562: load a public name's file at its first use."""
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
    globals()[name] = value
    return value


__all__ = [
    "MAX_BODY_BYTES",
    "Connection",
    "FastTransport",
    "FetcherTransport",
    "HttpxTransport",
    "Options",
    "Transport",
    "default_client",
    "open_transport",
]
