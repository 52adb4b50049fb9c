"""When tokens are renewed, how often, and what comes of a refusal: against the sandbox's own, without sockets."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fetcher.errors import LimitReached, Refused
from fetcher.model import Lost, NoReply, Reply, Request
from fetcher.run.token_file import Kept, TokenFile
from fetcher.run.tokens import TokenKeeper
from fetcher.sandbox import SandboxSettings
from fetcher.sandbox.desk import Desk, Incoming
from fetcher.secret import Secret
from fetcher.settings import Settings
from tests.fakes import START_MS, LoopClock, StillClock

FIRST, REFRESH = "sandbox-access-token", "sandbox-refresh-token"


class Far:
    """The sandbox's desk as `ask` sees it."""

    def __init__(self, clock: Any, **settings: Any) -> None:
        self.clock, self.desk = clock, Desk(SandboxSettings(**settings), clock)
        self.asked: list[str] = []
        self.failing: list[Reply | NoReply | None] = []
        """What the next answers are in place of the desk's; None: the desk's."""

    async def ask(self, make: Callable[[], Request]) -> Reply | NoReply:
        """Answer, or fail as the test says."""
        request = make()
        self.asked.append(request.target)
        await asyncio.sleep(0.01)
        now_s = self.clock.monotonic_s()
        said = self.failing.pop(0) if self.failing else None
        if said is not None:
            return said
        answer, _ = self.desk.answer(
            Incoming(request.target.removeprefix("/openapi/"), "", request.body.decode(), now_s)
        )
        return Reply(answer.status, answer.body, now_s, now_s)

    def takes(self, token: Secret | None) -> bool:
        """Whether the sandbox would take this token."""
        return token is not None and self.desk._state.first.tokens.is_good(token.reveal(), self.clock.monotonic_s())


def keeper(clock: Any, **settings: Any) -> TokenKeeper:
    """The client's side."""
    mine: dict[str, Any] = {"access_token": FIRST, "refresh_token": REFRESH, **settings}
    return TokenKeeper(Settings(app_key="1000000", app_secret="sandbox-secret", **mine), clock)


async def test_a_renewal_brings_a_token_that_is_taken() -> None:
    """The refresh token stays; every new token is made known, so that no log shows it."""
    clock, learned = StillClock(), list[Secret]()
    far = Far(clock, token_life_s=60)
    mine = keeper(clock)
    mine._learn = learned.append
    await mine.renew(far.ask, mine.access)
    assert far.takes(mine.access) and mine.access != Secret(FIRST)
    assert mine.can_renew and learned == [mine.access] and mine.renewals == 1


async def test_it_is_renewed_ahead_of_its_end() -> None:
    """A tenth before it; by a clock that the wall's jumps do not touch. Of the first token no end is known."""
    clock = StillClock()
    far, mine = Far(clock, token_life_s=60), keeper(clock)
    assert not mine.wants_renewal(1e9)
    await mine.renew(far.ask, mine.access)
    assert not mine.wants_renewal(53.9) and mine.wants_renewal(54.0)


async def test_a_refused_refresh_token_is_fatal() -> None:
    """Exit 3, what the gateway said, what to do; one call."""
    clock = StillClock()
    far, mine = Far(clock), keeper(clock, refresh_token="wr0ng")
    with pytest.raises(Refused, match="wrong refreshToken") as caught:
        await mine.renew(far.ask, mine.access)
    assert "fetcher login" in caught.value.advice and len(far.asked) == 1
    assert "wr0ng" not in str(caught.value)


async def test_without_a_refresh_token_nothing_is_asked() -> None:
    """It says how to get one."""
    far = Far(StillClock())
    with pytest.raises(Refused, match="refused the access token") as caught:
        await keeper(far.clock, refresh_token=None).renew(far.ask, Secret(FIRST))
    assert "fetcher login" in caught.value.advice and far.asked == []
    with pytest.raises(Refused, match="wants an access token, and there is none"):
        await keeper(far.clock, access_token=None, refresh_token=None).renew(far.ask, None)


@pytest.mark.virtual_time
async def test_trouble_passes() -> None:
    """An overload, a lost answer and a page between: tried again; if it lasts, a resumable end."""
    clock = LoopClock()
    lost = NoReply(Lost.TIMEOUT, sent=True, detail="no answer in 30 s", started_s=0, ended_s=30)
    far, mine = Far(clock), keeper(clock)
    far.failing = [lost, Reply(503, b"", 0, 0), Reply(200, b"<html>", 0, 0)]
    await mine.renew(far.ask, mine.access)
    assert far.takes(mine.access) and len(far.asked) == 4
    far.failing = [lost] * 9
    with pytest.raises(LimitReached, match="no answer in 30 s"):
        await mine.renew(far.ask, mine.access)


