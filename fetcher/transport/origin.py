"""An origin: scheme, host and port, and how they are written down in a request."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

import msgspec

from fetcher.errors import UsageError

DEFAULT_PORTS: Final = {"http": 80, "https": 443}


class Origin(msgspec.Struct, frozen=True):
    """Where requests go."""

    scheme: str
    host: str
    """A name in its ASCII form, or an IP address without brackets."""
    port: int

    @property
    def secure(self) -> bool:
        """Whether TLS is spoken."""
        return self.scheme == "https"

    @property
    def authority(self) -> str:
        """The `Host` header (RFC 9110, 7.2): brackets round IPv6, the scheme's own port left out."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}"


def parse_origin(url: str) -> Origin:
    """The origin of a URL; path and query are not looked at.

    Raises:
        UsageError: not http(s), or no sound host and port. The message does not repeat the URL.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        if not host.isascii():
            host = host.encode("idna").decode("ascii")
    except ValueError:  # UnicodeError is one
        host, port = "", None
    if not host or port == 0 or any(sign <= " " for sign in host):
        raise UsageError("the gateway's URL has no sound host and port", "It looks like https://host:port/path.")
    if parts.scheme not in DEFAULT_PORTS:
        raise UsageError("the gateway's URL must begin with https:// or http://", "No other scheme is spoken.")
    return Origin(parts.scheme, host, port or DEFAULT_PORTS[parts.scheme])
