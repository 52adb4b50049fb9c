"""Origins read from URLs and written as Host headers."""

from __future__ import annotations

import pytest

from fetcher.errors import UsageError
from fetcher.transport.origin import parse_origin


@pytest.mark.parametrize(
    ("url", "authority", "port"),
    [
        ("https://gw.open.1688.com", "gw.open.1688.com", 443),
        ("https://gw.open.1688.com:443/openapi", "gw.open.1688.com", 443),
        ("http://gw.open.1688.com:443", "gw.open.1688.com:443", 443),
        ("http://LOCALHOST:8000/x?y", "localhost:8000", 8000),
        ("http://127.0.0.1", "127.0.0.1", 80),
        ("http://[::1]:8000", "[::1]:8000", 8000),
        ("https://[2001:db8::1]", "[2001:db8::1]", 443),
        ("https://例え.jp", "xn--r8jz45g.jp", 443),
    ],
)
def test_the_host_header_is_as_the_standard_has_it(url: str, authority: str, port: int) -> None:
    """Default ports are left out, IPv6 stands in brackets, names are in ASCII."""
    origin = parse_origin(url)
    assert (origin.authority, origin.port) == (authority, port)
    assert str(origin) == f"{url.partition(':')[0]}://{authority}"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "gw.open.1688.com",
        "ftp://host",
        "https://",
        "https://:80",
        "http://host:0",
        "http://host:99999",
        "http://host:port",
        "http://[::1",
        "http://ho st/",
        "http://" + "ä" * 70 + ".de",
    ],
)
def test_what_is_no_origin_is_refused(url: str) -> None:
    """As a mistake of the user, without repeating the URL."""
    with pytest.raises(UsageError) as caught:
        parse_origin(url)
    assert not url or url not in str(caught.value)
