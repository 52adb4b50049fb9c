"""Kinds of settings that are URLs, and which hosts are this machine. It must not know who connects to them."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import SplitResult, unquote, urlsplit

from fetcher.secret import Secret
from fetcher.settings.kinds import Text, shown

REDIS_SCHEMES: Final = ("redis", "rediss")
PROXY_SCHEMES: Final = ("http", "https", "socks5", "socks5h")


class GatewayUrl(Text):
    """An http or https URL without user, query or fragment; kept without a slash at its end."""

    def __init__(self) -> None:
        super().__init__("URL")

    def check(self, value: Any) -> str:
        url = super().check(value)
        parts = _split(url)
        if parts.username is not None or parts.password is not None:
            raise ValueError("must not contain a user name or password (the value is not shown)")
        if parts.scheme not in ("http", "https"):
            raise ValueError(f"must begin with https://, not {shown(url)}")
        if not url.isascii() or " " in url or "\\" in url:
            raise ValueError(f"must be a plain URL, not {shown(url)}")
        if parts.query or parts.fragment or url.endswith(("?", "#")):
            raise ValueError("must end with its path: '?' and '#' have no place in it")
        return url.rstrip("/")


class ProxyUrl(Text):
    """A proxy's URL. It may carry a password, so messages never repeat it."""

    def __init__(self) -> None:
        super().__init__("URL")

    def check(self, value: Any) -> str:
        url = super().check(value)
        if _split(url).scheme not in PROXY_SCHEMES:
            schemes = ", ".join(f"{scheme}://" for scheme in PROXY_SCHEMES)
            raise ValueError(f"must begin with one of {schemes} (the value is not shown)")
        return url


class SharePlace(Text):
    """A file's path, or a Redis's URL, which may carry a password: so messages repeat no URL."""

    def __init__(self) -> None:
        super().__init__("WHERE")

    def check(self, value: Any) -> str:
        where = super().check(value)
        if "://" not in where:
            return where
        parts = _split(where)
        if parts.scheme not in REDIS_SCHEMES:
            raise ValueError("must be a file's path, redis://host or rediss://host (the value is not shown)")
        if "password" in parts.query or parts.fragment:
            raise ValueError("has its password in the wrong place: redis://:password@host (the value is not shown)")
        return where


def _split(url: str) -> SplitResult:
    """The parts of a URL that has a host and a sound port. No message repeats the URL: it may hold a password."""
    try:
        parts = urlsplit(url)
        sound = bool(parts.hostname) and parts.port != 0  # .port raises for what is none
    except ValueError:
        sound = False
    if not sound:
        raise ValueError("must be a whole URL, such as https://host:port/path (the value is not shown)")
    return parts


def url_password(url: str) -> Secret | None:
    """The password in a URL, so that redactors can learn it."""
    password = urlsplit(url).password
    return Secret(unquote(password)) if password else None


def environment_proxy_passwords() -> list[Secret]:
    """The passwords in the proxies that the environment names."""
    from urllib.request import getproxies  # loads an HTTP client

    found = []
    for url in getproxies().values():
        try:
            found.append(url_password(url))
        except ValueError:  # no URL at all: whoever connects will say so
            continue
    return [password for password in found if password is not None]


def is_loopback(url: str) -> bool:
    """Whether the URL's host is this machine by its name: `localhost`, `127.0.0.0/8`, `::1`. Nothing is looked up."""
    from ipaddress import ip_address

    host = (urlsplit(url).hostname or "").rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
