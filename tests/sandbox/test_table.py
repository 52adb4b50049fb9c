"""Held to the notes on the gateway: each row of the table of errors, each order of checks, each shape of refusal.

Provoked as in life where life can be had (a wrong secret), else by a rule.
"""

from __future__ import annotations

from typing import Any

import pytest

from fetcher.sandbox.rows import ROWS
from tests.sandbox.calls import ID, PRODUCT, SITE, Caller, refusal, sandbox, signed, url_path

EXCEPTION = "com.alibaba.openapi.exception.request.RequestValidateException: "

DOCUMENTED: list[tuple[str, int, str, str | None]] = [
    ("app-limit", 400, "gw.QosAppFrequencyLimit", "App call exceeds limited frequency"),
    ("api-limit", 400, "gw.QosAPIFrequencyLimit", None),
    ("request-limit", 400, "gw.QosRequestLimit", None),
    ("daily-limit", 400, "gw.QosAppFrequencyLimit", "Beyond the app call frequency limit"),
    ("token", 401, "401", "Request need user authorized"),
    ("no-token", 401, "401", "Request need user authenticated"),
    ("authorization", 401, "401", "User authorization is required"),
    ("signature-invalid", 400, "gw.SignatureInvalid", None),
    ("signature-missing", 400, "gw.SignatureMissing", None),
    ("app-key-missing", 400, "gw.AppKeyMissing", None),
    ("app-key-not-found", 400, "gw.AppKeyNotFound", None),
    ("app-key-invalid", 400, "400", EXCEPTION + "Invalid appKey, unsport appKey: xxx"),
    ("api-unsupported", 400, "gw.APIUnsupported", "unsupport api"),
    ("acl", 400, "gw.APIACLDecline", "AppKey is not allowed(acl)"),
    ("no-usage", 400, "gw.NoUsageLeftError", "SLA bill has no usage left"),
    ("param-missing", 400, "gw.ParamMissing", "Required argument offerId"),
    ("param-invalid", 400, "gw.ParamInvalid", None),
    ("expired", 400, "400", EXCEPTION + "Request is expired."),
    ("need-timestamp", 400, "400", "API need time stamp verify, so request must has _aop_timestamp. "),
    ("isp-timeout", 400, "gw.ISPInvokeTimeout", None),
    ("isp-error", 400, "gw.ISPInvokeError", None),
    ("isp-timeout-bare", 400, "ISPInvokeTimeout", None),
    ("unknown-code", 400, "gw.SandboxUnheardOf", None),
]


@pytest.mark.parametrize(("row", "status", "code", "message"), DOCUMENTED, ids=[row[0] for row in DOCUMENTED])
async def test_every_row_of_the_gateways_own_can_be_had(row: str, status: int, code: str, message: str | None) -> None:
    """By the end of an ID; other IDs go well. A message that no source has is marked as invented."""
    async with sandbox(rules=(f"{row}@77",)) as caller:
        struck, well = await caller.product("610947572377"), await caller.product()
    assert refusal(struck) == (status, code)
    if message is not None:
        assert struck.json()["error_message"] == message
    assert (ROWS[row].message_is == "invented") is (message is None)
    assert well.status_code == 200


SPOKEN: list[tuple[str, int, str]] = [
    ("http-503", 503, ""),
    ("http-502", 502, "<html>"),
    ("empty-200", 200, ""),
    ("page-200", 200, "<html>"),
    ("absent", 200, '{"productInfo":null,"bizGroupInfos":null,"errMsg":"商品[610947572377]不存在"}'),
    ("off-shelf", 200, '{"productInfo":null,"bizGroupInfos":null,"errMsg":"商品[610947572377]已下架"}'),
    ("not-yours", 200, '{"productInfo":null,"bizGroupInfos":null,"errMsg":"不是自己的订单"}'),
    ("unrelated", 200, '{"productInfo":null,"bizGroupInfos":null,"errMsg":"no permission to query this product"}'),
]


@pytest.mark.parametrize(("row", "status", "start"), SPOKEN, ids=[row[0] for row in SPOKEN])
async def test_every_row_of_others_can_be_had(row: str, status: int, start: str) -> None:
    """What stands before the gateway, and the API's own service in its own envelope."""
    async with sandbox(rules=(f"{row}@77",)) as caller:
        struck = await caller.product("610947572377")
    assert struck.status_code == status and struck.text.startswith(start)


def test_no_row_is_left_out() -> None:
    """Each stands in one of the two lists above."""
    assert set(ROWS) == {row[0] for row in DOCUMENTED} | {row[0] for row in SPOKEN}


async def wrong_secret(caller: Caller) -> Any:
    return await caller.call(secret="wrong")


async def no_signature(caller: Caller) -> Any:
    return await caller.client.post(f"/openapi/{url_path()}", data={"productID": ID})


