"""Hot control: a run listens on a unix socket of its own, and says how it stands when it is sent SIGUSR1.

The socket belongs to whoever started the run (mode 0600). It lies beside OUT, `.NAME.ctl`; where that path is longer
than a socket's may be, or the file system knows none, under a name made from OUT's path in a private folder of the
machine's. Both ends speak JSON lines: `{"do":"status"}`, `{"do":"set","name":"qps","value":"20"}`; the answer is
`{"ok":true,"state":{…}}` or `{"ok":false,"error":"…"}`. OUT's lock says that there is one run, so a socket that is
there when a run begins is a dead one's.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import stat
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec

from fetcher.errors import FetcherError, UsageError
from fetcher.run.steering import State

LONGEST_PATH_BYTES: Final = 100
"""`sun_path` holds 104 bytes on macOS, 108 on Linux."""
LONGEST_LINE_BYTES: Final = 1 << 16
PATIENCE_S: Final = 10.0
"""How long a question may take to be asked, or answered."""
SETTABLE: Final = ("qps", "concurrency")
HAS_SOCKETS: Final = hasattr(socket, "AF_UNIX") and hasattr(os, "getuid")

log = logging.getLogger("fetcher")


class Steered(Protocol):
    """What can be asked of a run. Each but `state` may raise `UsageError`."""

    def state(self) -> State:
        """How it stands."""
        ...

    def pause(self) -> None:
        """Start nothing more."""
        ...

    def resume(self) -> None:
        """Go on."""
        ...

    def set_qps(self, text: str) -> None:
        """Another cap."""
        ...

    def set_concurrency(self, text: str) -> None:
        """Another number in flight."""
        ...

    def stop(self) -> None:
        """End in order."""
        ...


class Question(msgspec.Struct, frozen=True):
    """A line to the run."""

    do: str
    name: str = ""
    value: str = ""


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line from it."""

    ok: bool
    state: State | None = None
    error: str = ""


def socket_paths(out: str) -> list[Path]:
    """Where the socket of the run on OUT may be, the first choice first. The path of OUT must be resolved."""
    path = Path(out)
    beside = path.with_name(f".{path.name}.ctl")
    digest = blake2b(os.fsencode(out), digest_size=12).hexdigest()
    return [each for each in (beside, _apart() / f"{digest}.ctl") if len(os.fsencode(each)) <= LONGEST_PATH_BYTES]


def _apart() -> Path:
    return Path(f"/tmp/fetcher-{os.getuid()}")  # noqa: S108 - made private, and looked at, before it is used


def carry_out(question: Question, steered: Steered) -> Answer:
    """Do what is asked, and say how it stands then."""
    try:
        if question.do == "set" and question.name in SETTABLE:
            getattr(steered, f"set_{question.name}")(question.value)
        elif question.do in ("pause", "resume", "stop"):
            getattr(steered, question.do)()
        elif question.do != "status":
            raise UsageError(f"{question.do} {question.name}".strip() + " cannot be asked of a run")
    except FetcherError as error:
        return Answer(ok=False, error=str(error))
    return Answer(ok=True, state=steered.state())


@asynccontextmanager
async def controlled(out: str | None, steered: Steered) -> AsyncIterator[None]:
    """While inside, the run can be asked. Without OUT, or without unix sockets, it hears SIGUSR1 only."""
    listener = _listen(out) if out is not None and HAS_SOCKETS else None
    with hearing(lambda: _tell(steered)):
        if listener is None:
            yield
            return
        server = await asyncio.start_unix_server(_attend(steered), sock=listener, limit=LONGEST_LINE_BYTES)
        try:
            yield
        finally:
            path = Path(listener.getsockname())
            server.close()
            _remove(path)


def _listen(out: str) -> socket.socket | None:
    for path in socket_paths(out):
        sock = socket.socket(socket.AF_UNIX)
        try:
            if path.parent == _apart():
                _private_folder(path.parent)
            if path.is_socket():
                path.unlink()
            with suppress(OSError):
                os.fchmod(sock.fileno(), 0o600)  # on Linux: it is never open to others, not even for a moment
            sock.bind(str(path))
            path.chmod(0o600)
            sock.setblocking(False)
        except OSError as error:
            log.debug(f"no socket for fetcher ctl at {path}: {error.strerror}")
            sock.close()
            continue
        return sock
    return None


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()


