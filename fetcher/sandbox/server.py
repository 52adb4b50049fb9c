"""`fetcher sandbox`: serves one sandbox in this process until a signal comes, then says what it saw."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from fetcher.errors import UsageError
from fetcher.sandbox.app import STATS, create_app
from fetcher.sandbox.catalog import example_ids
from fetcher.sandbox.changes import Change
from fetcher.sandbox.ledger import summary
from fetcher.sandbox.oauth import AUTHORISE
from fetcher.sandbox.options import PUBLISHED_SECRET, AppSettings, SandboxSettings
from fetcher.secret import Secret

if TYPE_CHECKING:
    from fetcher.sandbox.listener import Listener

SECRET_VARIABLE: Final = "FETCHER_SANDBOX_SECRET"  # noqa: S105  (the name of a place, not a secret)


def serve(
    settings: SandboxSettings | None = None,
    on_ready: Callable[[str], None] | None = None,
    changes: Sequence[Change] = (),
) -> None:
    """Serve until SIGINT or SIGTERM; a second signal ends at once. Blocks.

    Args:
        settings: what it is told. A secret in the environment (`FETCHER_SANDBOX_SECRET`) replaces the published one.
        on_ready: is given the address once connections are taken, in place of the words on stdout and stderr. It runs
            on the server's event loop.
        changes: what changes, and when.

    Raises:
        UsageError: the address cannot be listened on.
    """
    from fetcher.sandbox.listener import Listener, run

    settings = with_secret_of(settings or SandboxSettings(), os.environ.get(SECRET_VARIABLE))
    bound = bind(settings.host, settings.port)
    url = address(settings.host, bound.getsockname()[1])
    app = create_app(settings, changes=changes)
    run(Listener(app, bound, lambda: (on_ready or announcement(settings))(url)), stop_on_signals)
    _say("\n" + summary(app.stats()))


def with_secret_of(settings: SandboxSettings, secret: str | None) -> SandboxSettings:
    """The settings with this secret, unless they have one of their own or it is none."""
    if not secret or settings.app_secret != PUBLISHED_SECRET:
        return settings
    return msgspec.structs.replace(settings, app_secret=Secret(secret))


def bind(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        UsageError: taken, not allowed, or not an address of this machine.
    """
    try:
        [family, kind, protocol, _, place] = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        bound = socket.socket(family, kind, protocol)
        try:
            if os.name == "posix":  # elsewhere it would let two servers share a port
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(place)
        except OSError:
            bound.close()
            raise
    except OSError as error:
        reason = error.strerror or "the address cannot be used"
        raise UsageError(f"cannot listen on {host}, port {port}: {reason}", "--port 0 takes a free one") from error
    return bound


def address(host: str, port: int) -> str:
    """The gateway's URL, as `--gateway` takes it."""
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/openapi"


def announcement(settings: SandboxSettings) -> Callable[[str], None]:
    """Says on stdout where it is, and on stderr how to use it. A secret that is not published is not shown."""

    def announce(url: str) -> None:
        sys.stdout.write(url + "\n")
        sys.stdout.flush()
        _say(how_to_use(settings, url))

    return announce


def how_to_use(settings: SandboxSettings, url: str) -> str:
    """Credentials and a command to try."""
    published = settings.app_secret == PUBLISHED_SECRET
    secret = settings.app_secret.reveal() if published else f"yours, of {SECRET_VARIABLE}"
    variable = secret if published else f'"${SECRET_VARIABLE}"'
    token = f"FETCHER_ACCESS_TOKEN={_shown(settings.registered[0], 'access_token')} " if settings.require_token else ""
    some = r"\n".join(example_ids(3))
    lines = [
        "A 1688 gateway on this machine; its products are made up.",
        f"app key     {settings.app_key}",
        f"app secret  {secret}",
        *(f"further app {app.app_key}, secret {_shown(app, 'app_secret')}" for app in settings.apps),
        *(_token_lines(settings, url) if settings.require_token else ()),
        f"counts      {url.removesuffix('/openapi')}{STATS}",
        "",
        "Try it:",
        f"  printf '{some}\\n' |",
        f"  {token}FETCHER_APP_SECRET={variable} fetcher run - -o - --gateway {url} --app-key {settings.app_key}",
        "",
        "Ctrl-C ends it.",
    ]
    return "\n".join(lines)


def _token_lines(settings: SandboxSettings, url: str) -> list[str]:
    first = settings.registered[0]
    page = f"{url.removesuffix('/openapi')}{AUTHORISE}"
    return [
        f"tokens      access {_shown(first, 'access_token')}, refresh {_shown(first, 'refresh_token')}",
        f"authorise   {page}?client_id={settings.app_key}&site=1688",
    ]


def _shown(app: AppSettings, name: str) -> str:
    """A secret that everybody knows; no other."""
    known = app.secret(name)
    return known if known.startswith("sandbox-") else "(yours)"


def stop_on_signals(listener: Listener, numbers: Sequence[int] = (signal.SIGINT, signal.SIGTERM)) -> None:
    """Let the running loop stop the listener on these signals. Outside the main thread signals are not ours."""
    if threading.current_thread() is not threading.main_thread():
        return
    loop = asyncio.get_running_loop()
    for number in numbers:
        try:
            loop.add_signal_handler(number, listener.stop)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(listener.stop))


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
