"""Serving in this process: where, with which secret, and what is said about it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fetcher.errors import UsageError
from fetcher.sandbox import SandboxSettings
from fetcher.sandbox.server import address, bind, how_to_use, with_secret_of
from fetcher.secret import Secret

ROOT = Path(__file__).parents[2]


def test_a_taken_port_is_a_usage_error() -> None:
    """With what to do about it; port 0 is never taken."""
    with bind("127.0.0.1", 0) as first:
        first.listen()
        with pytest.raises(UsageError, match="cannot listen") as caught:
            bind("127.0.0.1", first.getsockname()[1])
    assert "--port 0" in caught.value.advice


def test_an_address_of_another_machine_is_a_usage_error() -> None:
    """As is a name that means nothing."""
    with pytest.raises(UsageError, match="cannot listen"):
        bind("192.0.2.1", 0)


def test_addresses() -> None:
    """Those of IPv6 in brackets."""
    assert address("127.0.0.1", 80) == "http://127.0.0.1:80/openapi"
    assert address("::1", 81) == "http://[::1]:81/openapi"


def test_a_secret_of_ones_own() -> None:
    """The environment's replaces the published one, but not one that was chosen; and it is not shown."""
    own = with_secret_of(SandboxSettings(), "s3cret")
    assert own.app_secret.reveal() == "s3cret"
    assert with_secret_of(SandboxSettings(), None) == SandboxSettings()
    chosen = SandboxSettings(app_secret=Secret("chosen"))
    assert with_secret_of(chosen, "s3cret") is chosen
    assert "s3cret" not in how_to_use(own, "http://127.0.0.1:1/openapi")


def test_the_words_are_enough_to_try_it() -> None:
    """Key, published secret, counts and a command."""
    words = how_to_use(SandboxSettings(app_key="42"), "http://127.0.0.1:1/openapi")
    assert "42" in words and "sandbox-secret" in words and "http://127.0.0.1:1/_sandbox/stats" in words
    assert "fetcher run - -o - --gateway http://127.0.0.1:1/openapi --app-key 42" in words


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_a_signal_and_says_what_it_saw(number: signal.Signals) -> None:
    """The URL alone on stdout, words and ledger on stderr, exit 0."""
    code = "from fetcher.sandbox import SandboxSettings, serve; serve(SandboxSettings(port=0))"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    ) as server:
        assert server.stdout is not None
        url = server.stdout.readline()
        server.send_signal(number)
        out, err = server.communicate(timeout=20)
    assert url.startswith("http://127.0.0.1:") and url.endswith("/openapi\n") and out == ""
    assert "app key     1000000" in err and "calls      0" in err and "Traceback" not in err
    assert server.returncode == 0
