"""Connections that cannot be had, and how the host is found."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import Any

import pytest

from fetcher.clock import SystemClock
from fetcher.model import Lost, NoReply, Reply
from fetcher.transport import FastTransport
from tests.fakes import StillClock
from tests.transport.conftest import REQUEST
from tests.transport.raw_server import answering, plain, raw_server


def transport_to(origin: str, **options: Any) -> FastTransport:
    return FastTransport(origin, **{"clock": SystemClock(), "connect_timeout_s": 2.0} | options)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Resolver:
    """Stands in for the system's: names are what the test says."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, answer: list[str] | Exception) -> None:
        self.answer, self.asked = answer, 0
        self._real = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", self._look_up)

    def _look_up(self, host: bytes, port: int, *rest: Any, **options: Any) -> Any:
        if host != b"gateway.example":
            return self._real(host, port, *rest, **options)
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in self.answer]


async def test_a_refused_connection_is_a_value() -> None:
    """Nothing was sent, and it may be tried again."""
    transport = transport_to(f"http://127.0.0.1:{free_port()}")
    lost = await transport.ready()
    assert isinstance(lost, NoReply)
    assert (lost.kind, lost.sent, lost.permanent) == (Lost.REFUSED, False, False)
    assert await transport.warm(3) == 0
    await transport.aclose()


@pytest.mark.parametrize(
    ("error", "kind", "permanent"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), Lost.DNS, False),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure"), Lost.DNS, False),
        (UnicodeError("label too long"), Lost.DNS, True),
        (OSError(24, "Too many open files"), Lost.CONNECT, False),
    ],
)
async def test_a_host_that_is_not_found(
    monkeypatch: pytest.MonkeyPatch, error: Exception, kind: Lost, permanent: bool
) -> None:
    """The resolver's failures are values, and it is asked again the next time."""
    resolver = Resolver(monkeypatch, error)
    transport = transport_to("http://gateway.example")
    for turn in (1, 2):
        lost = await transport.ready()
        assert isinstance(lost, NoReply)
        assert (lost.kind, lost.sent, lost.permanent) == (kind, False, permanent)
        assert "gateway.example" not in lost.detail
        assert resolver.asked == turn
    await transport.aclose()


async def test_many_connections_ask_once_where_the_host_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """And again when the answer has grown old."""
    resolver = Resolver(monkeypatch, ["127.0.0.1"])
    clock = StillClock()
    async with raw_server(answering(plain(b"ok"))) as server:
        transport = transport_to(f"http://gateway.example:{server.port}", clock=clock)
        assert await transport.warm(20) == 20
        assert resolver.asked == 1
        clock.now_s += 100.0
        connection = await transport.ready()
        assert not isinstance(connection, NoReply)
        assert resolver.asked == 2
        assert isinstance(await connection.exchange(REQUEST, 2), Reply)
        await transport.aclose()


async def test_the_next_address_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that refuses is passed over; the one that works comes first the next time."""
    resolver = Resolver(monkeypatch, ["127.0.0.2", "127.0.0.3", "127.0.0.1"])
    async with raw_server(answering(plain(b"ok"))) as server:
        transport = transport_to(f"http://gateway.example:{server.port}")
        assert not isinstance(await transport.ready(), NoReply)
        assert transport._connections._opener._addresses._known[0] == "127.0.0.1"
        assert not isinstance(await transport.ready(), NoReply)
        assert resolver.asked == 1
        await transport.aclose()


async def test_an_address_that_leads_nowhere_does_not_take_all_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """IPv6 that is announced and does not work is common."""
    Resolver(monkeypatch, ["192.0.2.1", "127.0.0.1"])
    async with raw_server(answering(plain(b"ok"))) as server:
        transport = transport_to(f"http://gateway.example:{server.port}", connect_timeout_s=0.4)
        assert not isinstance(await transport.ready(), NoReply)
        await transport.aclose()


async def test_a_resolver_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Within the time for connecting; those who ask meanwhile wait for the same question."""
    go_on, asked = threading.Event(), []

    def hanging(*_: Any, **__: Any) -> Any:
        asked.append(1)
        go_on.wait(5)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 1))]

    monkeypatch.setattr(socket, "getaddrinfo", hanging)
    transport = transport_to("http://gateway.example", connect_timeout_s=0.05)
    for lost in await asyncio.gather(*(transport.ready() for _ in range(3))):
        assert isinstance(lost, NoReply)
        assert (lost.kind, lost.sent) == (Lost.TIMEOUT, False)
    assert len(asked) == 1
    go_on.set()
    await transport.aclose()


async def test_ipv6_literals() -> None:
    """In brackets in the URL and in the Host header."""
    if not socket.has_ipv6:
        pytest.skip("no IPv6")
    seen: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(plain(b"ok", "Connection: close"))
        writer.close()

    try:
        server = await asyncio.start_server(serve, "::1", 0)
    except OSError:
        pytest.skip("no IPv6 loopback")
    port = server.sockets[0].getsockname()[1]
    transport = transport_to(f"http://[::1]:{port}")
    connection = await transport.ready()
    assert not isinstance(connection, NoReply)
    assert isinstance(await connection.exchange(REQUEST, 2), Reply)
    assert f"Host: [::1]:{port}\r\n".encode() in seen[0]
    await transport.aclose()
    server.close()
