"""A pool of keys whose tokens run out: each renews its own, its calls are held meanwhile and others' go on."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest

from fetcher.errors import LimitReached, Refused
from fetcher.run.keys import moment
from fetcher.run.token_file import TokenFile
from fetcher.run.tokens import Ask, TokenKeeper
from fetcher.sandbox import AppSettings, Change
from fetcher.sandbox.app import App
from fetcher.secret import Secret
from tests.run.test_refreshing import IDS, TOKENS, all_of, running

pytestmark = pytest.mark.virtual_time

SECOND, THIRD = "7770002", "7770003"
APPS = tuple(AppSettings(app_key=key) for key in (SECOND, THIRD))


def table(app_key: str, **others: Any) -> dict[str, Any]:
    """A key as the sandbox knows it, with both tokens."""
    published = {name: f"sandbox-{name.replace('_', '-')}-{app_key}" for name in ("access_token", "refresh_token")}
    return {"name": f"key-{app_key[-1]}", "app_key": app_key, "app_secret": f"sandbox-secret-{app_key}"} | (
        published | others
    )


def pooled(*tables: dict[str, Any], **settings: Any) -> dict[str, Any]:
    """Settings of a pool whose first key is the plain one."""
    return {"keys": tables, "qps": 50, **TOKENS, **settings}


def answers(app: App, app_key: str) -> dict[str, int]:
    """What the sandbox said to one app."""
    found: dict[str, int] = app.stats()["keys"][app_key]["answers"]
    return found


async def test_every_key_renews_its_own_token() -> None:
    """Once each, however many calls were refused; no key leaves, no ID fails or pays an attempt for it."""
    change = Change(at_call=90, expire_tokens=True)
    sandbox = {"require_token": True, "apps": APPS}
    async with running(sandbox, change, **pooled(table(SECOND), table(THIRD))) as (fetcher, app):
        outcomes = await all_of(fetcher)
        assert sorted(int(each.id) for each in outcomes) == IDS
        assert all(each.ok and each.attempts == 1 for each in outcomes)
        assert all(key.retired is None and key.questions == 1 for key in fetcher._opened().keys)
    for app_key in ("1000000", SECOND, THIRD):
        assert answers(app, app_key)["token"] == 1 and answers(app, app_key)["ok"] > 60


async def test_tokens_are_renewed_ahead_of_their_ends() -> None:
    """Each by its own life."""
    sandbox = {"require_token": True, "apps": APPS, "token_life_s": 1.0}
    async with running(sandbox, **pooled(table(SECOND), qps=25)) as (fetcher, app):
        outcomes = await all_of(fetcher)
    assert len(outcomes) == 300 and all(each.ok for each in outcomes)
    for app_key in ("1000000", SECOND):
        assert answers(app, app_key)["token"] >= 4 and answers(app, app_key)["401"] <= 6


async def test_a_renewal_holds_its_own_key_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """While one waits three seconds for its token, the other does the work."""
    renew, seen = TokenKeeper.renew, list[int]()

    async def slowly(self: TokenKeeper, ask: Ask, refused: Secret | None, asks: Any = None) -> None:
        seen.append(started())
        await asyncio.sleep(3)
        seen.append(started())
        await renew(self, ask, refused, asks)

    change = Change(at_call=60, app=SECOND, expire_tokens=True)
    async with running({"require_token": True, "apps": APPS}, change, **pooled(table(SECOND))) as (fetcher, app):
        plain, second = fetcher._opened().keys

        def started() -> int:
            return plain.calls_started - 1_000_000 * second.in_flight

        monkeypatch.setattr(TokenKeeper, "renew", slowly)
        outcomes = await all_of(fetcher)
    assert len(outcomes) == 300 and all(each.ok for each in outcomes)
    before, after = seen
    assert after - max(0, before) > 100, "fifty a second by the plain key, and nothing of the second in flight"
    assert answers(app, SECOND)["token"] == 1


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        ([table(SECOND, refresh_token=None)], "there is no refresh token|refused the access token"),
        ([table(SECOND, refresh_token="another")], "wrong refreshToken"),
    ],
)
async def test_a_key_that_cannot_renew_leaves_the_pool(
    tables: list[dict[str, Any]], words: str, caplog: pytest.LogCaptureFixture
) -> None:
    """With a warning; its IDs go to the other, and none fails."""
    caplog.set_level(logging.WARNING, "fetcher.run")
    logging.getLogger("fetcher").propagate = True
    change = Change(at_call=60, app=SECOND, expire_tokens=True)
    async with running({"require_token": True, "apps": APPS}, change, **pooled(*tables)) as (fetcher, app):
        outcomes = await all_of(fetcher)
        plain, second = fetcher._opened().keys
    assert len(outcomes) == 300 and all(each.ok and each.attempts == 1 for each in outcomes)
    assert plain.retired is None and isinstance(second.retired, Refused)
    assert second.retired.args and any(each in str(second.retired) for each in words.split("|"))
    assert answers(app, SECOND)["401"] <= 6


async def test_an_id_that_two_keys_refuse_for_their_tokens() -> None:
    """The second key's refusal is its first: it renews as the other did, and the ID is fetched."""
    sandbox = {"require_token": True, "apps": APPS, "rules": ("token@*x2",)}
    async with running(sandbox, **pooled(table(SECOND))) as (fetcher, app):
        [outcome] = await all_of(fetcher, IDS[:1])
        assert outcome.ok and all(key.retired is None for key in fetcher._opened().keys)
    assert app.stats()["answers"] == {"401": 2, "ok": 1, "token": 2}


