"""URLs of gateway and proxy: what is refused before anything is sent, and that no password is repeated."""

from __future__ import annotations

import pytest

from fetcher.secret import Secret
from fetcher.settings.urls import GatewayUrl, ProxyUrl, SharePlace, is_loopback, url_password


def test_a_gateway_is_kept_without_its_last_slash() -> None:
    """Paths are put after it."""
    assert GatewayUrl().parse("https://gw.open.1688.com/openapi/") == "https://gw.open.1688.com/openapi"
    assert GatewayUrl().parse("http://127.0.0.1:8600") == "http://127.0.0.1:8600"


@pytest.mark.parametrize(
    "url",
    [
        "gw.open.1688.com",
        "ftp://gw.open.1688.com",
        "https://",
        "https:///openapi",
        "https://host:0/",
        "https://host:99999/",
        "https://host:port/",
        "https://[::1/",
        "https://host/openapi?x=1",
        "https://host/openapi#",
        "https://ho st/",
        "https://例え.jp/",
        "https://host\r\nX: y/",
    ],
)
def test_a_gateway_that_is_none(url: str) -> None:
    """No scheme, no host, a bad port, a query or white space: refused."""
    with pytest.raises(ValueError, match=r"must|contains"):
        GatewayUrl().parse(url)


@pytest.mark.parametrize(
    "url", ["https://user:hunter22@gw/openapi", "ftp://user:hunter22@gw", "https://user:hunter22@gw:x"]
)
def test_a_password_in_a_gateway_is_refused_unseen(url: str) -> None:
    """A user and password have no place in the gateway's URL, and the refusal does not repeat them."""
    with pytest.raises(ValueError, match="must") as caught:
        GatewayUrl().parse(url)
    assert "hunter22" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["http://proxy:3128", "https://u:p@proxy", "socks5://127.0.0.1:1080", "socks5h://[::1]:1"]
)
def test_proxies(url: str) -> None:
    """The schemes of proxies are taken, with a user or without."""
    assert ProxyUrl().parse(url) == url


@pytest.mark.parametrize("url", ["proxy:3128", "ftp://u:hunter22@proxy", "http://u:hunter22@", "http://u:hunter22@h:x"])
def test_a_proxy_that_is_none_is_refused_unseen(url: str) -> None:
    """What is wrong with a proxy is said without repeating its password."""
    with pytest.raises(ValueError, match="not shown") as caught:
        ProxyUrl().parse(url)
    assert "hunter22" not in str(caught.value)


def test_a_proxys_password_can_be_redacted() -> None:
    """It is found, decoded, for redactors."""
    assert url_password("http://u:p%40ss@proxy") == Secret("p@ss")
    assert url_password("http://proxy") is None


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://localhost:1", True),
        ("http://a.localhost", True),
        ("http://LOCALHOST.", True),
        ("http://127.9.9.9", True),
        ("http://[::1]:8600/x", True),
        ("http://127.0.0.1.example.com", False),
        ("http://localhost.example.com", False),
        ("http://192.168.0.1", False),
        ("http://0.0.0.0", False),
    ],
)
def test_which_hosts_are_this_machine(url: str, loopback: bool) -> None:
    """Only loopback addresses and names; names that merely look so are not."""
    assert is_loopback(url) is loopback


@pytest.mark.parametrize("where", ["cap", "/run/fetcher/a.cap", "redis://h", "redis://:pw@h:6380/2", "rediss://u:p@h"])
def test_a_place_to_share_is_a_path_or_a_redis(where: str) -> None:
    """Both are kept as they are."""
    assert SharePlace().parse(where) == where


@pytest.mark.parametrize(
    "where", ["http://u:hunter22@h", "redis://", "redis://u:hunter22@", "redis://h?password=hunter22", "redis://h:x"]
)
def test_a_place_that_is_none_is_refused_unseen(where: str) -> None:
    """What is wrong with it is said without repeating its password."""
    with pytest.raises(ValueError, match="not shown") as caught:
        SharePlace().parse(where)
    assert "hunter22" not in str(caught.value)
