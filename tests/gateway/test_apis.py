"""Presets, full names, and what is said about neither."""

from __future__ import annotations

import pytest

from fetcher.errors import UsageError
from fetcher.gateway import ALIASES, APIS, Family, Form, find_api


@pytest.mark.parametrize("name", list(APIS))
def test_a_preset_is_found_by_its_full_name_too(name: str) -> None:
    """So that its answers are checked for the right ID either way."""
    api = find_api(name)
    whole = find_api("product") if name == "stock" else api
    assert find_api(api.full_name) is whole
    if api.family is Family.AOP:
        assert find_api(f"{api.namespace}/{api.api_name}") is whole
        assert find_api(f"{api.namespace}:{api.api_name}-1") is whole
    assert not {"modify", "update", "add", "create", "delete"} & set(api.api_name.split("."))


def test_any_api_can_be_called_by_its_full_name() -> None:
    """With the ID parameter named; the version is 1 unless given."""
    api = find_api("com.alibaba.x/some.thing.get/2", "thingId")
    assert (api.path, api.id_parameter, api.form, api.numeric_ids) == (
        "2/com.alibaba.x/some.thing.get",
        "thingId",
        Form(),
        False,
    )
    assert find_api("com.alibaba.x/some.thing.get", "thingId").version == "1"
    assert find_api("com.alibaba.product/alibaba.product.get/2", "productID").form == Form()


def test_a_presets_id_parameter_can_be_replaced() -> None:
    """The user knows better."""
    assert find_api("product", "offerId").id_parameter == "offerId"


@pytest.mark.parametrize(
    ("name", "id_param", "words"),
    [
        ("prodct", None, "did you mean 'product'"),
        ("Order-Buyer", None, "did you mean 'order-buyer'"),
        ("qqqqqqqq", None, "no API 'qqqqqqqq'"),
        ("a/b/c/d", "id", "no API"),
        ("a/../b", "id", "no API"),
        ("com.alibaba.x/get", None, "is not a preset"),
        ("product", "bad name&", "not a name"),
    ],
)
def test_what_is_no_api_is_refused_with_help(name: str, id_param: str | None, words: str) -> None:
    """A near preset, or the way to name another."""
    with pytest.raises(UsageError, match=words):
        find_api(name, id_param)


@pytest.mark.parametrize("alias", list(ALIASES))
def test_a_preset_may_have_another_name(alias: str) -> None:
    """What people call it."""
    assert find_api(alias) is APIS[ALIASES[alias]]


def test_a_dotted_name_is_of_the_other_family() -> None:
    """It has no namespace, and its ID parameter must be named too."""
    api = find_api("alibaba.wholesale.goods.get", "id")
    assert (api.family, api.path, api.id_parameter) == (Family.TOP, "alibaba.wholesale.goods.get", "id")
    with pytest.raises(UsageError, match="is not a preset"):
        find_api("alibaba.wholesale.goods.get")