async def test_new_tokens_that_are_refused_too() -> None:
    """Each key renews once and tries once more; then the last one ends the run."""
    async with running({"apps": APPS, "rules": ("token@*",)}, **pooled(table(SECOND))) as (fetcher, app):
        with pytest.raises(Refused, match="401"):
            await all_of(fetcher, IDS[:1])
    assert app.stats()["answers"] == {"401": 4, "token": 2}


async def test_the_last_key_that_cannot_renew_ends_the_run() -> None:
    """No ID is marked failed."""
    change = Change(at_call=60, revoke=True)
    async with running({"require_token": True, "apps": APPS}, change, **pooled(table(SECOND))) as (fetcher, _):
        with pytest.raises(Refused, match="wrong refreshToken"):
            async for outcome in fetcher.stream(IDS):
                assert outcome.ok


async def test_a_file_holds_the_tokens_of_each_key(tmp_path: Path) -> None:
    """In one file by app key, or in a file of the key's own."""
    shared, own = tmp_path / "tokens.json", tmp_path / "own.json"
    tables = (table(SECOND), table(THIRD, token_file=str(own)))
    change = Change(at_call=60, expire_tokens=True)
    sandbox = {"require_token": True, "apps": APPS}
    async with running(sandbox, change, **pooled(*tables, token_file=str(shared))) as (fetcher, _):
        assert all(each.ok for each in await all_of(fetcher))
        current = {key.gateway.app_key: key.tokens.access for key in fetcher._opened().keys}
    for path, app_key in ((shared, "1000000"), (shared, SECOND), (own, THIRD)):
        assert TokenFile(str(path)).read(app_key).access == current[app_key] is not None
    assert TokenFile(str(shared)).read(THIRD).access is None


async def test_a_clock_that_is_off_is_measured_for_all_keys() -> None:
    """And the time is sent with every key's calls from then on."""
    async with running({"demand_timestamp": True, "apps": APPS}, **pooled(table(SECOND))) as (fetcher, app):
        outcomes = await all_of(fetcher)
    assert all(each.ok and each.attempts == 1 for each in outcomes)
    assert app.stats()["answers"]["400"] == 2, "the first call of each key"


@pytest.mark.parametrize("limit", ["60/min", "2000/day"])
async def test_a_renewal_counts_under_the_caps(limit: str) -> None:
    """What the gateway has counted is what the quota has."""
    change = Change(at_call=20, expire_tokens=True)
    options = {"caps": (limit,), "qps": 10, **TOKENS}
    async with running({"require_token": True}, change, **options) as (fetcher, app):
        outcomes = await all_of(fetcher, IDS[:40])
        [key] = fetcher._opened().keys
        assert key.quotas is not None
        counted = key.quotas.used(moment(fetcher._clock)).values()
    assert all(each.ok for each in outcomes) and app.stats()["answers"]["token"] == 1
    used = sum(calls for limit in counted for _, calls in limit)
    assert used == app.stats()["calls"] == key.calls_started + key.questions


async def test_a_renewal_waits_for_the_cap() -> None:
    """Of ten a minute it takes one: none is over it."""
    change = Change(at_call=9, expire_tokens=True)
    sandbox = {"require_token": True, "caps": ("10/minute",)}
    async with running(sandbox, change, caps=("10/min",), qps=10, **TOKENS) as (fetcher, app):
        outcomes = await all_of(fetcher, IDS[:20])
    assert all(each.ok for each in outcomes) and len(outcomes) == 20
    assert not any("Frequency" in code for code in app.stats()["answers"])


async def test_a_renewal_counts_under_max_calls() -> None:
    """No call more leaves, whatever it asks for; no ID is lost."""
    change = Change(at_call=10, expire_tokens=True)
    async with running({"require_token": True}, change, max_calls=30, qps=10, **TOKENS) as (fetcher, app):
        with pytest.raises(LimitReached, match="--max-calls 30"):
            async for outcome in fetcher.stream(IDS):
                assert outcome.ok
    assert app.stats()["calls"] == 30 and app.stats()["answers"]["token"] == 1


async def test_a_renewal_for_which_no_call_is_left() -> None:
    """It is not asked for."""
    change = Change(at_call=10, expire_tokens=True)
    async with running({"require_token": True}, change, max_calls=10, qps=10, **TOKENS) as (fetcher, app):
        with pytest.raises(LimitReached, match="--max-calls 10"):
            async for outcome in fetcher.stream(IDS):
                assert outcome.ok
    assert app.stats()["calls"] == 10 and "token" not in app.stats()["answers"]


async def test_a_renewal_costs_nothing() -> None:
    """It is told among the calls that were sent, and has no price: `--max-cost` pays for calls of the API."""
    change = Change(at_call=10, expire_tokens=True)
    options = {"price": 1.0, "max_cost": 30, "qps": 10, **TOKENS}
    async with running({"require_token": True}, change, **options) as (fetcher, app):
        with pytest.raises(LimitReached, match="--max-cost 30"):
            async for outcome in fetcher.stream(IDS):
                assert outcome.ok
    assert app.stats()["calls"] == 31 and app.stats()["answers"]["token"] == 1