def _private_folder(path: Path) -> None:
    """Ours alone. Raises OSError when it is somebody else's, or open to others."""
    path.mkdir(mode=0o700, exist_ok=True)
    there = path.lstat()
    if not stat.S_ISDIR(there.st_mode) or there.st_uid != os.getuid() or there.st_mode & 0o077:
        raise PermissionError(1, "the folder is not ours alone")


def _attend(steered: Steered) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]:
    async def attend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one caller, line by line, until it hangs up or says nothing for long."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while line := await reader.readline():
                    try:
                        answer = carry_out(msgspec.json.decode(line, type=Question), steered)
                    except msgspec.DecodeError:
                        answer = Answer(ok=False, error='that is no question: {"do":"status"} is one')
                    writer.write(msgspec.json.encode(answer) + b"\n")
                    await writer.drain()
        except (TimeoutError, OSError, ValueError):  # ValueError: a line without an end
            pass
        finally:
            writer.close()

    return attend


def not_yet() -> None:
    """Until a run can say how it stands, SIGUSR1 does nothing: while a large OUT is taken in it must not end it."""
    with suppress(AttributeError, ValueError):  # no such signal, or not the main thread
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)


@contextmanager
def hearing(told: Callable[[], None]) -> Iterator[None]:
    """While inside, SIGUSR1 calls `told` instead of ending the process."""
    which = getattr(signal, "SIGUSR1", None)
    loop = asyncio.get_running_loop()
    try:
        if which is not None:
            loop.add_signal_handler(which, told)
    except (NotImplementedError, RuntimeError, ValueError):  # not the main thread, or no such signals
        which = None
    try:
        yield
    finally:
        if which is not None:
            loop.remove_signal_handler(which)
            signal.signal(which, signal.SIG_IGN)  # one that comes late must not end the run


def _tell(steered: Steered) -> None:
    """On stderr, however quiet the run is: somebody has asked."""
    for line in state_lines(steered.state()):
        log.log(log.getEffectiveLevel(), line)


def state_lines(state: State) -> list[str]:
    """For a person."""
    total = "" if state.total is None else f" of {state.total}"
    eta = "" if state.eta_s is None else f", {state.eta_s:.0f} s left as things go"
    in_flight = f"{state.in_flight} in flight" + ("" if state.concurrency is None else f" of {state.concurrency}")
    cost = "" if state.cost is None else f", cost {state.cost:g} at most"
    pace = f"{state.rate_per_s:.1f}/s of {state.cap_per_s:g}/s (allowed now {state.allowed_per_s:.1f}/s)"
    again = f"{state.waiting} wait to be tried again, {state.retries} retries, {state.throttles} throttled"
    half_ms, most_ms = state.latency_p50_s * 1000, state.latency_p99_s * 1000
    lines = [
        f"{state.state}: {state.done}{total} IDs done, {state.failed} failed, after {state.elapsed_s:.0f} s{eta}",
        f"{state.calls} calls, {pace}, {in_flight}, {again}{cost}",
        f"latency: half within {half_ms:.0f} ms, 99 % within {most_ms:.0f} ms",
    ]
    if state.wait_reason:
        lines.append(state.wait_reason)
    return [*lines, *state.parts]


def ask(out: str, question: Question) -> State:
    """Ask the run on OUT, from another process. Blocks for ten seconds at most.

    Raises:
        UsageError: no run holds OUT, or it refuses.
    """
    for path in socket_paths(os.path.realpath(out)) if HAS_SOCKETS else ():
        try:
            answer = _exchange(path, question)
        except (FileNotFoundError, ConnectionRefusedError):
            continue
        except (OSError, msgspec.DecodeError) as error:
            raise UsageError(f"the run on {out} did not answer: {error}") from None
        if answer.state is None:
            raise UsageError(f"the run refuses: {answer.error}")
        return answer.state
    raise UsageError(
        f"no run is working on {out}", "a run on standard output, or of another user, cannot be asked either"
    )


def _exchange(path: Path, question: Question) -> Answer:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(PATIENCE_S)
        sock.connect(str(path))
        sock.sendall(msgspec.json.encode(question) + b"\n")
        answer = b""
        while not answer.endswith(b"\n") and (more := sock.recv(LONGEST_LINE_BYTES)):
            answer += more
    return msgspec.json.decode(answer, type=Answer)
