"""A gateway that misbehaves by script, for each ID and each attempt, and keeps its own ledger of what it was asked.

Raw sockets: it sends exactly the bytes that a fault is made of. The tool under test knows nothing of it.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import parse_qs


def http(body: bytes, *headers: str, status: str = "200 OK", length: int | None = None) -> bytes:
    """A whole answer; `length` may lie."""
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {length or len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def product(product_id: str, more: bytes = b"") -> bytes:
    """A sound product's JSON."""
    return b'{"productInfo":{"productID":%b%b},"errMsg":null}' % (product_id.encode(), more)


@dataclass(frozen=True)
class Fault:
    """What happens instead of a sound answer."""

    name: str
    answer: Callable[[str, bytes], bytes] = lambda product_id, request: b""
    """(ID, the request as it came) → bytes."""
    end: str = "keep"
    """Afterwards: `keep` the connection, `close` or `reset` it, stay `silent`, or have it `drip` all along."""
    always: str | None = "malformed"
    """`error.kind` when every attempt meets it; None: the answer is good all the same."""
    permanent: bool = False
    sent_in_vain: bool = False
    """It was sent and not answered, so it may have been charged: its retries are few."""


@dataclass
class FaultServer:
    """Listens on a free port of this machine until its block ends."""

    faults: dict[str, tuple[Fault, int | None]] = field(default_factory=dict)
    """ID → fault, and how many times before it goes well; None: always."""
    sick: Fault | None = None
    """Every call meets this one, whatever the ID: an outage."""
    calls: Counter[str] = field(default_factory=Counter)
    arrived_s: list[float] = field(default_factory=list)
    port: int = 0

    def __post_init__(self) -> None:
        self._listening: socket.socket | None = None
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        """For `--gateway`."""
        return f"http://127.0.0.1:{self.port}/openapi"

    def listen(self) -> None:
        """Accept calls; on the same port again after `hang_up`."""
        self._listening = listening = socket.create_server(("127.0.0.1", self.port), backlog=256)
        self.port = listening.getsockname()[1]
        threading.Thread(target=self._accept, args=(listening,), daemon=True).start()

    def hang_up(self) -> None:
        """Close all connections and refuse new ones."""
        if self._listening is not None:
            with suppress(OSError):
                self._listening.shutdown(socket.SHUT_RDWR)
            self._listening.close()
            self._listening = None
        for each in list(self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                near, _ = listening.accept()
            except OSError:
                return
            near.settimeout(20)
            self._open.add(near)
            threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        with suppress(OSError, ValueError), near:
            while request := _request(near):
                product_id = parse_qs(request.partition(b"\r\n\r\n")[2].decode())["productID"][0]
                with self._lock:
                    self.calls[product_id] += 1
                    self.arrived_s.append(time.monotonic())
                    fault, times = self.faults.get(product_id, (self.sick, None))
                    well = fault is None or (times is not None and self.calls[product_id] > times)
                if well or fault is None:
                    near.sendall(http(product(product_id)))
                elif not _misbehave(near, fault, fault.answer(product_id, request)):
                    break
        self._open.discard(near)


def _request(near: socket.socket) -> bytes:
    """One request, head and form; empty at the end."""
    data = b""
    while b"\r\n\r\n" not in data:
        if not (more := near.recv(65536)):
            return b""
        data += more
    head = data.partition(b"\r\n\r\n")[0].lower()
    [length] = [int(line.partition(b":")[2]) for line in head.split(b"\r\n") if line.startswith(b"content-length:")]
    while len(data) < len(head) + 4 + length:
        data += near.recv(65536)
    return data


def _misbehave(near: socket.socket, fault: Fault, answer: bytes) -> bool:
    """True: the connection may be used on."""
    if fault.end == "drip":
        for byte in answer:
            near.sendall(bytes([byte]))
            time.sleep(0.1)
        return True
    near.sendall(answer)
    if fault.end == "keep":
        return True
    if fault.end == "silent":
        while near.recv(65536):
            pass
    if fault.end == "reset":
        near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


@contextmanager
def fault_server() -> Iterator[FaultServer]:
    """One that listens."""
    server = FaultServer()
    server.listen()
    try:
        yield server
    finally:
        server.hang_up()