async def no_key(caller: Caller) -> Any:
    return await caller.client.post(f"/openapi/param2/1/{PRODUCT}", data=signed({"productID": ID}, ""))


async def unknown_key(caller: Caller) -> Any:
    return await caller.call(key="7")


async def unknown_api(caller: Caller) -> Any:
    return await caller.call(api="no/such")


async def no_token(caller: Caller) -> Any:
    return await caller.product()


async def bad_token(caller: Caller) -> Any:
    return await caller.product(access_token="other")


async def lower_case_d(caller: Caller) -> Any:
    return await caller.call({"productId": ID, **SITE})


async def late(caller: Caller) -> Any:
    return await caller.product(_aop_timestamp="1")


async def well(caller: Caller) -> Any:
    return await caller.product()


@pytest.mark.parametrize(
    ("settings", "ask", "expected"),
    [
        ({}, wrong_secret, (400, "gw.SignatureInvalid")),
        ({}, no_signature, (400, "gw.SignatureMissing")),
        ({}, no_key, (400, "gw.AppKeyMissing")),
        ({}, unknown_key, (400, "gw.AppKeyNotFound")),
        ({}, unknown_api, (400, "gw.APIUnsupported")),
        ({"require_token": True}, no_token, (401, "401")),
        ({}, bad_token, (401, "401")),
        ({"denied_apis": (PRODUCT,)}, well, (400, "gw.APIACLDecline")),
        ({"usage": 0}, well, (400, "gw.NoUsageLeftError")),
        ({}, lower_case_d, (400, "gw.ParamMissing")),
        ({}, late, (400, "400")),
        ({"demand_timestamp": True}, well, (400, "400")),
    ],
)
async def test_the_same_comes_of_what_a_caller_does(settings: dict[str, Any], ask: Any, expected: Any) -> None:
    """Without any rule."""
    async with sandbox(**settings) as caller:
        assert refusal(await ask(caller)) == expected


async def test_the_order_of_checks() -> None:
    """Key, API, signature, time, token, limit, permission, arguments, package: each hides those behind it."""
    everything = {
        "require_token": True,
        "demand_timestamp": True,
        "denied_apis": (PRODUCT,),
        "usage": 0,
    }
    stamp, token = {"_aop_timestamp": "1795000000000"}, {"access_token": "sandbox-access-token"}
    async with sandbox(**everything) as caller:
        asked = [
            await caller.call({}, key="7", api="no/such", secret="wrong"),
            await caller.call({}, api="no/such", secret="wrong"),
            await caller.call({}, secret="wrong"),
            await caller.call({}),
            await caller.call(stamp),
            await caller.call(stamp | token),
        ]
        caller.app._desk.change(b'{"set": {"denied_apis": []}}')
        asked += [await caller.call(stamp | token), await caller.product(**stamp, **token)]
    assert [refusal(each)[1] for each in asked] == [
        "gw.AppKeyNotFound",
        "gw.APIUnsupported",
        "gw.SignatureInvalid",
        "400",
        "401",
        "gw.APIACLDecline",
        "gw.ParamMissing",
        "gw.NoUsageLeftError",
    ]


async def test_the_two_shapes_and_statuses_of_a_refusal() -> None:
    """Some met them under 200, some with the names in camel case."""
    async with sandbox(refusal_status=200, refusal_keys="camel") as caller:
        said = await caller.call(secret="wrong")
    assert said.status_code == 200
    assert {name for name in said.json() if name != "request_id"} == {"errorCode", "errorMessage", "exception"}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [("isp-timeout@77x2", [True, True, False]), ("isp-timeout@*x1", [True, False, False]), ("acl@0%", [False] * 3)],
)
async def test_a_rule_says_whom_and_how_often(rule: str, expected: list[bool]) -> None:
    """By the end of the ID, by a share, all; always, or the first calls of each ID."""
    async with sandbox(rules=(rule,)) as caller:
        assert [(await caller.product("77")).status_code == 400 for _ in range(3)] == expected


@pytest.mark.untraced
async def test_a_share_is_the_seeds() -> None:
    """About as many as were asked for, and the same ones again."""
    async with sandbox(rules=("acl@30%",)) as caller:
        struck = [(await caller.product(str(610_000_000_000 + k))).status_code == 400 for k in range(200)]
        again = [(await caller.product(str(610_000_000_000 + k))).status_code == 400 for k in range(200)]
    assert 40 < sum(struck) < 80 and struck == again


@pytest.mark.parametrize("rule", ["acl", "nothing@77", "acl@x", "acl@130%", "acl@77x", "@77"])
def test_what_is_no_rule_is_refused(rule: str) -> None:
    """With how one is written."""
    from fetcher.errors import UsageError
    from fetcher.sandbox import SandboxSettings

    with pytest.raises(UsageError, match=r"^sandbox: "):
        SandboxSettings(rules=(rule,))
