"""A sandbox in a process of its own, so that it does not take the caller's core, and ends with the caller.

Settings go in as one line on stdin, never as arguments: they hold secrets, and arguments can be read by anyone. The
child says its port on stdout, as one line, and leaves when stdin ends: whatever way the parent went, it is closed then.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import msgspec

from fetcher.errors import Defect, UsageError
from fetcher.sandbox.app import CHANGE, RESET, STATS, create_app
from fetcher.sandbox.changes import Change, Scenario
from fetcher.sandbox.options import SandboxSettings, from_builtins, to_builtins
from fetcher.sandbox.server import address, bind
from fetcher.secret import Secret

if TYPE_CHECKING:
    from fetcher.sandbox.listener import Listener

END_S: Final = 5.0
"""How long a child may take to end before it is killed."""

# The parent's module path goes along (as multiprocessing's spawn does), so that both run the same code; -P keeps the
# working folder out until it is there.
_START: Final = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[1]); from fetcher.sandbox.process import main; main()"
)


class SandboxHandle(msgspec.Struct, frozen=True):
    """A running sandbox, seen from outside."""

    url: str
    """As `--gateway` takes it."""
    app_key: str
    app_secret: Secret
    access_token: Secret
    refresh_token: Secret
    pid: int

    def stats(self) -> dict[str, Any]:
        """What it saw so far; see `Ledger.stats`. Blocks for a round trip."""
        counted: dict[str, Any] = json.loads(self._ask("GET", STATS))
        return counted

    def reset(self) -> None:
        """Let it forget all calls. Blocks for a round trip."""
        self._ask("POST", RESET)

    def change(self, **change: Any) -> None:
        """Change something while it serves; the words are those of `Change`. Blocks for a round trip.

        Raises:
            UsageError: it is not possible.
        """
        said = self._ask("POST", CHANGE, msgspec.json.encode(change))
        if said != b"{}":
            raise UsageError(json.loads(said)["error_message"])

    def _ask(self, method: str, path: str, body: bytes | None = None) -> bytes:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=END_S)
        try:
            connection.request(method, path, body)
            return connection.getresponse().read()
        finally:
            connection.close()


@contextmanager
def spawn(settings: SandboxSettings | None = None, changes: Sequence[Change] = ()) -> Iterator[SandboxHandle]:
    """Start a sandbox on a free port (`settings.port` is not used); it ends with the block, or with this process.

    A Ctrl-C in the terminal does not reach it, so that its caller can drain first. `changes`: what changes, and when.

    Yields:
        Address, credentials and counts.

    Raises:
        Defect: the process did not start; its own words are on stderr.
    """
    settings = msgspec.structs.replace(settings or SandboxSettings(), port=0)
    child = _start()
    assert child.stdin is not None and child.stdout is not None
    try:
        yield SandboxHandle(
            url=address(settings.host, _introduce(Scenario(settings, tuple(changes)), child.stdin, child.stdout)),
            app_key=settings.app_key,
            app_secret=settings.app_secret,
            access_token=settings.access_token,
            refresh_token=settings.refresh_token,
            pid=child.pid,
        )
    finally:
        _end(child)


def _start() -> subprocess.Popen[bytes]:
    path = json.dumps([entry for entry in sys.path if isinstance(entry, str)])
    flags = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
    return subprocess.Popen(  # noqa: S603  (our own interpreter and words)
        [sys.executable, "-P", "-c", _START, path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
        creationflags=flags,
        bufsize=0,
    )


def _introduce(scenario: Scenario, stdin: IO[bytes], stdout: IO[bytes]) -> int:
    """Hand the settings over; the answer is the port, and comes when connections are taken."""
    try:
        stdin.write(encode(scenario) + b"\n")
        line = stdout.readline()
    except BrokenPipeError:
        line = b""
    if not line:
        raise Defect("the sandbox's process did not start")
    return int(line)


def _end(child: subprocess.Popen[bytes]) -> None:
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            pipe.close()
    try:
        child.wait(END_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def encode(scenario: Scenario) -> bytes:
    """Settings and changes as one line of JSON, secrets and all: for a pipe only."""
    return msgspec.json.encode([to_builtins(scenario.settings), scenario.changes])


def decode(line: bytes) -> Scenario:
    """The opposite of `encode`."""
    settings, changes = msgspec.json.decode(line)
    return Scenario(from_builtins(settings, "settings"), msgspec.convert(changes, tuple[Change, ...]))


def main() -> None:
    """The child: reads its settings, serves, says its port, and ends with stdin or on SIGTERM."""
    from fetcher.sandbox.listener import Listener, run
    from fetcher.sandbox.server import stop_on_signals

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    settings, changes = msgspec.structs.astuple(decode(sys.stdin.buffer.readline()))
    bound = bind(settings.host, settings.port)
    port = bound.getsockname()[1]
    listener = Listener(create_app(settings, changes=changes), bound, lambda: _write_line(port))

    def prepare(listener: Listener) -> None:
        stop_on_signals(listener, [signal.SIGTERM])
        _watch_stdin(listener)

    run(listener, prepare)


def _write_line(port: int) -> None:
    os.write(sys.stdout.fileno(), b"%d\n" % port)


def _watch_stdin(listener: Listener) -> None:
    """End with stdin. A thread, since not every event loop can watch a pipe; below the buffer, whose lock would be held
    when the interpreter ends."""
    loop = asyncio.get_running_loop()
    descriptor = sys.stdin.fileno()

    def watch() -> None:
        while os.read(descriptor, 4096):
            pass
        with suppress(RuntimeError):  # the loop has ended already
            loop.call_soon_threadsafe(listener.stop)

    threading.Thread(target=watch, name="stdin-watch", daemon=True).start()
