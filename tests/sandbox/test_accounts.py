"""Several apps behind one gateway: each with its own secret, caps, package, permissions and counts."""

from __future__ import annotations

from typing import Any

import pytest

from fetcher.errors import UsageError
from fetcher.sandbox import AppSettings, SandboxSettings
from tests.sandbox.calls import ID, PRODUCT, SITE, refusal, sandbox

SECOND = AppSettings(app_key="2000000", qps=1, usage=3, denied_apis=("com.alibaba.trade/alibaba.trade.get.buyerView",))
OWN = "sandbox-secret-2000000"
ORDER = "com.alibaba.trade/alibaba.trade.get.buyerView"


async def test_each_app_has_its_own_secret_cap_package_and_permissions() -> None:
    """What one does is not held against the other."""
    async with sandbox(apps=(SECOND,), qps=5) as caller:

        async def second(**more: str) -> Any:
            return await caller.call({"productID": ID, **SITE, **more}, key="2000000", secret=OWN)

        assert refusal(await caller.call(key="2000000"))[1] == "gw.SignatureInvalid", "the first app's secret"
        assert (await second()).status_code == 200
        assert refusal(await second())[1] == "gw.QosAppFrequencyLimit"
        assert [(await caller.product()).status_code for _ in range(4)] == [200] * 4
        for each in (1, 2):
            caller.clock.now_s = each
            assert (await second()).status_code == 200
        caller.clock.now_s = 3
        assert refusal(await second()) == (400, "gw.NoUsageLeftError")
        caller.clock.now_s = 4
        order = {"orderId": ID, **SITE}
        assert refusal(await caller.call(order, api=ORDER, key="2000000", secret=OWN))[1] == "gw.APIACLDecline"
        assert (await caller.call(order, api=ORDER)).status_code == 200
        assert refusal(await second(access_token="sandbox-access-token"))[0] == 401, "another app's token"
        keys = caller.app.stats()["keys"]
    assert (keys["2000000"]["calls"], keys["2000000"]["charged"], keys["2000000"]["usage_left"]) == (8, 3, 0)
    assert (keys["1000000"]["calls"], keys["1000000"]["charged"], keys["1000000"]["worst_window"]) == (5, 5, 4)
    assert keys["2000000"]["answers"]["gw.QosAppFrequencyLimit"] == 1


async def test_caps_are_stacked() -> None:
    """All must have room; a fixed minute ends with the clock's, a day at midnight in China."""
    async with sandbox(qps=2, caps=("3/minute", "5/day"), window="fixed") as caller:

        async def through() -> list[str]:
            answers = [(await caller.product()).json() for _ in range(4)]
            return [body.get("error_message", "ok") for body in answers]

        over = "App call exceeds limited frequency"
        assert await through() == ["ok", "ok", over, over]
        caller.clock.now_s = 1
        assert await through() == ["ok", over, over, over]
        caller.clock.now_s = 60
        assert await through() == ["ok", "ok"] + ["Beyond the app call frequency limit"] * 2
        caller.clock.now_s = 24 * 3600
        assert (await caller.product()).status_code == 200


async def test_an_apis_cap_is_its_own() -> None:
    """`4/second/api`: another API goes on."""
    async with sandbox(caps=("1/second/api",)) as caller:
        assert (await caller.product()).status_code == 200
        assert refusal(await caller.product())[1] == "gw.QosAPIFrequencyLimit"
        assert (await caller.call({"orderId": ID, **SITE}, api=ORDER)).status_code == 200


async def test_a_day_can_be_shorter() -> None:
    """For tests of what happens when a quota comes back."""
    async with sandbox(caps=("2/day",), day_s=10) as caller:
        assert [(await caller.product()).status_code for _ in range(3)] == [200, 200, 400]
        caller.clock.now_s = 10
        assert (await caller.product()).status_code == 200


async def test_lists_are_bounded_and_one_of_them_fails_whole() -> None:
    """`getByIdList` leaves out what is absent; the pool's list says no to all of it (met so)."""
    ids = [str(610_000_000_000 + k) for k in range(51)]
    pool = "com.alibaba.fenxiao/alibaba.pifatuan.product.detail.list"
    async with sandbox(absent=0.3) as caller:
        too_many = await caller.call({"offerIds": f"[{','.join(ids)}]"}, api=pool)
        whole = await caller.call({"offerIds": f"[{','.join(ids[:50])}]"}, api=pool)
        one = [await caller.call({"offerIds": f"[{each}]"}, api=pool) for each in ids[:10]]
    assert refusal(too_many) == (400, "gw.ParamInvalid")
    assert whole.json()["result"]["success"] is False and whole.json()["result"]["result"] is None
    good = [each.json()["result"]["result"] for each in one if each.json()["result"]["success"]]
    assert 0 < len(good) < 10 and all(listed[0]["productInfo"]["productID"] for listed in good)
    assert caller.app.stats()["charged"] == 11, "a call of fifty IDs is one call"


@pytest.mark.parametrize("caps", ["10", "0/second", "5/year", "5/day/app", "-1/day"])
def test_what_is_no_cap_is_refused(caps: str) -> None:
    """With how one is written."""
    with pytest.raises(UsageError, match="a cap is written"):
        SandboxSettings(caps=(caps,))


def test_apps_are_registered_once() -> None:
    """And have a key."""
    with pytest.raises(UsageError, match="registered twice"):
        SandboxSettings(apps=(AppSettings(app_key="1000000"),))
    with pytest.raises(UsageError, match="app_key"):
        AppSettings(app_key="a/b")


def test_permission_of_an_api_is_an_apps() -> None:
    """The first app's flat settings are an app's like any other."""
    [first, second] = SandboxSettings(apps=(SECOND,), denied_apis=(PRODUCT,)).registered
    assert (first.denied_apis, second.app_key) == ((PRODUCT,), "2000000")
    assert (first.secret("app_secret"), second.secret("refresh_token")) == (
        "sandbox-secret",
        "sandbox-refresh-token-2000000",
    )
