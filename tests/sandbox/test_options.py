"""What a sandbox may be told."""

from __future__ import annotations

from typing import Any

import pytest

from fetcher.errors import UsageError
from fetcher.sandbox import SandboxSettings


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "localhost"])
def test_loopback_is_allowed(host: str) -> None:
    """Addresses that only this machine reaches."""
    assert SandboxSettings(host=host).host == host


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.com", ""])
def test_other_hosts_must_be_allowed(host: str) -> None:
    """By name, in the settings; not by mistake."""
    with pytest.raises(UsageError, match="loopback"):
        SandboxSettings(host=host)
    assert SandboxSettings(host=host, allow_remote=True).host == host


@pytest.mark.parametrize(
    "wrong",
    [
        {"absent": 1.1},
        {"error_rate": -0.1},
        {"error_rate": 0.6, "reset_rate": 0.6},
        {"port": 65536},
        {"qps": 0},
        {"qps": float("nan")},
        {"window": "round"},
        {"limit_scope": "user"},
        {"limit_status": 503},
        {"fault_repeats": -1},
        {"latency_ms": -1},
        {"ban_s": float("nan")},
        {"slow_ms": float("inf")},
        {"usage": -1},
        {"token_life_s": -1},
        {"retry_after_s": -1},
        {"app_key": ""},
        {"app_key": "a/b"},
    ],
)
def test_what_cannot_be_meant_is_refused(wrong: dict[str, Any]) -> None:
    """With the rule that it breaks."""
    with pytest.raises(UsageError, match=r"^sandbox: "):
        SandboxSettings(**wrong)


def test_secrets_are_not_shown() -> None:
    """Not even published ones."""
    assert "sandbox-secret" not in repr(SandboxSettings())
