"""APIs by preset and by full name, and the gateway's URL."""

from __future__ import annotations

import pytest

from fetcher.errors import UsageError
from fetcher.gateway import APIS, Credentials, Gateway, find_api
from fetcher.gateway.dialect import split_url
from fetcher.secret import Secret


def test_presets_are_read_only_calls() -> None:
    """No preset changes anything at the gateway."""
    assert all(
        ".get" in api.api_name or "query" in api.api_name or "productInfo" in api.api_name for api in APIS.values()
    )


def test_any_api_by_its_full_name() -> None:
    """Namespace, name, version; the ID may be any text then."""
    api = find_api("com.alibaba.fenxiao/alibaba.fenxiao.productInfo.get/2", "offerId")
    assert api.path == "2/com.alibaba.fenxiao/alibaba.fenxiao.productInfo.get"
    assert not api.numeric_ids


@pytest.mark.parametrize(
    ("name", "id_param", "hint"), [("produkt", None, "product"), ("a/b", None, "--id-param"), ("a/b c", "x", "presets")]
)
def test_a_wrong_name_is_told_with_advice(name: str, id_param: str | None, hint: str) -> None:
    """Did you mean; which option is missing."""
    with pytest.raises(UsageError) as raised:
        find_api(name, id_param)
    assert hint in raised.value.advice


@pytest.mark.parametrize(
    ("url", "origin", "prefix"),
    [
        ("https://gw.open.1688.com/openapi", "https://gw.open.1688.com", "/openapi"),
        ("http://127.0.0.1:8080/openapi/", "http://127.0.0.1:8080", "/openapi"),
        ("http://[::1]:8080", "http://[::1]:8080", ""),
    ],
)
def test_the_base_url(url: str, origin: str, prefix: str) -> None:
    """Origin and path before the protocol segment."""
    assert split_url(url) == (origin, prefix)


@pytest.mark.parametrize(
    "url", ["gw.open.1688.com", "ftp://h/x", "https://u:p@h/x", "https://h/x?a=1", "https://h:99999/x", "https://"]
)
def test_a_malformed_url_is_refused(url: str) -> None:
    """With a sentence, before anything is sent."""
    with pytest.raises(UsageError):
        Gateway(find_api("product"), "param2", Credentials("1", Secret("s")), url)
