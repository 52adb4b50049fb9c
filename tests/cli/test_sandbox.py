"""`fetcher sandbox`: what the gateway is told, and what is refused before it starts."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from fetcher import sandbox as real
from tests.cli.conftest import CommandLine


class FakeSandbox(ModuleType):
    """Stands in for `fetcher.sandbox`: notes what was served."""

    def __init__(self) -> None:
        super().__init__("fetcher.sandbox")
        self.served: list[dict[str, Any]] = []

        self.changes: list[Any] = []
        self.Scenario, self.read_scenario = real.Scenario, real.read_scenario

    def with_options(self, settings: Any, options: dict[str, Any], apps: tuple[str, ...]) -> dict[str, Any]:
        """The settings as they were given."""
        real.with_options(settings, options, apps)
        return options | ({"apps": apps} if apps else {})

    def serve(self, settings: dict[str, Any], changes: Any) -> None:
        """Take a note."""
        self.served.append(settings)
        self.changes.extend(changes)


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> FakeSandbox:
    """The sandbox's stand-in."""
    fake = FakeSandbox()
    monkeypatch.setitem(sys.modules, "fetcher.sandbox", fake)
    return fake


def test_what_is_not_said_is_the_sandboxs(fetcher: CommandLine, sandbox: FakeSandbox) -> None:
    """No default stands in two places."""
    assert fetcher("sandbox").code == 0
    assert sandbox.served == [{}]


def test_every_option_reaches_the_sandbox(fetcher: CommandLine, sandbox: FakeSandbox) -> None:
    """With its type."""
    words = "--host ::1 --port 0 --app-key 7 --seed 3 --qps 12.5 --window fixed --latency-ms 20 --jitter-ms 5"
    words += " --absent 0.1 --xml --error-rate 0.02 --require-token --strict"
    words += " --token-life 60 --cap 300/minute --cap 9/day --usage 5 --deny a/b --rule acl@77 --app 8 --app 9"
    words += " --clock-offset -3 --demand-timestamp"
    assert fetcher("sandbox", *words.split()).code == 0
    assert sandbox.served == [
        {
            "host": "::1",
            "port": 0,
            "app_key": "7",
            "seed": 3,
            "qps": 12.5,
            "window": "fixed",
            "latency_ms": 20.0,
            "jitter_ms": 5.0,
            "absent": 0.1,
            "xml": True,
            "error_rate": 0.02,
            "require_token": True,
            "strict": True,
            "token_life_s": 60.0,
            "caps": ("300/minute", "9/day"),
            "usage": 5,
            "denied_apis": ("a/b",),
            "rules": ("acl@77",),
            "apps": ("8", "9"),
            "clock_offset_s": -3.0,
            "demand_timestamp": True,
        }
    ]


@pytest.mark.parametrize(
    "words",
    [
        "--port 70000",
        "--qps 0",
        "--window round",
        "--latency-ms -1",
        "--absent 1.5",
        "--error-rate x",
        "--app-secret x",
        "--usage -1",
        "--scenario nowhere.toml",
        "--rule acl",
        "--cap 3",
    ],
)
def test_what_is_impossible_is_refused(fetcher: CommandLine, sandbox: FakeSandbox, words: str) -> None:
    """Exit 2, and nothing is served."""
    ended = fetcher("sandbox", *words.split())
    assert ended.code == 2
    assert words.split()[0] in ended.err or words.split()[1] in ended.err
    assert sandbox.served == []


def test_a_scenario_brings_its_changes(fetcher: CommandLine, sandbox: FakeSandbox, tmp_path: Path) -> None:
    """Options stand above what it says."""
    path = tmp_path / "night.toml"
    path.write_text("[[change]]\nat_call = 7\nuse_up = true\n")
    assert fetcher("sandbox", "--scenario", str(path), "--qps", "3").code == 0
    assert sandbox.served == [{"qps": 3.0}] and [change.at_call for change in sandbox.changes] == [7]
