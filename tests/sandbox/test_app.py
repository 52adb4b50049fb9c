"""The sandbox as clients meet it: the whole table of answers, over ASGI."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from tests.sandbox.calls import (
    GUIDE_PATH,
    ID,
    KEY,
    PRODUCT,
    SITE,
    guide_params,
    refusal,
    sandbox,
    signed,
    url_path,
)

CROSS = "com.alibaba.product/alibaba.cross.productInfo"
DETAIL = "com.alibaba.fenxiao.crossborder/product.search.queryProductDetail"
MANY = "com.alibaba.product/alibaba.product.getByIdList"
ORDER = "com.alibaba.trade/alibaba.trade.get.buyerView"


async def test_a_product_as_param2_posts_it() -> None:
    """The answer's own envelope, in JSON, with the ID that was asked for."""
    async with sandbox() as caller:
        response = await caller.product()
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json;charset=UTF-8")
    body = response.json()
    assert body["productInfo"]["productID"] == int(ID) and body["errMsg"] is None


async def test_get_post_and_mixtures_are_the_same() -> None:
    """Query and form are merged before the signature is checked, whichever part stands where."""
    params = signed({"productID": ID, **SITE}, url_path())
    proof = {"_aop_signature": params.pop("_aop_signature")}
    path = f"/openapi/{url_path()}"
    async with sandbox() as caller:
        answers = [
            await caller.client.get(path, params=params | proof),
            await caller.client.post(path, data=params | proof),
            await caller.client.post(path, params=proof, data=params),
            await caller.client.post(path, params=params | proof),
        ]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1


async def test_the_tutorials_call() -> None:
    """Without an app key in the path, by GET; a strict gateway refuses it."""
    async with sandbox() as caller:
        assert (await caller.guide()).json()["productInfo"]["productID"] == int(ID)
        bare = await caller.client.get(GUIDE_PATH, params={"productId": ID})
        assert refusal(bare) == (400, "gw.AppKeyMissing")
    async with sandbox(strict=True) as caller:
        assert refusal(await caller.guide()) == (400, "gw.AppKeyMissing")


async def test_refusals_of_key_api_and_signature() -> None:
    """HTTP 400 and the code of each."""
    async with sandbox() as caller:
        assert refusal(await caller.call(key="7")) == (400, "gw.AppKeyNotFound")
        assert refusal(await caller.call(api="a/b")) == (400, "gw.APIUnsupported")
        assert refusal(await caller.call(secret="wrong")) == (400, "gw.SignatureInvalid")
        unsigned = await caller.client.post(f"/openapi/{url_path()}", data={"productID": ID})
        assert refusal(unsigned) == (400, "gw.SignatureMissing")
        assert refusal(await caller.call({"productId": ID})) == (400, "gw.ParamMissing")


async def test_permission() -> None:
    """An API that was not granted is refused, another is not."""
    async with sandbox(denied_apis=(PRODUCT,)) as caller:
        response = await caller.product()
        assert refusal(response) == (400, "gw.APIACLDecline")
        assert response.json()["error_message"] == "AppKey is not allowed(acl)"
        assert (await caller.call({"productId": ID}, api=CROSS)).status_code == 200


async def test_tokens_expire_and_are_refreshed() -> None:
    """None and a bad one are told apart; the refresh answers without a refresh token, seconds as a text."""
    async with sandbox(require_token=True, token_life_s=60) as caller:
        missing, bad = await caller.product(), await caller.product(access_token="other")
        assert (refusal(missing), refusal(bad)) == ((401, "401"), (401, "401"))
        assert missing.json()["error_message"] != bad.json()["error_message"]
        assert (await caller.product(access_token="sandbox-access-token")).status_code == 200
        caller.clock.now_s = 60
        assert refusal(await caller.product(access_token="sandbox-access-token")) == (401, "401")
        form = {
            "grant_type": "refresh_token",
            "client_id": KEY,
            "client_secret": "sandbox-secret",
            "refresh_token": "sandbox-refresh-token",
        }
        for protocol in ("http", "param2"):
            granted = await caller.client.post(f"/openapi/{protocol}/1/system.oauth2/getToken/{KEY}", data=form)
            assert granted.json()["expires_in"] == "60" and "refresh_token" not in granted.json()
            assert (await caller.product(access_token=granted.json()["access_token"])).status_code == 200
        form["refresh_token"] = "other"
        bad = await caller.client.post(f"/openapi/http/1/system.oauth2/getToken/{KEY}", data=form)
        assert bad.status_code == 400 and bad.json()["error_message"] == "wrong refreshToken"


