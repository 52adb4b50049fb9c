"""What two answers prove: a real sandbox, asked without a socket on a clock that jumps."""

from __future__ import annotations

import dataclasses
from typing import Any

import httpx
import pytest

from fetcher.run.checking import Diagnosis, diagnose
from fetcher.sandbox import SandboxSettings, create_app
from fetcher.settings import Settings
from tests.fakes import LoopClock

pytestmark = pytest.mark.virtual_time

PRODUCT = "com.alibaba.product/alibaba.product.get"
ID = "610947572360"
STEPS = ("network", "credentials", "clock", "token", "permission", "answer")


async def check(
    sandbox: dict[str, Any] | None = None, *, change: bytes = b"", own_id: bool = False, **settings: Any
) -> Diagnosis:
    """Check a sandbox that was told so with these settings."""
    clock = LoopClock()
    app = create_app(SandboxSettings(**{"absent": 0.0, "strict": True, **(sandbox or {})}), clock)
    if change:
        app._desk.change(change)
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app=app))
    mine = {
        "app_key": "1000000",
        "app_secret": "sandbox-secret",
        "gateway": "http://127.0.0.1:1/openapi",
        "qps": 50,
        **settings,
    }
    async with client:
        found = await diagnose(Settings(**mine), clock, ID, own_id=own_id, client=client)
    assert app.stats()["calls"] == found.calls
    return found


def steps(found: Diagnosis) -> dict[str, str]:
    """How each step stands."""
    return {each.step: each.state for each in found.findings}


def wrong(found: Diagnosis) -> tuple[int, str, str, str]:
    """Exit code, the step that is wrong or open, what was said of it, and what to do."""
    [one] = [each for each in found.findings if each.state != "ok"]
    return found.exit_code, one.step, one.said, one.remedy


async def test_all_is_well() -> None:
    """Two calls prove it all."""
    found = await check()
    assert (found.exit_code, found.calls, found.clock_offset_ms) == (0, 2, 0)
    assert steps(found) == dict.fromkeys(STEPS, "ok")


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"app_key": "7"}, (3, "credentials", "gw.AppKeyNotFound", "correct --app-key")),
        ({"app_secret": "wr0ng-one"}, (3, "credentials", "gw.SignatureInvalid", "FETCHER_APP_SECRET")),
        ({"access_token": "wr0ng-one"}, (3, "token", "wrong or expired", "fetcher login")),
        ({"api": "no/such", "id_param": "x"}, (3, "api", "gw.APIUnsupported", "correct the name of --api")),
        ({"id_param": "offerId"}, (3, "arguments", 'gw.ParamMissing "Required argument productID"', "--id-param")),
    ],
)
async def test_what_is_set_wrongly(settings: dict[str, Any], expected: tuple[int, str, str, str]) -> None:
    """The step is named, in the gateway's words, with the switch or variable to correct."""
    code, step, said, remedy = wrong(await check(**settings))
    assert (code, step) == expected[:2]
    assert expected[2] in said and expected[3] in remedy
    assert "wr0ng-one" not in said + remedy


async def test_something_else_answers_there() -> None:
    """Exit 3, as a run would end; it is not the key's fault."""
    clock = LoopClock()
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app=create_app(SandboxSettings(), clock)))
    mine = Settings(app_key="1", app_secret="s", gateway="http://127.0.0.1:1/elsewhere")
    async with client:
        code, step, said, remedy = wrong(await diagnose(mine, clock, ID, own_id=False, client=client))
    assert (code, step) == (3, "gateway") and "HTTP 404" in said and "--gateway" in remedy


async def test_the_tutorials_way_at_a_strict_gateway() -> None:
    """The key is proven the gateway's way; the call is refused the tutorial's, and the switch is named."""
    code, step, said, remedy = wrong(await check(protocol="guide"))
    assert (code, step) == (3, "credentials")
    assert "gw.AppKeyMissing" in said and "--protocol param2" in remedy


