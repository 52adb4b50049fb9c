"""Tokens and clocks in a whole run: the real pipeline and the real sandbox, without sockets, on a clock that jumps."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from fetcher.errors import Refused
from fetcher.model import Outcome
from fetcher.run.fetcher import Fetcher
from fetcher.sandbox import Change, SandboxSettings, create_app
from fetcher.sandbox.app import App
from fetcher.settings import Settings
from tests.fakes import LoopClock

pytestmark = pytest.mark.virtual_time

TOKENS = {"access_token": "sandbox-access-token", "refresh_token": "sandbox-refresh-token"}
IDS = [610_000_000_000 + k for k in range(300)]


class JumpingClock(LoopClock):
    """The wall can be set to another day."""

    jump_ms = 0

    def wall_ms(self) -> int:
        return super().wall_ms() + self.jump_ms


@asynccontextmanager
async def running(
    sandbox: dict[str, Any], *changes: Change, clock: LoopClock | None = None, **settings: Any
) -> AsyncIterator[tuple[Fetcher, App]]:
    """A fetcher in front of a sandbox."""
    clock = clock or LoopClock()
    # The sandbox has the right time, whatever becomes of the client's.
    app = create_app(SandboxSettings(**{"absent": 0.0, "latency_ms": 50, **sandbox}), LoopClock(), changes)
    mine: dict[str, Any] = {
        "app_key": "1000000",
        "app_secret": "sandbox-secret",
        "gateway": "http://127.0.0.1:1/openapi",
        "qps": 100,
        **settings,
    }
    async with (
        httpx.AsyncClient(transport=httpx.ASGITransport(app=app)) as client,
        Fetcher(Settings(**mine), client=client, clock=clock) as fetcher,
    ):
        yield fetcher, app


async def all_of(fetcher: Fetcher, ids: list[int] = IDS) -> list[Outcome]:
    """Every outcome."""
    return [outcome async for outcome in fetcher.stream(ids)]


@pytest.mark.untraced
async def test_a_token_that_expires_twice() -> None:
    """One renewal each, however many calls were refused; no ID is lost, fails or pays an attempt for it."""
    changes = (Change(at_call=100, expire_tokens=True), Change(at_call=220, expire_tokens=True))
    async with running({"require_token": True}, *changes, **TOKENS) as (fetcher, app):
        outcomes = await all_of(fetcher)
    stats = app.stats()
    assert sorted(int(each.id) for each in outcomes) == IDS
    assert all(each.ok and each.attempts == 1 for each in outcomes)
    assert stats["answers"]["token"] == 2 and 2 <= stats["answers"]["401"] <= 24
    assert stats["worst_window"] <= 100, "a renewal is a call under the cap"


@pytest.mark.untraced
async def test_a_token_is_renewed_ahead_of_its_end() -> None:
    """Once its life is known, no call is refused for it."""
    async with running({"require_token": True, "token_life_s": 1.0}, **TOKENS) as (fetcher, app):
        outcomes = await all_of(fetcher)
    answers = app.stats()["answers"]
    assert len(outcomes) == 300 and all(each.ok for each in outcomes)
    assert answers["token"] >= 3 and answers["401"] <= 6, "only the first token's end came as a surprise"


async def test_a_refresh_token_that_is_refused_ends_the_run() -> None:
    """Exit 3 with what to do; no ID is marked failed; no more calls than were in flight."""
    async with running({"require_token": True}, Change(at_call=100, revoke=True), **TOKENS) as (fetcher, app):
        with pytest.raises(Refused, match="wrong refreshToken") as caught:
            async for outcome in fetcher.stream(IDS):
                assert outcome.ok
    assert "fetcher login" in caught.value.advice
    assert app.stats()["calls"] <= 100 + 10


@pytest.mark.parametrize("tokens", [{}, {"access_token": "sandbox-access-token"}])
async def test_without_a_refresh_token_the_first_refusal_ends_the_run(tokens: dict[str, str]) -> None:
    """One call where it never worked, with what to do."""
    async with running({"require_token": True, "rules": ("token@*",)}, **tokens) as (fetcher, app):
        with pytest.raises(Refused, match="access token") as caught:
            await all_of(fetcher)
    assert "fetcher login" in caught.value.advice
    assert app.stats()["calls"] == 1


async def test_a_new_token_that_is_refused_too() -> None:
    """Renewed once, tried once, then the end."""
    async with running({"rules": ("token@*",)}, **TOKENS) as (fetcher, app):
        with pytest.raises(Refused, match="401"):
            await all_of(fetcher)
    assert app.stats()["answers"] == {"401": 2, "token": 1}


@pytest.mark.untraced
@pytest.mark.parametrize("offset_s", [-7200, 7200])
async def test_a_clock_that_is_off(offset_s: int) -> None:
    """Refused once, measured once, then right; no attempt was spent."""
    async with running({"clock_offset_s": offset_s}, timestamp=True) as (fetcher, app):
        outcomes = await all_of(fetcher)
    answers = app.stats()["answers"]
    assert len(outcomes) == 300 and all(each.ok and each.attempts == 1 for each in outcomes)
    assert answers == {"400": 1, "ok": 301}, "one refusal, one question, and no further one"


@pytest.mark.untraced
async def test_an_api_that_wants_the_time() -> None:
    """It gets it, from the first refusal on."""
    async with running({"demand_timestamp": True}) as (fetcher, app):
        outcomes = await all_of(fetcher)
    assert all(each.ok for each in outcomes) and app.stats()["answers"] == {"400": 1, "ok": 301}


@pytest.mark.untraced
@pytest.mark.parametrize("jump_s", [-86_400, 86_400])
async def test_a_jump_of_the_wall_clock_does_not_matter(jump_s: int) -> None:
    """Times are signed by a clock that never jumps."""
    clock = JumpingClock()
    async with running({"timestamp_tolerance_s": 5.0}, clock=clock, timestamp=True) as (fetcher, app):
        outcomes = []
        async for outcome in fetcher.stream(IDS):
            outcomes.append(outcome)
            clock.jump_ms = jump_s * 1000
    assert len(outcomes) == 300 and all(each.ok for each in outcomes)
    assert app.stats()["answers"] == {"ok": 300}


@pytest.mark.untraced
async def test_the_gateways_clock_is_set_in_mid_run() -> None:
    """Measured again on the next refusal."""
    change = Change(at_call=100, set={"clock_offset_s": 3600})
    async with running({"timestamp_tolerance_s": 5.0}, change, timestamp=True) as (fetcher, app):
        outcomes = await all_of(fetcher)
    assert len(outcomes) == 300 and all(each.ok for each in outcomes)
    assert 1 <= app.stats()["answers"]["400"] <= 12


async def test_a_time_that_is_refused_whatever_it_is() -> None:
    """Measured once, tried once, then the end."""
    async with running({"rules": ("expired@*",)}, timestamp=True) as (fetcher, app):
        with pytest.raises(Refused, match="Request is expired"):
            await all_of(fetcher)
    assert app.stats()["calls"] == 3


@pytest.mark.parametrize("left", [1, 2])
async def test_a_key_that_is_withdrawn_before_the_last_ids(left: int) -> None:
    """No other ID is left to tell: the gateway is asked itself, the run is refused, no ID marked failed."""
    async with running({}, Change(at_call=21 - left, withdraw=True), qps=20) as (fetcher, app):
        outcomes = []
        with pytest.raises(Refused, match="AppKeyNotFound"):
            async for outcome in fetcher.stream(IDS[:20]):
                outcomes.append(outcome)  # noqa: PERF401  (the loop ends with an error)
    assert len(outcomes) == 20 - left and all(each.ok for each in outcomes)
    assert app.stats()["answers"]["gw.AppKeyNotFound"] <= 3 * left + 1


async def test_a_last_id_that_the_gateway_does_not_like() -> None:
    """The key still stands, so the refusal is the ID's own: it fails, and the run is done."""
    async with running({"rules": ("signature-invalid@019",)}, qps=20) as (fetcher, app):
        outcomes = await all_of(fetcher, IDS[:20])
    failed = [each for each in outcomes if not each.ok]
    assert [each.id for each in failed] == ["610000000019"] and len(outcomes) == 20
    assert app.stats()["answers"] == {"gw.SignatureInvalid": 4, "ok": 20}


