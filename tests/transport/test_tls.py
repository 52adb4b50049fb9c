"""TLS: verified, or nothing is sent; and no key leaves through the environment."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from pathlib import Path
from typing import Any

import pytest

from fetcher.clock import SystemClock
from fetcher.errors import UsageError
from fetcher.model import Lost, NoReply, Reply
from fetcher.transport import FastTransport, open_transport
from fetcher.transport.tls import client_context
from tests.transport.conftest import REQUEST, Certificates
from tests.transport.raw_server import Far, answering, plain, raw_server
from tests.transport.scripts import BODY

LANES = pytest.mark.parametrize("kind", ["fast", "httpx"])


async def ask(origin: str, kind: str, ca_file: str | None, timeout_s: float = 2) -> Reply | NoReply:
    """One exchange, or why there is no connection."""
    transport = open_transport(origin, kind=kind, clock=SystemClock(), ca_file=ca_file, connect_timeout_s=timeout_s)
    try:
        connection: Any = await transport.ready()
        return connection if isinstance(connection, NoReply) else await connection.exchange(REQUEST, 3)
    finally:
        await transport.aclose()


@LANES
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
async def test_a_certificate_that_is_vouched_for(certificates: Certificates, kind: str, host: str) -> None:
    """By the authorities that were named, for the host that was asked for; HTTP/1.1 is agreed on."""
    agreed: list[Any] = []

    async def serve(far: Far) -> None:
        agreed.append(far.writer.get_extra_info("ssl_object").selected_alpn_protocol())
        await far.request()
        await far.say(plain(BODY))
        await far.wait_for_end()

    async with raw_server(serve, certificates.server_context()) as server:
        reply = await ask(f"https://{host}:{server.port}", kind, certificates.certificate)
        assert isinstance(reply, Reply)
        assert reply.body == BODY
        assert agreed == ["http/1.1"]


@LANES
async def test_an_unknown_certificate_is_refused(certificates: Certificates, kind: str) -> None:
    """Trying again cannot help, and nothing was sent."""
    async with raw_server(answering(plain(BODY)), certificates.server_context()) as server:
        lost = await ask(f"https://localhost:{server.port}", kind, None)
        assert isinstance(lost, NoReply)
        assert (lost.kind, lost.sent, lost.permanent) == (Lost.TLS, False, True)
        assert server.requests == []


@LANES
async def test_a_certificate_of_another_host_is_refused(wrong_certificates: Certificates, kind: str) -> None:
    """However well it is vouched for."""
    async with raw_server(answering(plain(BODY)), wrong_certificates.server_context()) as server:
        lost = await ask(f"https://localhost:{server.port}", kind, wrong_certificates.certificate)
        assert isinstance(lost, NoReply)
        assert (lost.kind, lost.sent, lost.permanent) == (Lost.TLS, False, True)
        assert "localhost" not in lost.detail


@LANES
async def test_a_server_that_does_not_speak_tls(certificates: Certificates, kind: str) -> None:
    """Nothing was sent in the clear."""

    async def shout(far: Far) -> None:
        await far.say(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await far.wait_for_end()

    async with raw_server(shout) as server:
        lost = await ask(f"https://localhost:{server.port}", kind, certificates.certificate)
        assert isinstance(lost, NoReply)
        assert (lost.kind, lost.sent) == (Lost.TLS, False)


@LANES
async def test_a_handshake_that_stalls(certificates: Certificates, kind: str) -> None:
    """Ends with the time for connecting."""

    async def stall(far: Far) -> None:
        await far.wait_for_end()

    async with raw_server(stall) as server:
        lost = await ask(f"https://localhost:{server.port}", kind, certificates.certificate, timeout_s=0.1)
        assert isinstance(lost, NoReply)
        assert (lost.kind, lost.sent) == (Lost.TIMEOUT, False)


@LANES
async def test_a_handshake_that_is_cut_off(certificates: Certificates, kind: str) -> None:
    """Is a connection that did not come to stand."""

    async def cut(far: Far) -> None:
        await far.reader.read(1)

    async with raw_server(cut) as server:
        lost = await ask(f"https://localhost:{server.port}", kind, certificates.certificate)
        assert isinstance(lost, NoReply)
        assert lost.kind in (Lost.CONNECT, Lost.TLS)
        assert (lost.sent, lost.permanent) == (False, False)


@pytest.mark.parametrize("cut", [False, True])
async def test_a_body_up_to_the_end_needs_an_end_that_is_meant(certificates: Certificates, cut: bool) -> None:
    """In TLS an end is announced; without that, anyone on the way may have cut the body short."""

    async def serve(far: Far) -> None:
        await far.request()
        await far.say(b"HTTP/1.1 200 OK\r\n\r\n" + BODY)
        if cut:
            await asyncio.sleep(0.02)
            far.writer.transport.abort()

    async with raw_server(serve, certificates.server_context()) as server:
        got = await ask(f"https://localhost:{server.port}", "fast", certificates.certificate)
        assert isinstance(got, NoReply if cut else Reply)


async def test_connections_are_used_again(certificates: Certificates) -> None:
    """A handshake costs more than a request."""
    async with raw_server(answering(plain(BODY)), certificates.server_context()) as server:
        transport = open_transport(
            f"https://localhost:{server.port}", clock=SystemClock(), ca_file=certificates.certificate
        )
        for _ in range(3):
            connection: Any = await transport.ready()
            assert isinstance(await connection.exchange(REQUEST, 2), Reply)
        assert (server.connections, transport.idle) == (1, 1)
        await transport.aclose()


@LANES
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_second_connection_resumes_the_session(
    certificates: Certificates, kind: str, version: ssl.TLSVersion
) -> None:
    """No second signature, in either version; the host's name and the authorities were looked at the first time."""
    reused: list[bool] = []

    async def serve(far: Far) -> None:
        reused.append(far.writer.get_extra_info("ssl_object").session_reused)
        await far.request()
        await far.say(plain(BODY, "Connection: close"))

    context = certificates.server_context()
    context.minimum_version = context.maximum_version = version
    async with raw_server(serve, context) as server:
        transport = open_transport(
            f"https://localhost:{server.port}", kind=kind, clock=SystemClock(), ca_file=certificates.certificate
        )
        for _ in range(3):
            connection: Any = await transport.ready()
            assert isinstance(await connection.exchange(REQUEST, 2), Reply)
        await transport.aclose()
    assert reused == [False, True, True]