async def test_usage_ends() -> None:
    """The package's last call is served, the next is not; what the gateway refused cost nothing."""
    async with sandbox(usage=2) as caller:
        assert refusal(await caller.call(secret="wrong"))[1] == "gw.SignatureInvalid"
        codes = [(await caller.product()).status_code for _ in range(3)]
        assert codes == [200, 200, 400]
        assert refusal(await caller.product()) == (400, "gw.NoUsageLeftError")


async def test_timestamps() -> None:
    """Expired, demanded, and measured against a clock that is wrong."""
    async with sandbox(clock_offset_s=3600) as caller:
        late = await caller.product(_aop_timestamp=str(caller.clock.wall_ms()))
        assert refusal(late) == (400, "400") and "Request is expired." in late.json()["error_message"]
        millis = await caller.client.get(f"/openapi/{url_path('system/currentTimeMillis')}")
        assert millis.json() == caller.clock.wall_ms() + 3_600_000
        assert (await caller.product(_aop_timestamp=millis.text)).status_code == 200
    async with sandbox(demand_timestamp=True) as caller:
        assert "_aop_timestamp" in (await caller.product()).json()["error_message"]


async def test_the_time() -> None:
    """A JSON text with China's zone."""
    async with sandbox() as caller:
        caller.clock.now_s = 0.007
        response = await caller.call({}, api="system/currentTime")
    assert response.text == '"20261118190640007+0800"'


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, (400, "gw.QosAppFrequencyLimit")),
        ({"limit_status": 200}, (200, "gw.QosAppFrequencyLimit")),
        ({"limit_status": 429}, (429, "gw.QosAppFrequencyLimit")),
        ({"limit_scope": "api"}, (400, "gw.QosAPIFrequencyLimit")),
    ],
)
async def test_the_limit(settings: dict[str, Any], expected: tuple[int, str]) -> None:
    """The third call in a second at two a second is refused, in the manner that was chosen."""
    async with sandbox(qps=2, **settings) as caller:
        answers = [await caller.product() for _ in range(3)]
        assert [answer.status_code for answer in answers[:2]] == [200, 200]
        assert refusal(answers[2]) == expected
        other = await caller.call({"productId": ID}, api=CROSS)
        assert ("error_code" not in other.json()) is (settings.get("limit_scope") == "api")
        caller.clock.now_s = 1.0
        assert "productInfo" in (await caller.product()).json()


async def test_a_throttle_answer_may_say_how_long() -> None:
    """In the header that edges send; no other answer has it."""
    async with sandbox(qps=1, limit_status=429, retry_after_s=7) as caller:
        first, second = await caller.product(), await caller.product()
    assert "retry-after" not in first.headers and second.headers["retry-after"] == "7"


async def test_bad_signatures_do_not_reach_the_limit() -> None:
    """The limit stands behind the signature and before permission."""
    async with sandbox(qps=1, denied_apis=(PRODUCT,)) as caller:
        for _ in range(3):
            assert refusal(await caller.call(secret="wrong"))[1] == "gw.SignatureInvalid"
        assert refusal(await caller.product())[1] == "gw.APIACLDecline"
        assert refusal(await caller.product())[1] == "gw.QosAppFrequencyLimit"


def product_id(body: Any) -> Any:
    return body["productInfo"]["productID"]