async def test_the_refresh_token_is_postponed_in_its_last_days(tmp_path: Path) -> None:
    """A renewal then brings a new one, and it is stored; a refusal of that is a warning only."""
    clock = StillClock()
    path = str(tmp_path / "tokens.json")
    TokenFile(path).write(Kept("1000000", Secret(FIRST), Secret(REFRESH), None, None, START_MS + 86_400_000))
    far, mine = Far(clock, refresh_token_life_s=86_400), keeper(clock, token_file=path)
    await mine.renew(far.ask, mine.access)
    assert [target.split("/")[-2] for target in far.asked] == ["getToken", "postponeToken"]
    kept = TokenFile(path).read("1000000")
    assert kept.refresh is not None and kept.refresh != Secret(REFRESH)
    far.failing = [None, Reply(400, b'{"error_code":"400","error_message":"no"}', 0, 0)]
    await mine.renew(far.ask, mine.access)
    assert far.takes(mine.access) and TokenFile(path).read("1000000").refresh == kept.refresh


async def test_what_the_file_has_is_newer(tmp_path: Path) -> None:
    """Its tokens win over the environment's; its end is known, also to a later run."""
    clock = StillClock()
    path = str(tmp_path / "tokens.json")
    TokenFile(path).write(Kept("1000000", Secret("newer"), None, None, START_MS + 5_000))
    mine = keeper(clock, token_file=path)
    assert mine.access == Secret("newer") and mine.can_renew, "the refresh token is still the environment's"
    assert not mine.wants_renewal(4.9) and mine.wants_renewal(5.0)


async def test_several_runs_renew_once(tmp_path: Path) -> None:
    """Whoever comes first asks; the others find the new token in the file."""
    clock = StillClock()
    path = str(tmp_path / "tokens.json")
    far = Far(clock, token_life_s=60)
    runs = [keeper(clock, token_file=path) for _ in range(4)]
    await asyncio.gather(*(run.renew(far.ask, run.access) for run in runs))
    assert len(far.asked) == 1
    assert {run.access for run in runs} == {runs[0].access} and far.takes(runs[0].access)
    assert [run.renewals for run in runs].count(1) == 1
    clock.now_s = 60.0
    await asyncio.gather(*(run.renew(far.ask, run.access) for run in runs))
    assert len(far.asked) == 2 and far.takes(runs[3].access)


async def test_several_streams_of_one_program_renew_once() -> None:
    """They share the keeper: whoever comes second finds the new token."""
    far = Far(StillClock(), token_life_s=60)
    mine = keeper(far.clock)
    old = mine.access
    await asyncio.gather(*(mine.renew(far.ask, old) for _ in range(3)))
    assert len(far.asked) == 1 and far.takes(mine.access)


async def test_a_token_file_that_cannot_be_written_does_not_end_the_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The token is good all the same; it is said that it is not kept. One renewal, not two."""
    far = Far(StillClock(), token_life_s=60)
    mine = keeper(far.clock, token_file=str(tmp_path / "gone" / "tokens.json"))
    monkeypatch.setattr("fetcher.run.tokens.log.handlers", [caplog.handler])  # other tests set up the program's logging
    monkeypatch.setattr("fetcher.run.tokens.log.level", logging.INFO)
    await mine.renew(far.ask, mine.access)
    assert far.takes(mine.access) and len(far.asked) == 1
    assert "lives as long as this run" in caplog.text


async def test_a_code_becomes_tokens(tmp_path: Path) -> None:
    """Both, stored; a code is tried once."""
    clock = StillClock()
    path = str(tmp_path / "tokens.json")
    far = Far(clock, token_life_s=60)
    code = far.desk._state.first.tokens.authorise("http://127.0.0.1:9/", 0.0)
    mine = keeper(clock, access_token=None, refresh_token=None, token_file=path)
    kept = await mine.exchange(far.ask, code, "http://127.0.0.1:9/")
    assert far.takes(kept.access) and kept.refresh and kept.access_until_ms == START_MS + 60_000
    assert TokenFile(path).read("1000000") == kept
    with pytest.raises(Refused, match="code is wrong, used or expired"):
        await mine.exchange(far.ask, code, "http://127.0.0.1:9/")
