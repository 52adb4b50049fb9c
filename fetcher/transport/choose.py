"""Chooses the lane. The fast one by default; httpx for what only httpx does."""

from __future__ import annotations

from typing import TypedDict, Unpack

from fetcher.clock import Clock
from fetcher.errors import UsageError
from fetcher.transport.contract import CONNECT_TIMEOUT_S, MAX_BODY_BYTES, Transport


class Options(TypedDict, total=False):
    """How to connect; what is left out has the default that is named here."""

    connect_timeout_s: float
    """5 seconds."""
    max_body_bytes: int
    """64 MiB, as sent and inflated."""
    ca_file: str | None
    """None: Mozilla's authorities, as certifi ships them."""
    proxy: str | None
    """None. A URL with a scheme; httpx only."""
    trust_env: bool
    """False. Take the environment's proxies; httpx only."""
    http2: bool
    """False; httpx only."""


def open_transport(origin: str, *, clock: Clock, kind: str = "auto", **options: Unpack[Options]) -> Transport:
    """A transport to one origin. Nothing is connected yet.

    Args:
        origin: `https://host[:port]`.
        clock: gives the times of replies.
        kind: `fast`, `httpx`, or `auto`: the fast lane unless an option asks for what only httpx does.
        options: see `Options`.

    Raises:
        UsageError: an option does not fit the lane, a library for it is missing, or the origin is not sound.
    """
    needs_httpx = bool(options.get("proxy") or options.get("trust_env") or options.get("http2"))
    connect_timeout_s = options.get("connect_timeout_s", CONNECT_TIMEOUT_S)
    max_body_bytes = options.get("max_body_bytes", MAX_BODY_BYTES)
    ca_file = options.get("ca_file")
    if kind == "fast" and needs_httpx:
        raise UsageError(
            "the fast transport knows no proxy, no proxy variables and no HTTP/2",
            "Leave out --transport fast, or --proxy, --trust-env and --http2.",
        )
    if kind == "httpx" or (kind == "auto" and needs_httpx):
        from fetcher.transport.httpx_lane import HttpxTransport, default_client

        client = default_client(
            proxy=options.get("proxy"),
            trust_env=options.get("trust_env", False),
            http2=options.get("http2", False),
            ca_file=ca_file,
        )
        return HttpxTransport(
            client,
            origin,
            clock=clock,
            connect_timeout_s=connect_timeout_s,
            max_body_bytes=max_body_bytes,
            owns_client=True,
        )
    if kind not in ("auto", "fast"):
        raise UsageError(f"there is no transport {kind!r}", "There are auto, fast and httpx.")
    from fetcher.transport.fast import FastTransport

    return FastTransport(
        origin, clock=clock, connect_timeout_s=connect_timeout_s, max_body_bytes=max_body_bytes, ca_file=ca_file
    )
