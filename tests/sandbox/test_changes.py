"""What changes while it serves: by call, by time, by order; and a scenario in a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fetcher.errors import UsageError
from fetcher.sandbox import AppSettings, Change, SandboxSettings, read_scenario
from fetcher.sandbox.app import App
from fetcher.sandbox.changes import Timeline, check_changes
from fetcher.sandbox.desk import Desk
from tests.fakes import StillClock
from tests.sandbox.calls import KEY, Caller, refusal, sandbox
from tests.sandbox.test_desk import Counter


def counter(*changes: Change, **settings: Any) -> Counter:
    """A desk with a time line."""
    made = Counter()
    made.desk = Desk(SandboxSettings(**{"absent": 0.0, **settings}), StillClock(), changes)
    return made


def codes(made: Counter, times: list[float]) -> list[str]:
    """What calls at these times were answered with."""
    found = []
    for time_s in times:
        made.desk.arrived(time_s)
        found.append(made.ask(arrived_s=time_s)[1])
    return found


def test_by_the_count_of_calls() -> None:
    """Before that call is answered; without a time, before the first."""
    made = counter(Change(at_call=3, use_up=True), Change(at_call=5, refill=1), usage=10)
    over = "gw.NoUsageLeftError"
    assert codes(made, [0.0] * 6) == ["ok", "ok", over, over, "ok", over]
    assert codes(counter(Change(set={"usage": 1})), [0.0, 0.0]) == ["ok", over]


def test_by_the_seconds_since_the_first_call() -> None:
    """The sandbox may have stood for an hour before it."""
    made = counter(Change(at_s=2.0, set={"qps": 1.0}))
    assert codes(made, [3600.0, 3600.0, 3602.0, 3602.1]) == ["ok", "ok", "ok", "gw.QosAppFrequencyLimit"]


def test_an_outage_has_an_end_of_its_own() -> None:
    """Counted from when it was due, not from the call that met it; calls in it touch neither package nor IDs."""
    made = counter(Change(at_s=1.0, outage_s=2.0), usage=2)
    assert codes(made, [0.0, 2.5, 2.9, 3.0]) == ["ok", "outage", "outage", "ok"]
    assert made.desk.stats()["charged"] == 2


@pytest.mark.parametrize(("how", "status"), [("503", 503), ("html", 502)])
def test_an_outage_shows_itself(how: Any, status: int) -> None:
    """As an empty 503, or a load balancer's page."""
    made = counter(Change(outage_s=1.0, outage=how))
    made.desk.arrived(0.0)
    assert made.ask()[0] == status


def test_a_change_may_be_one_apps() -> None:
    """The other keeps its cap and its package."""
    change = Change(at_call=2, app="2", set={"qps": 1.0}, use_up=True)
    made = counter(change, apps=(AppSettings(app_key="2", usage=9),), usage=9)
    assert codes(made, [0.0, 0.0]) == ["ok", "ok"]
    assert {key: account.left for key, account in made.desk._state.accounts.items()} == {KEY: 7, "2": 0}
    assert made.desk._state.accounts["2"].app.qps == 1.0 and made.desk.settings.qps is None


def test_to_begin_again_is_to_begin_as_at_first() -> None:
    """The time line too."""
    made = counter(Change(at_call=2, set={"usage": 0}))
    for _ in range(2):
        assert codes(made, [0.0, 0.0]) == ["ok", "gw.NoUsageLeftError"]
        made.desk.reset()


def test_changes_come_in_order() -> None:
    """However they were written down."""
    line = Timeline([Change(at_call=9, refill=3), Change(at_s=1.0, refill=2), Change(at_call=2, refill=1)])
    assert [each.refill for each in line.due(2, 0.5)] == [1]
    assert [each.refill for each in line.due(20, 9.0)] == [3, 2]
    assert line.due(99, 99.0) == []


async def test_by_order_while_it_serves() -> None:
    """`POST /_sandbox/change`: tokens die, the member takes the authorisation back; nonsense changes nothing."""
    async with sandbox(require_token=True) as caller:
        token = {"access_token": "sandbox-access-token"}

        async def change(body: str) -> int:
            return (await caller.client.post("/_sandbox/change", content=body)).status_code

        assert (await caller.product(**token)).status_code == 200
        assert await change('{"expire_tokens": true}') == 200
        assert refusal(await caller.product(**token)) == (401, "401")
        assert (await refreshed(caller)).status_code == 200
        assert await change('{"revoke": true}') == 200
        assert (await refreshed(caller)).json()["error_message"] == "wrong refreshToken"
        for wrong in ("", "{", '{"refil": 1}', '{"set": {"seed": 1}}', '{"set": {"qps": 0}}', '{"app": "9"}'):
            assert await change(wrong) == 400
        assert await change('{"set": {"rules": ["acl@*"], "require_token": false}}') == 200
        assert refusal(await caller.product())[1] == "gw.APIACLDecline"


async def refreshed(caller: Caller) -> Any:
    """A refresh with the first refresh token."""
    form = {
        "grant_type": "refresh_token",
        "client_id": KEY,
        "client_secret": "sandbox-secret",
        "refresh_token": "sandbox-refresh-token",
    }
    return await caller.client.post(f"/openapi/http/1/system.oauth2/getToken/{KEY}", data=form)


SCENARIO = """
[sandbox]
qps = 20
usage = 5000
require_token = true
rules = ["isp-timeout@1%x1"]
[[app]]
app_key = "2000000"
app_secret = "not published"
caps = ["300/minute"]
[[change]]
at_call = 1000
set = { qps = 10 }
[[change]]
at_s = 30
expire_tokens = true
"""


def test_a_scenario_is_a_file(tmp_path: Path) -> None:
    """How it begins, further apps, what changes."""
    path = tmp_path / "night.toml"
    path.write_text(SCENARIO)
    scenario = read_scenario(str(path))
    assert (scenario.settings.qps, scenario.settings.usage) == (20, 5000)
    assert scenario.settings.apps[0].secret("app_secret") == "not published"
    assert [each.at_call for each in scenario.changes] == [1000, None]
    assert isinstance(App(scenario.settings, StillClock(), scenario.changes), App)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[sandbox", "Expected"),
        ("[sandbox]\nqqs = 1\n", "qqs"),
        ("[sandbox]\nqps = 0\n", "qps is above 0"),
        ('[sandbox]\nqps = "many"\n', "Expected `float | null`"),
        ("[[change]]\nat_cal = 1\n", "at_cal"),
        ("[[change]]\nat_call = 1\nat_s = 2\n", "two times"),
        ("[[change]]\nset = { qps = -1 }\n", "qps is above 0"),
        ("[[change]]\nset = { port = 1 }\n", "port is not an option that can change"),
        ('[[change]]\napp = "9"\n', "no such app"),
        ('[[change]]\napp = "1000000"\nset = { latency_ms = 1 }\n', "not one app's own"),
    ],
)
def test_a_scenario_that_cannot_be_meant(tmp_path: Path, text: str, said: str) -> None:
    """The sentence says what and where."""
    path = tmp_path / "night.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"night\.toml|change 1") as caught:
        read_scenario(str(path))
    assert said in str(caught.value)


def test_no_scenario() -> None:
    """A missing file is a sentence."""
    with pytest.raises(UsageError, match=r"cannot read nowhere\.toml"):
        read_scenario("nowhere.toml")


def test_changes_of_one_app_must_be_its_own() -> None:
    """What is every app's cannot be changed for one."""
    with pytest.raises(UsageError, match="not one app's own"):
        check_changes([Change(app=KEY, set={"latency_ms": 1})], SandboxSettings())