APIS: list[tuple[str, dict[str, str], Any]] = [
    ("com.alibaba.product/alibaba.product.simple.get", {"productID": ID, **SITE}, product_id),
    ("com.alibaba.product/alibaba.agent.product.get", {"productID": ID, **SITE}, product_id),
    (CROSS, {"productId": ID}, product_id),
    (DETAIL, {"offerDetailParam": f'{{"offerId":{ID},"country":"en"}}'}, lambda b: b["result"]["result"]["offerId"]),
    (MANY, {"productIdList": f"[{ID}]"}, lambda body: body["productList"][0]["productID"]),
    (ORDER, {"orderId": ID, **SITE}, lambda body: body["result"]["baseInfo"]["id"]),
    (
        ORDER.replace("buyer", "seller"),
        {"orderId": ID, **SITE},
        lambda body: int(body["result"]["baseInfo"]["idOfStr"]),
    ),
]


@pytest.mark.parametrize(("api", "params", "id_of"), APIS)
async def test_every_api_answers_for_the_id_it_was_asked(api: str, params: dict[str, str], id_of: Any) -> None:
    """Each in its own envelope."""
    async with sandbox() as caller:
        response = await caller.call(params, api=api)
    assert response.status_code == 200 and id_of(response.json()) == int(ID)


async def test_order_ids_beyond_a_double_stay_exact() -> None:
    """Beside their text, which says the same."""
    async with sandbox() as caller:
        response = await caller.call({"orderId": "58218860983545941", **SITE}, api=ORDER)
    info = json.loads(response.content)["result"]["baseInfo"]
    assert info["id"] == 58218860983545941 and info["idOfStr"] == "58218860983545941"
    assert response.json()["success"] == "true"


async def test_what_does_not_exist() -> None:
    """HTTP 200, and each API's own way of saying so."""
    async with sandbox(absent=1.0) as caller:
        product = (await caller.product()).json()
        assert product["productInfo"] is None and product["errMsg"] == f"商品[{ID}]不存在"
        cross = (await caller.call({"productId": ID}, api=CROSS)).json()
        assert cross["success"] is False and ID in cross["message"]
        detail = (await caller.call(APIS[3][1], api=DETAIL)).json()["result"]
        assert detail["success"] is False and "已下架" in detail["message"]
        order = (await caller.call({"orderId": ID, **SITE}, api=ORDER)).json()
        assert order["success"] == "false" and order["errorCode"] and order["errorMessage"]
        many = (await caller.call({"productIdList": f"[{ID}]"}, api=MANY)).json()
        assert many["productList"] == []
        assert caller.app.stats()["answers"] == {"absent": 4, "ok": 1}


async def test_xml_is_invented_and_says_so() -> None:
    """On demand of the settings or of the tutorial's `format`; errors too."""
    async with sandbox(xml=True) as caller:
        good, bad = await caller.product(), await caller.call(secret="wrong")
    for response in (good, bad):
        assert response.headers["content-type"] == "application/xml;charset=UTF-8"
        assert response.headers["x-sandbox-invented"] == "xml"
    assert f"<productID>{ID}</productID>" in good.text
    assert bad.status_code == 400 and "<error_code>gw.SignatureInvalid</error_code>" in bad.text
    async with sandbox() as caller:
        asked = await caller.guide(guide_params(format="xml"))
        other = await caller.product(format="xml")
    assert asked.text.startswith("<?xml") and other.text.startswith("{")


async def test_faults_that_are_answers() -> None:
    """Each strikes once, then the call goes well."""
    expected: dict[str, tuple[int, str]] = {
        "error_rate": (503, ""),
        "html_rate": (502, "<html>"),
        "service_timeout_rate": (400, '{"error_code":"gw.ISPInvokeTimeout"'),
        "unknown_code_rate": (400, '{"error_code":"gw.SandboxUnheardOf"'),
        "wrong_id_rate": (200, f'{{"productInfo":{{"productID":{int(ID) + 1}'),
    }
    for rate, (status, start) in expected.items():
        async with sandbox(**{rate: 1.0}) as caller:
            struck, well = await caller.product(), await caller.product()
            assert struck.status_code == status and struck.text.startswith(start), rate
            assert well.json()["productInfo"]["productID"] == int(ID)
            assert caller.app.stats()["answers"] == {f"fault:{rate.removesuffix('_rate')}": 1, "ok": 1}