def shaken(client: ssl.SSLObject, server: ssl.SSLObject, bios: list[ssl.MemoryBIO], rounds: int) -> None:
    """Carry the handshake's bytes to and fro, so many times; it may then be whole or half."""
    to_client, from_client, to_server, from_server = bios
    for _ in range(rounds):
        for side, source, sink in ((client, from_client, to_server), (server, from_server, to_client)):
            with contextlib.suppress(ssl.SSLWantReadError):
                side.do_handshake()
            sink.write(source.read())


@pytest.mark.parametrize("rounds", range(4))
def test_a_handshake_under_way_has_no_session_to_give(certificates: Certificates, rounds: int) -> None:
    """At whatever stage it is when the next connection begins: that one makes a handshake of its own."""
    context, server_context = client_context(certificates.certificate), certificates.server_context()
    server_context.maximum_version = ssl.TLSVersion.TLSv1_2  # has more stages
    bios = [ssl.MemoryBIO() for _ in range(4)]
    first = context.wrap_bio(bios[0], bios[1], server_hostname="localhost")
    shaken(first, server_context.wrap_bio(bios[2], bios[3], server_side=True), bios, rounds)
    second = context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="localhost")
    assert (second.session is not None) == (first.version() is not None)


async def test_many_connections_at_once(certificates: Certificates) -> None:
    """Opened side by side over one context, each good for an exchange."""
    async with raw_server(answering(plain(BODY)), certificates.server_context()) as server:
        transport = FastTransport(
            f"https://localhost:{server.port}", clock=SystemClock(), ca_file=certificates.certificate
        )
        assert await transport.warm(12) == 12
        held: list[Any] = [await transport.ready() for _ in range(12)]
        replies = await asyncio.gather(*(one.exchange(REQUEST, 5) for one in held))
        assert all(isinstance(reply, Reply) for reply in replies)
        assert server.connections == 12
        await transport.aclose()


async def test_a_session_that_the_server_has_forgotten(certificates: Certificates) -> None:
    """A server that was started anew makes a whole handshake of it."""
    context = client_context(certificates.certificate)
    for _ in range(3):
        async with raw_server(answering(plain(BODY)), certificates.server_context()) as server:
            transport = FastTransport(f"https://localhost:{server.port}", clock=SystemClock(), context=context)
            connection: Any = await transport.ready()
            assert isinstance(await connection.exchange(REQUEST, 2), Reply)
            await transport.aclose()


async def test_a_session_is_no_passport_to_another_host(
    certificates: Certificates, wrong_certificates: Certificates
) -> None:
    """Whoever took over the address shows a certificate like everyone else."""
    context = client_context(certificates.certificate)
    context.load_verify_locations(wrong_certificates.certificate)
    async with raw_server(answering(plain(BODY)), certificates.server_context()) as server:
        transport = FastTransport(server.origin.replace("127.0.0.1", "localhost"), clock=SystemClock(), context=context)
        connection: Any = await transport.ready()
        assert isinstance(await connection.exchange(REQUEST, 2), Reply)
        await transport.aclose()
    async with raw_server(answering(plain(BODY)), wrong_certificates.server_context()) as server:
        transport = FastTransport(server.origin.replace("127.0.0.1", "localhost"), clock=SystemClock(), context=context)
        lost = await transport.ready()
        assert isinstance(lost, NoReply)
        assert (lost.kind, lost.permanent) == (Lost.TLS, True)
        await transport.aclose()


def test_keys_are_not_written_anywhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Python's default contexts write every session's key to the file that this variable names."""
    log = tmp_path / "keys"
    monkeypatch.setenv("SSLKEYLOGFILE", str(log))
    assert client_context().keylog_filename is None
    assert not log.exists()


def test_contexts_verify() -> None:
    """Chain, host name, TLS 1.2 or later, and there are authorities to ask."""
    context = client_context()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert context.cert_store_stats()["x509_ca"] > 50


def test_the_environment_does_not_change_whom_we_trust(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`SSL_CERT_FILE` is for others."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    assert client_context().cert_store_stats()["x509_ca"] > 50


def test_a_file_of_authorities_that_is_none(tmp_path: Path) -> None:
    """Missing or not PEM: said before anything is sent."""
    with pytest.raises(UsageError, match="cannot read"):
        client_context(str(tmp_path / "missing.pem"))
    junk = tmp_path / "junk.pem"
    junk.write_text("no certificate")
    with pytest.raises(UsageError, match="PEM"):
        client_context(str(junk))
