"""`fetcher sandbox`: what the gateway is told, and what is refused before it starts."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

from tests.cli.conftest import CommandLine


class FakeSandbox(ModuleType):
    """Stands in for `fetcher.sandbox`: notes what was served."""

    def __init__(self) -> None:
        super().__init__("fetcher.sandbox")
        self.served: list[dict[str, Any]] = []

    def SandboxSettings(self, **given: Any) -> dict[str, Any]:
        """The settings as they were given."""
        return given

    def serve(self, settings: dict[str, Any]) -> None:
        """Take a note."""
        self.served.append(settings)


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
    ],
)
def test_what_is_impossible_is_refused(fetcher: CommandLine, sandbox: FakeSandbox, words: str) -> None:
    """Exit 2, and nothing is served."""
    ended = fetcher("sandbox", *words.split())
    assert ended.code == 2
    assert words.split()[0] in ended.err
    assert sandbox.served == []