@pytest.mark.parametrize(
    ("sandbox", "expected"),
    [
        ({"require_token": True}, (3, "token", "there is none", "fetcher login")),
        ({"denied_apis": (PRODUCT,)}, (3, "permission", "gw.APIACLDecline", "ask for the permission")),
        ({"usage": 0}, (4, "usage", "gw.NoUsageLeftError", "buy more")),
        ({"rules": ("app-limit@*",)}, (4, "answer", "gw.QosAppFrequencyLimit", "--qps")),
        ({"rules": ("http-503@*",)}, (4, "answer", "503", "later")),
        ({"rules": ("unknown-code@*",)}, (3, "answer", "gw.SandboxUnheardOf", "")),
        ({"rules": ("absent@*",)}, (0, "answer", "不存在", "--id")),
    ],
)
async def test_what_the_gateway_holds_against_it(sandbox: dict[str, Any], expected: tuple[int, str, str, str]) -> None:
    """All that it checks before is proven all the same."""
    found = await check(sandbox)
    code, step, said, remedy = wrong(found)
    assert (code, step) == expected[:2]
    assert expected[2] in said and expected[3] in remedy
    assert steps(found)["credentials"] == "ok"


async def test_an_id_of_ones_own_that_is_not_there() -> None:
    """Exit 1: permission is proven, the product is not."""
    found = await check({"rules": ("absent@*",)}, own_id=True)
    assert (found.exit_code, steps(found)["permission"]) == (1, "ok")
    assert "this ID" in wrong(found)[2]


@pytest.mark.parametrize(("offset_s", "side"), [(3600, "behind"), (-3600, "ahead of")])
async def test_a_clock_that_is_off_does_not_matter(offset_s: int, side: str) -> None:
    """An hour, at a gateway that demands the time: measured, said, and corrected; the time is sent once asked for."""
    found = await check({"demand_timestamp": True, "clock_offset_s": offset_s})
    assert (found.exit_code, found.calls, found.clock_offset_ms) == (0, 3, offset_s * 1000)
    [clock] = [each for each in found.findings if each.step == "clock"]
    assert f"3600 s {side} the gateway" in clock.said and "clock" in clock.remedy
    told = await check({"demand_timestamp": True, "clock_offset_s": offset_s}, timestamp=True)
    assert (told.exit_code, told.calls) == (0, 2)


async def test_an_expired_token() -> None:
    """Renewed with the refresh token, which that proves; without one, or with a dead one, it says so."""
    token = {"access_token": "sandbox-access-token"}
    both = {**token, "refresh_token": "sandbox-refresh-token"}
    expired = b'{"expire_tokens": true}'
    alone = await check({"require_token": True}, change=expired, **token)
    renewed = await check({"require_token": True}, change=expired, **both)
    dead = await check({"require_token": True}, change=b'{"revoke": true}', **both)
    assert wrong(alone)[:2] == wrong(dead)[:2] == (3, "token")
    assert (renewed.exit_code, renewed.calls) == (0, 4)
    assert "renewed with the refresh token" in next(each.said for each in renewed.findings if each.step == "token")
    assert "wrong refreshToken" in wrong(dead)[2] and "fetcher login" in wrong(dead)[3]


async def test_a_gateway_that_cannot_be_reached() -> None:
    """Exit 2, and no call is counted that did not leave."""

    async def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("connection refused")

    mine = Settings(app_key="1", app_secret="s", gateway="http://127.0.0.1:1/openapi")
    async with httpx.AsyncClient(transport=httpx.MockTransport(refuse)) as client:
        found = await diagnose(mine, LoopClock(), ID, own_id=False, client=client)
    assert (found.exit_code, found.calls) == (2, 0)
    assert wrong(found)[1] == "network" and "cannot reach http://127.0.0.1:1:" in wrong(found)[2]
    by_proxy = dataclasses.replace(mine, proxy="http://127.0.0.1:2")
    async with httpx.AsyncClient(transport=httpx.MockTransport(refuse)) as client:
        found = await diagnose(by_proxy, LoopClock(), ID, own_id=False, client=client)
    assert "through the proxy" in wrong(found)[2] and "--proxy" in wrong(found)[3]


@pytest.mark.parametrize(
    ("settings", "code", "step"),
    [({}, 0, ""), ({"app_secret": "wr0ng-one"}, 3, "credentials"), ({"access_token": "wr0ng-one"}, 3, "token")],
)
async def test_the_top_family(settings: dict[str, Any], code: int, step: str) -> None:
    """Its own question for the time, its own refusals."""
    where = {"gateway": "http://127.0.0.1:1/router/rest", "protocol": "top", "api": "taobao-item"}
    found = await check(**where, **settings)
    assert found.exit_code == code, found.findings
    assert [each.step for each in found.findings if each.state != "ok"] == ([step] if step else [])
