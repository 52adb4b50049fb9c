"""What stands between a client and the sandbox in a benchmark: a way that takes time, and enforcers nobody here wrote.

Everything listens on free ports of this machine, keeps its files in a temporary folder, and is ended by its own number.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import random
import shutil
import socket
import subprocess
import tempfile
import time
from array import array
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path


def free_port() -> int:
    """One that nobody listens on just now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def wait_for(port: int) -> None:
    """Until somebody listens there."""
    end_s = time.monotonic() + 10
    while True:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        if time.monotonic() > end_s:
            raise SystemExit(f"nothing listens on {port}")
        time.sleep(0.02)


async def _forward(port: int, target: int, least_s: float, most_s: float) -> None:
    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        due_s, queue = 0.0, asyncio.Queue[tuple[float, bytes]]()

        async def release() -> None:
            while True:
                when_s, data = await queue.get()
                await asyncio.sleep(when_s - time.monotonic())
                writer.write(data)
                if not data:
                    writer.close()
                    return

        task = asyncio.create_task(release())
        data = b"-"
        while data:
            try:
                data = await reader.read(65536)
            except OSError:
                data = b""
            due_s = max(due_s, time.monotonic() + random.uniform(least_s, most_s))  # order within a connection is kept
            queue.put_nowait((due_s, data))
        await task

    async def quick(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", target)
        await asyncio.gather(slow(reader, back), quick(there, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


def _forwarder(port: int, target: int, least_s: float, most_s: float) -> None:
    import uvloop

    with suppress(KeyboardInterrupt):
        uvloop.run(_forward(port, target, least_s, most_s))


@contextmanager
def long_way(target: int, least_s: float = 0.01, most_s: float = 0.03) -> Iterator[int]:
    """A port from which requests take 20 ± 10 ms to `target`; answers come back at once."""
    port = free_port()
    process = multiprocessing.get_context("spawn").Process(
        target=_forwarder, args=(port, target, least_s, most_s), daemon=True
    )
    process.start()
    try:
        wait_for(port)
        yield port
    finally:
        process.terminate()
        process.join()


NGINX = """
daemon off; master_process off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log crit;
events {{ worker_connections 4096; }}
http {{
  access_log off; client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder}; keepalive_requests 1000000000;
  limit_req_zone $server_name zone=cap:1m rate={rate}r/s;
  upstream sandbox {{ server 127.0.0.1:{target}; keepalive 256; keepalive_requests 1000000000; }}
  server {{
    listen 127.0.0.1:{port} backlog=1024; server_name cap;
    location / {{
      limit_req zone=cap burst={burst} nodelay; limit_req_status 429; limit_req_log_level info;
      proxy_pass http://sandbox; proxy_http_version 1.1; proxy_set_header Connection "";
    }}
  }}
}}
"""

HAPROXY = """
global
  maxconn 8192
defaults
  mode http
  timeout client 60s
  timeout server 60s
  timeout connect 5s
backend counted
  stick-table type integer size 1 expire 10s store http_req_rate(1s)
frontend front
  bind 127.0.0.1:{port}
  http-request track-sc0 int(1) table counted
  http-request deny deny_status 429 if {{ sc0_http_req_rate(counted) gt {rate} }}
  default_backend sandbox
backend sandbox
  http-reuse always
  server one 127.0.0.1:{target}
"""


@contextmanager
def enforcer(kind: str, rate: int, target: int) -> Iterator[int]:
    """nginx's `limit_req` (with 50 ms worth of burst, five at least) or HAProxy's `http_req_rate(1s)`: its port."""
    if shutil.which(kind) is None:
        raise SystemExit(f"{kind} is not installed: apt-get install {kind}")
    port = free_port()
    with tempfile.TemporaryDirectory() as place:
        os.chmod(place, 0o755)
        text = NGINX if kind == "nginx" else HAPROXY
        burst = max(5, rate // 20)
        config = Path(place) / "config"
        config.write_text(text.format(folder=place, port=port, target=target, rate=rate, burst=burst))
        words = ["nginx", "-c", str(config), "-p", place] if kind == "nginx" else ["haproxy", "-f", str(config), "-db"]
        process = subprocess.Popen(words, stderr=subprocess.DEVNULL)
        try:
            wait_for(port)
            yield port
        finally:
            process.terminate()
            process.wait()


def version_of(kind: str) -> str:
    """As it says itself."""
    words = [kind, "-v"]
    said = subprocess.run(words, capture_output=True, text=True, check=True)
    return (said.stdout + said.stderr).splitlines()[0]


def _serve_slowly(port: int, latency_s: float, core: int, told: Connection) -> None:
    """Answer every GET of a product after so long; say over the pipe when calls came."""
    import uvloop

    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})
    pad, seen = b"x" * 4000, array("d")

    class Far(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self._transport, self._rest = transport, b""

        def data_received(self, data: bytes) -> None:
            self._rest += data
            while (end := self._rest.find(b"\r\n\r\n")) >= 0:
                head, self._rest = self._rest[:end], self._rest[end + 4 :]
                seen.append(time.monotonic())
                asyncio.get_running_loop().call_later(latency_s, self._answer, head)

        def _answer(self, head: bytes) -> None:
            product_id = head.partition(b"productId=")[2].partition(b" ")[0].partition(b"&")[0]
            body = b'{"productInfo":{"productID":%b,"pad":"%b"},"errMsg":null}' % (product_id, pad)
            kind = b"Content-Type: application/json"
            self._transport.write(  # type: ignore[attr-defined]
                b"HTTP/1.1 200 OK\r\n%b\r\nContent-Length: %d\r\n\r\n%b" % (kind, len(body), body)
            )

    async def main() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(Far, "127.0.0.1", port, backlog=4096)

        def asked() -> None:
            told.recv()
            os.set_blocking(told.fileno(), True)  # the loop has made it non-blocking; thousands of times fill the pipe
            told.send(seen.tobytes())
            del seen[:]

        loop.add_reader(told.fileno(), asked)
        await server.serve_forever()

    with suppress(KeyboardInterrupt):
        uvloop.run(main())


class SlowServer:
    """What a benchmark asks of it."""

    def __init__(self, url: str, told: Connection) -> None:
        self.url, self._told = url, told

    def arrivals_s(self) -> list[float]:
        """When calls came since the last time that this was asked, on this machine's monotonic clock."""
        self._told.send("and?")
        times = array("d")
        times.frombytes(self._told.recv())
        return times.tolist()


@contextmanager
def slow_server(latency_s: float, *, core: int) -> Iterator[SlowServer]:
    """A server on one core whose answers (4 KB) take so long, in a process of its own."""
    here, there = multiprocessing.Pipe()
    port = free_port()
    process = multiprocessing.get_context("spawn").Process(
        target=_serve_slowly, args=(port, latency_s, core, there), daemon=True
    )
    process.start()
    try:
        wait_for(port)
        yield SlowServer(f"http://127.0.0.1:{port}", here)
    finally:
        process.terminate()
        process.join()
