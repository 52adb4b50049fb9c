"""A gateway of a few lines for whole runs: it remembers what came and answers as it is told, in a thread."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

from fetcher.secret import Secret


@dataclass
class Asked:
    """One request as it came."""

    number: int
    """Counted from 0."""
    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        """The parameters; one that comes twice keeps its last value."""
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    @property
    def id(self) -> str:
        """The product that is asked for."""
        return self.form.get("productID", "0")


Answer = tuple[int, bytes]


@dataclass
class Gateway:
    """Where it is, what it wants (nothing: it takes any signature), and what it saw."""

    url: str
    port: int
    app_key = "1000000"
    app_secret = Secret("any-app-secret")
    asked: list[Asked] = field(default_factory=list)

    @property
    def ids(self) -> list[str]:
        """Which products were asked for, in order of their numbers."""
        return sorted((asked.id for asked in self.asked), key=int)


def product(asked: Asked) -> Answer:
    """What was asked for, in the shortest form that counts."""
    return 200, json.dumps({"productInfo": {"productID": int(asked.id), "subject": "商品"}, "errMsg": None}).encode()


@contextmanager
def gateway(answer: Callable[[Asked], Answer] = product) -> Iterator[Gateway]:
    """Serve on a free port of this machine until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            with lock:
                asked = Asked(len(here.asked), self.requestline, dict(self.headers.items()), body)
                here.asked.append(asked)
            status, said = answer(asked)
            self.send_response(status)
            self.send_header("Content-Type", "application/json;charset=UTF-8")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        do_GET = do_POST

        def log_message(self, *_: object) -> None:
            """Nothing: what it saw is remembered."""

    lock = threading.Lock()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    port = server.server_address[1]
    here = Gateway(f"http://127.0.0.1:{port}/openapi", port)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield here
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