@pytest.mark.untraced
async def test_trouble_ahead_of_time_does_not_end_the_run() -> None:
    """The member has taken the refresh token back, and the access token is good for a while: all IDs are fetched."""
    sandbox = {"require_token": True, "token_life_s": 1.0}
    longer, revoked = Change(at_s=0.9, set={"token_life_s": 30}), Change(at_s=5.0, revoke_refresh=True)
    async with running(sandbox, longer, revoked, qps=10, **TOKENS) as (fetcher, app):
        outcomes = await all_of(fetcher, IDS[:285])
    assert len(outcomes) == 285 and all(each.ok for each in outcomes)
    answers = app.stats()["answers"]
    assert (answers["token"], answers["400"]) == (1, 1), "asked once more, some three seconds before the end"


@pytest.mark.untraced
async def test_token_and_time_are_refused_at_once() -> None:
    """Both are asked for before the next call."""
    change = Change(at_call=100, expire_tokens=True, set={"clock_offset_s": 3600})
    async with running({"timestamp_tolerance_s": 5.0}, change, timestamp=True, **TOKENS) as (fetcher, app):
        outcomes = await all_of(fetcher)
    assert len(outcomes) == 300 and all(each.ok for each in outcomes)
    assert app.stats()["answers"]["token"] == 1
