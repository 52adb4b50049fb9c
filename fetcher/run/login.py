"""`fetcher login`: a member authorises the app in a browser, and the code that comes back becomes tokens in a file."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlsplit

from fetcher.clock import Clock, SystemClock
from fetcher.errors import LimitReached, UsageError
from fetcher.gateway import code_in
from fetcher.model import NoReply, Reply, Request
from fetcher.run.asking import ask
from fetcher.run.assemble import assemble
from fetcher.run.event_loop import with_loop
from fetcher.run.token_file import Kept
from fetcher.run.tokens import TokenKeeper
from fetcher.settings import Settings

if TYPE_CHECKING:
    import httpx

PATIENCE_S: Final = 600.0
"""For a person to find the password."""
LOOPBACK: Final = "127.0.0.1"
_DONE: Final = "Authorised. You can close this page and go back to the terminal."
_NOT_DONE: Final = "That was not the answer that is waited for."


class Question(NamedTuple):
    """What the member is asked."""

    url: str
    """Where the browser goes."""
    redirect_uri: str
    state: str


class Listener:
    """Waits on this machine for the browser to come back. Use it as a context.

    Args:
        port: 0: a free one.

    Raises:
        UsageError: the port is taken.
    """

    def __init__(self, port: int = 0) -> None:
        try:
            self._server = _Server((LOOPBACK, port), _Handler)
        except OSError as error:
            raise UsageError(
                f"cannot listen on {LOOPBACK}, port {port}: {error.strerror}", "--port 0 takes a free one"
            ) from error
        self.redirect_uri = f"http://{LOOPBACK}:{self._server.server_address[1]}/"

    def __enter__(self) -> Listener:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.server_close()

    def wait(self, state: str, patience_s: float = PATIENCE_S) -> str:
        """The code.

        Raises:
            UsageError: the member said no.
            LimitReached: nobody came.
        """
        clock = SystemClock()
        until_s = clock.monotonic_s() + patience_s
        server = self._server
        server.state = state
        while not server.came and (left_s := until_s - clock.monotonic_s()) > 0:
            server.timeout = left_s
            server.handle_request()
        if not server.came:
            raise LimitReached("nobody came back from the browser", "Run fetcher login again.")
        return code_in(server.came, state)


class _Server(TCPServer):
    """One socket, one request after the other. (http.server's own asks the resolver for its name, which may hang.)"""

    allow_reuse_address = True
    state = ""
    came = ""
    """The address that carried our state."""


class _Handler(BaseHTTPRequestHandler):
    """Takes the first request that carries our state; a browser also asks for an icon."""

    server: _Server
    timeout = 5.0

    def do_GET(self) -> None:
        query = urlsplit(self.path).query
        ours = f"state={self.server.state}" in query.split("&") and self.path.startswith("/?")
        if ours:
            self.server.came = self.path
        text = (_DONE if ours else _NOT_DONE).encode()
        self.send_response(200 if ours else 404)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nothing: the address holds the code."""


def question(settings: Settings, redirect_uri: str, page: str | None = None) -> Question:
    """What the member is to be asked; each with a state of its own.

    Raises:
        UsageError: a credential is missing, or the protocol has no such page.
    """
    if settings.protocol == "top":
        raise UsageError("the TOP family hands its sessions out elsewhere", "Leave --protocol out, or get one there.")
    state = secrets.token_urlsafe(16)
    keeper = TokenKeeper(settings, SystemClock())
    return Question(keeper.authorise_url(redirect_uri, state, page), redirect_uri, state)


def login(settings: Settings, code: str, redirect_uri: str) -> Kept:
    """Exchange a code and store the tokens in `settings.token_file`.

    Raises:
        Refused: the code is wrong, used or older than two minutes; or the app's secret is wrong.
        LimitReached: the gateway did not answer.
        OutputError: the file cannot be written.
    """
    return with_loop(exchange(settings, SystemClock(), code, redirect_uri))


async def exchange(
    settings: Settings, clock: Clock, code: str, redirect_uri: str, client: httpx.AsyncClient | None = None
) -> Kept:
    """`login` within an event loop."""
    parts = assemble(settings, clock=clock, client=client)

    async def asking(make: Callable[[], Request]) -> Reply | NoReply:
        return await ask(parts, make)

    try:
        return await parts.tokens.exchange(asking, code, redirect_uri)
    finally:
        await parts.aclose()