async def test_a_malformed_answer_is_the_beginning_of_the_right_one() -> None:
    """Its length is declared rightly: only the JSON is broken."""
    async with sandbox(malformed_rate=1.0) as caller:
        struck, well = await caller.product(), await caller.product()
    assert struck.status_code == 200 and well.content.startswith(struck.content)
    with pytest.raises(ValueError, match=r"."):
        struck.json()


@pytest.mark.parametrize("rate", ["reset_rate", "cut_rate"])
async def test_a_broken_connection_is_an_error_where_there_is_no_wire(rate: str) -> None:
    """A transport without sockets has nothing to break."""
    async with sandbox(**{rate: 1.0}) as caller:
        with pytest.raises(ConnectionResetError):
            await caller.product()
        assert (await caller.product()).status_code == 200


@pytest.mark.virtual_time
async def test_latency_jitter_and_slowness() -> None:
    """They add up, and the jitter is the seed's."""

    async def times(**settings: Any) -> list[float]:
        loop, taken = asyncio.get_running_loop(), []
        async with sandbox(**settings) as caller:
            for _ in range(4):
                start_s = loop.time()
                await caller.product()
                taken.append(loop.time() - start_s)
        return taken

    assert await times(latency_ms=200) == pytest.approx([0.2] * 4, abs=0.002)
    jittered = await times(latency_ms=200, jitter_ms=100)
    assert all(0.199 < each < 0.302 for each in jittered) and max(jittered) - min(jittered) > 0.005
    assert await times(latency_ms=200, jitter_ms=100) == pytest.approx(jittered, abs=0.002)
    slow = await times(slow_rate=1.0, slow_ms=3000)
    assert slow == pytest.approx([3.0, 0, 0, 0], abs=0.002)


async def test_what_is_no_call() -> None:
    """Unknown paths, methods and bodies are turned away without harm."""
    async with sandbox() as caller:
        assert (await caller.client.get("/")).status_code == 404
        assert (await caller.client.get("/openapi/param2/1")).status_code == 404
        assert (await caller.client.put(f"/openapi/{url_path()}")).status_code == 405
        huge = await caller.client.post(f"/openapi/{url_path()}", data={"a": "x" * 1024 * 1024})
        assert huge.status_code == 413
        other = await caller.client.post(f"/openapi/{url_path()}", json=signed({"productID": ID, **SITE}, url_path()))
        assert refusal(other)[1] == "gw.SignatureMissing"
        raw = await caller.client.post(
            f"/openapi/{url_path()}",
            content=b"productID=%ff\xff&_aop_signature=x",
            headers={"content-type": "application/x-www-form-urlencoded"},
        )
        assert refusal(raw)[1] == "gw.SignatureInvalid"


async def test_the_ledger_has_a_page() -> None:
    """What was seen, and a way to begin anew; neither page is itself counted."""

    async def stats(client: httpx.AsyncClient) -> Any:
        return (await client.get("/_sandbox/stats")).json()

    async with sandbox(qps=3, usage=100) as caller:
        for _ in range(4):
            await caller.product()
        await caller.call(secret="wrong")
        seen = await stats(caller.client)
        assert seen["calls"] == seen["worst_window"] == 5
        assert seen["answers"] == {"gw.QosAppFrequencyLimit": 1, "gw.SignatureInvalid": 1, "ok": 3}
        assert (seen["throttled"], seen["ids"], seen["ids_repeated"], seen["most_calls_for_one_id"]) == (1, 1, 1, 3)
        assert (await caller.client.post("/_sandbox/reset")).status_code == 200
        assert (await stats(caller.client))["calls"] == 0
        assert (await caller.product()).status_code == 200, "the limit has forgotten too"
