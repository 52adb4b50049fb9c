"""`fetcher apis`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fetcher.gateway import APIS
from tests.cli.conftest import CommandLine

OWN = '[apis.japanese]\nlike = "product-detail"\nparams = { country = "ja" }\nabout = "in Japanese"\nprice = 0.02\n'


def test_all_are_listed_with_what_they_answer(fetcher: CommandLine) -> None:
    """Name, API, ID parameter, batch and token; on stdout."""
    ended = fetcher("apis")
    assert (ended.code, ended.err) == (0, "")
    for api in APIS.values():
        assert f"\n{api.name} " in f"\n{ended.out}"
        assert f"{api.full_name} · {api.id_parameter} · " in ended.out
    assert "up to 50 IDs a call" in ended.out
    assert "also: product-crossborder" in ended.out


def test_ones_own_come_first(fetcher: CommandLine, tmp_path: Path) -> None:
    """From fetcher.toml, or the file that is named."""
    (tmp_path / "fetcher.toml").write_text(OWN)
    assert fetcher("apis").out.startswith("japanese ")
    (tmp_path / "fetcher.toml").rename(tmp_path / "other.toml")
    assert "japanese" not in fetcher("apis").out
    page = fetcher("apis", "japanese", "--config", "other.toml").out
    assert "0.02 a call" in page
    assert '"country":"ja"' in page


@pytest.mark.parametrize("name", [name for name, api in APIS.items() if api.namespace])
def test_one_is_shown_with_a_call_as_it_would_be_sent(fetcher: CommandLine, name: str) -> None:
    """Method, URL, parameters; nothing that could be taken for a signature."""
    out = fetcher("apis", name).out
    assert "\nPOST https://gw.open.1688.com/openapi/param2/1/" in out
    assert "/APP_KEY\n" in out
    assert "_aop_signature=…" in out
    assert f"--api {name}" in out


def test_the_example_follows_the_protocol(fetcher: CommandLine) -> None:
    """The tutorial's call is a GET without the key in its path."""
    out = fetcher("apis", "product", "--protocol", "guide").out
    assert "GET https://gw.open.1688.com/openapi/param2/1/com.alibaba.product/alibaba.product.get\n" in out
    assert "sign=…" in out


def test_programs_get_json(fetcher: CommandLine) -> None:
    """All, or one."""
    every = json.loads(fetcher("apis", "--json").out)
    assert [each["name"] for each in every] == list(APIS)
    one = json.loads(fetcher("apis", "product-batch", "--json").out)
    assert (one["batch"], one["most"], one["id_param"]) == (20, 50, "productIdList")


@pytest.mark.parametrize(
    ("toml", "words", "said"),
    [
        ("", ("prodct",), "did you mean 'product'"),
        ("[apis.mine]\nlike = 1\n", (), "apis.mine.like is wrong"),
        ("apis = 1\n", (), "apis must be tables"),
    ],
)
def test_what_is_wrong_is_said(
    fetcher: CommandLine, tmp_path: Path, toml: str, words: tuple[str, ...], said: str
) -> None:
    """And nothing is printed on stdout."""
    (tmp_path / "fetcher.toml").write_text(toml)
    ended = fetcher("apis", *words)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err
