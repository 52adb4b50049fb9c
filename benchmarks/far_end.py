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
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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
