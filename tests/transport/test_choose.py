"""Which lane it is, and that importing the room loads neither."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import Any

import pytest

import fetcher.transport
from fetcher.clock import SystemClock
from fetcher.errors import UsageError
from fetcher.model import Reply
from fetcher.transport import FastTransport, HttpxTransport, open_transport
from tests.transport.conftest import REQUEST
from tests.transport.raw_server import answering, plain, raw_server


@pytest.mark.parametrize(
    ("options", "lane"),
    [
        ({}, FastTransport),
        ({"kind": "fast"}, FastTransport),
        ({"kind": "httpx"}, HttpxTransport),
        ({"proxy": "http://127.0.0.1:1"}, HttpxTransport),
        ({"trust_env": True}, HttpxTransport),
        ({"proxy": None, "trust_env": False, "http2": False, "ca_file": None}, FastTransport),
    ],
)
async def test_the_fast_lane_unless_only_httpx_can(options: dict[str, Any], lane: type) -> None:
    """Proxies and the environment's settings are httpx's business."""
    transport = open_transport("https://gateway.example", clock=SystemClock(), **options)
    assert isinstance(transport, lane)
    await transport.aclose()


@pytest.mark.parametrize(
    ("origin", "options"),
    [
        ("ftp://gateway.example", {}),
        ("gateway.example", {"kind": "httpx"}),
        ("http://gateway.example", {"kind": "carrier pigeon"}),
        ("http://gateway.example", {"kind": "fast", "proxy": "http://127.0.0.1:1"}),
        ("http://gateway.example", {"kind": "fast", "http2": True}),
        ("https://gateway.example", {"ca_file": "/nowhere/at/all.pem"}),
    ],
)
def test_what_does_not_fit_together_is_said_at_once(origin: str, options: dict[str, Any]) -> None:
    """Before anything is sent."""
    with pytest.raises(UsageError):
        open_transport(origin, clock=SystemClock(), **options)


def test_the_door_opens_lazily() -> None:
    """A mere import loads no event loop and no client; the fast lane does not load httpx."""
    code = """
import sys, fetcher.transport as room
assert not {"asyncio", "httpx", "httptools", "ssl"} & set(sys.modules)
room.FastTransport
assert "httptools" in sys.modules and "httpx" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_door_knows_what_it_does_not_have() -> None:
    """As any module does."""
    with pytest.raises(AttributeError, match="SlowTransport"):
        _ = fetcher.transport.SlowTransport  # type: ignore[attr-defined]


def test_on_uvloop() -> None:
    """The loop that the program runs on where it is there: plain, closed, late and cancelled."""
    uvloop = pytest.importorskip("uvloop")

    async def main() -> None:
        async with raw_server(answering(plain(b"x" * 400_000), plain(b"ok"))) as server:
            transport = FastTransport(server.origin, clock=SystemClock())
            assert await transport.warm(2) == 2
            for _ in range(5):
                connection: Any = await transport.ready()
                assert isinstance(await connection.exchange(REQUEST, 2), Reply)
            assert server.connections == 2
            await transport.aclose()
            assert (transport.idle, transport.in_use) == (0, 0)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
