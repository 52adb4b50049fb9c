"""The lanes, behind one door, each with a far end that plays a script; and certificates."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fetcher.clock import SystemClock
from fetcher.model import Request
from fetcher.transport import open_transport
from tests.transport.fake import SILENCE, FakeTransport
from tests.transport.raw_server import Far, RawServer, answering, raw_server, silent
from tests.transport.scripts import LIMIT, Script

REQUEST = Request("POST", "/openapi/param2/1/x/y/1?a=b", b"productID=1&access_token=t0k3n")
Lane = Callable[[Script], AbstractAsyncContextManager[Any]]


def script_handler(script: Script) -> Any:
    """The far end of real lanes for a script."""
    return silent if script is SILENCE else answering(script.answer, close=script.close)


@pytest.fixture(params=["fast", "httpx", "fake"])
def lane(request: pytest.FixtureRequest) -> Lane:
    """A transport whose far end answers every request as the script says."""

    @asynccontextmanager
    async def opened(script: Script) -> AsyncIterator[Any]:
        if request.param == "fake":
            yield FakeTransport(script, SystemClock())
            return
        async with raw_server(script_handler(script)) as server:
            transport = open_transport(
                server.origin, kind=request.param, clock=SystemClock(), max_body_bytes=LIMIT, connect_timeout_s=2
            )
            try:
                yield transport
            finally:
                await transport.aclose()

    return opened


@dataclass
class Certificates:
    """A certificate for `localhost` and 127.0.0.1 that vouches for itself."""

    certificate: str
    key: str

    def server_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        context.set_alpn_protocols(["h2", "http/1.1"])
        return context


def make_certificate(folder: Path, *names: str) -> Certificates:
    """Made by the openssl command."""
    if shutil.which("openssl") is None:
        pytest.skip("the openssl command is not there")
    made = Certificates(str(folder / "certificate.pem"), str(folder / "key.pem"))
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", made.key]
    names_of = ["-subj", "/CN=fetcher-test", "-addext", "subjectAltName=" + ",".join(names)]
    subprocess.run(
        ["openssl", "req", "-x509", "-days", "9", "-out", made.certificate, *key, *names_of],
        check=True,
        capture_output=True,
    )
    return made


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificate(tmp_path_factory.mktemp("tls"), "DNS:localhost", "IP:127.0.0.1")


@pytest.fixture(scope="session")
def wrong_certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Sound, but of another host."""
    return make_certificate(tmp_path_factory.mktemp("tls"), "DNS:elsewhere.example")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


__all__ = ["REQUEST", "Far", "RawServer"]
